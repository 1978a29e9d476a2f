#include "store/disconnect_json.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/ask.h"
#include "store/json_text.h"
#include "store/keys.h"
#include "store/row.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

char *disconnect_json_write(const struct disconnect *d)
{
	json_t *o = json_object();
	char *out;

	json_object_set_new(o, "edge", json_integer(d->row.edge));
	json_object_set_new(o, "time", json_integer(d->time_ms));
	json_object_set_new(o, "code", json_integer(d->code));
	json_text_set(o, "reason", d->reason);
	json_object_set_new(o, "tries", json_integer(d->tries));
	json_text_set(o, "error", d->error);
	json_object_set_new(o, "row", row_json(&d->row));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	assert(out != NULL);
	return out;
}

/* False when it is not there, is no integer, or not from least to most. */
static bool get_number(const json_t *o, const char *name, int64_t least, int64_t most,
		       int64_t *out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_integer_value(v); /* 0 when it is none */
	return json_is_integer(v) && *out >= least && *out <= most;
}

static bool get_all(const json_t *o, struct disconnect *d)
{
	int64_t edge, code, tries;

	if (!get_number(o, "edge", 1, UINT16_MAX, &edge) ||
	    !get_number(o, "time", INT64_MIN, INT64_MAX, &d->time_ms) ||
	    !get_number(o, "code", 0, UINT16_MAX, &code) ||
	    !get_number(o, "tries", 0, INT32_MAX - 1, &tries))
		return false;
	if (d->row.edge != 0 && d->row.edge != edge)
		return false;
	d->row.edge = (uint16_t)edge;
	d->code = (uint16_t)code;
	d->tries = (int)tries;
	return json_text_get(o, "reason", &d->reason) &&
	       json_text_get(o, "error", &d->error) &&
	       row_parse(json_object_get(o, "row"), &d->row) == OK;
}

enum err disconnect_json_read(struct span json, struct disconnect *d, json_t **keep)
{
	struct disconnect got = *d;

	*keep = json_loadb((const char *)json.p, json.n, JSON_ALLOW_NUL, NULL);
	if (get_all(*keep, &got)) { /* what is no object, or NULL, has no field */
		*d = got;
		return OK;
	}
	json_decref(*keep);
	*keep = NULL;
	return ERR_MALFORMED;
}

enum err disconnect_json_find(struct store *st, struct span json, bool parked,
			      struct disconnect *d, json_t **keep)
{
	char key[KEYS_TEXT];
	enum err e = disconnect_json_read(json, d, keep);

	if (e != OK)
		log_warn_flood(
			"store.disconnect",
			S("key", parked ? keys_dead_letters(st->prefix, key)
					: keys_disconnects(st->prefix, d->row.edge, key)),
			B("id", d->row.id), S("why", err_name(e)),
			S("hint", "foreign, or written by a later version: remove the "
				  "field, or update"));
	return e;
}

static void read_one(const redisReply *id, const redisReply *json, struct disconnect *d,
		     json_t **keep)
{
	d->row.id = span_of(id->str, id->len);
	if (disconnect_json_read(span_of(json->str, json->len), d, keep) == OK)
		return;
	d->is_broken = true;
	d->raw = span_of(json->str, json->len);
	d->error = span_str("it cannot be read: foreign, or written by a later version");
}

void disconnect_json_list(const redisReply *pairs, uint16_t edge,
			  struct disconnect_list *out)
{
	size_t n = pairs->elements / 2;

	*out = (struct disconnect_list){
		.all = xcalloc(n + 1, sizeof *out->all),
		.n = n,
		.keep = xcalloc(n + 1, sizeof(json_t *)),
	};
	for (size_t i = 0; i < n; i++) {
		out->all[i].row.edge = edge;
		read_one(pairs->element[2 * i], pairs->element[2 * i + 1], &out->all[i],
			 &out->keep[i]);
	}
}

void disconnect_json_close(struct disconnect_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		json_decref(list->keep[i]);
	free(list->keep);
	free(list->all);
}
