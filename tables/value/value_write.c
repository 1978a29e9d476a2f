#include "tables/value/value_json.h"

/* What stands before the JSON of a value, up to its own. */
static void open_value(struct json_out *o, enum value_type t)
{
	static const char *const opened[VALUE_TYPES] = {
		[VALUE_S] = "{\"S\":",           [VALUE_N] = "{\"N\":\"",
		[VALUE_B] = "{\"B\":",           [VALUE_L] = "{\"L\":[",
		[VALUE_M] = "{\"M\":",           [VALUE_BOOL] = "{\"BOOL\":",
		[VALUE_SS] = "{\"SS\":[",        [VALUE_NS] = "{\"NS\":[",
		[VALUE_NULL] = "{\"NULL\":true", [VALUE_BS] = "{\"BS\":[",
	};

	json_out_raw(o, opened[t]);
}

static void write_set(struct json_out *o, const struct value *v)
{
	for (size_t i = 0; i < v->list.n; i++) {
		const struct span bytes = v->list.items[i].bytes;

		if (i > 0)
			json_out_raw(o, ",");
		if (v->type == VALUE_BS)
			json_out_base64(o, bytes);
		else
			json_out_string(o, bytes);
	}
	json_out_raw(o, "]");
}

static void write_list(struct json_out *o, const struct value_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			json_out_raw(o, ",");
		value_write(o, &list->items[i]);
	}
	json_out_raw(o, "]");
}

void value_write(struct json_out *o, const struct value *v)
{
	open_value(o, v->type);
	switch (v->type) {
	case VALUE_S: json_out_string(o, v->bytes); break;
	case VALUE_N:
		json_out_span(o, v->bytes);
		json_out_raw(o, "\"");
		break;
	case VALUE_B: json_out_base64(o, v->bytes); break;
	case VALUE_BOOL: json_out_raw(o, v->truth ? "true" : "false"); break;
	case VALUE_L: write_list(o, &v->list); break;
	case VALUE_M: value_write_map(o, &v->map); break;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: write_set(o, v); break;
	case VALUE_NULL:
	case VALUE_TYPES: break;
	}
	json_out_raw(o, "}");
}

void value_write_map(struct json_out *o, const struct value_map *m)
{
	json_out_raw(o, "{");
	for (size_t i = 0; i < m->n; i++) {
		if (i > 0)
			json_out_raw(o, ",");
		json_out_string(o, m->members[i].name);
		json_out_raw(o, ":");
		value_write(o, &m->members[i].value);
	}
	json_out_raw(o, "}");
}
