#include "store/row.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Header values may be any bytes: what is not UTF-8 is taken as Latin-1, as HTTP once said. */
static json_t *text_from_latin1(struct span in)
{
	char *out = xmalloc(2 * in.n);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] < 0x80) {
			out[n++] = (char)in.p[i];
		} else {
			out[n++] = (char)(0xc0 | in.p[i] >> 6);
			out[n++] = (char)(0x80 | (in.p[i] & 0x3f));
		}
	}

	json_t *text = json_stringn(out, n);

	free(out);
	return text;
}

static void set_text(json_t *o, const char *name, struct span in)
{
	json_t *text;

	if (in.n == 0)
		return;
	text = json_stringn((const char *)in.p, in.n);
	if (text == NULL)
		text = text_from_latin1(in);
	json_object_set_new(o, name, text);
}

char *row_write(const struct connection_row *row)
{
	json_t *o = json_object();
	char *out;

	json_object_set_new(o, "connectedAt", json_integer(row->connected_at_ms));
	set_text(o, "sourceIp", row->source_ip);
	set_text(o, "userAgent", row->user_agent);
	set_text(o, "domainName", row->domain_name);
	set_text(o, "stage", row->stage);
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	assert(out != NULL);
	return out;
}

/* False when it is there and is no text. */
static bool get_text(const json_t *o, const char *name, struct span *out)
{
	const json_t *text = json_object_get(o, name);

	*out = (struct span){0};
	if (text == NULL)
		return true;
	if (!json_is_string(text))
		return false;
	*out = span_of(json_string_value(text), json_string_length(text));
	return true;
}

static bool get_all(const json_t *o, struct connection_row *row)
{
	const json_t *at = json_object_get(o, "connectedAt");

	if (!json_is_integer(at))
		return false;
	row->connected_at_ms = json_integer_value(at);
	return get_text(o, "sourceIp", &row->source_ip) &&
	       get_text(o, "userAgent", &row->user_agent) &&
	       get_text(o, "domainName", &row->domain_name) &&
	       get_text(o, "stage", &row->stage);
}

enum err row_read(struct span json, struct connection_row *row, json_t **keep)
{
	struct connection_row got = *row;

	*keep = json_loadb((const char *)json.p, json.n, JSON_ALLOW_NUL, NULL);
	if (get_all(*keep, &got)) { /* no object, or NULL, has no connectedAt */
		*row = got;
		return OK;
	}
	json_decref(*keep);
	*keep = NULL;
	return ERR_MALFORMED;
}
