#include "store/row.h"

#include "store/json_text.h"

#include <assert.h>

json_t *row_json(const struct connection_row *row)
{
	json_t *o = json_object();

	json_object_set_new(o, "connectedAt", json_integer(row->connected_at_ms));
	json_text_set(o, "sourceIp", row->source_ip);
	json_text_set(o, "userAgent", row->user_agent);
	json_text_set(o, "domainName", row->domain_name);
	json_text_set(o, "stage", row->stage);
	json_text_set_bytes(o, "context", row->context);
	return o;
}

char *row_write(const struct connection_row *row)
{
	json_t *o = row_json(row);
	char *out = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	assert(out != NULL);
	return out;
}

enum err row_parse(json_t *o, struct connection_row *row)
{
	const json_t *at = json_object_get(o, "connectedAt");
	struct connection_row got = *row;

	if (!json_is_integer(at)) /* what is no object has no field */
		return ERR_MALFORMED;
	got.connected_at_ms = json_integer_value(at);
	if (!json_text_get(o, "sourceIp", &got.source_ip) ||
	    !json_text_get(o, "userAgent", &got.user_agent) ||
	    !json_text_get(o, "domainName", &got.domain_name) ||
	    !json_text_get(o, "stage", &got.stage) ||
	    !json_text_get_bytes(o, "context", &got.context))
		return ERR_MALFORMED;
	*row = got;
	return OK;
}

enum err row_read(struct span json, struct connection_row *row, json_t **keep)
{
	enum err e;

	*keep = json_loadb((const char *)json.p, json.n, JSON_ALLOW_NUL, NULL);
	e = row_parse(*keep, row);
	if (e != OK) {
		json_decref(*keep);
		*keep = NULL;
	}
	return e;
}
