#include "cli/client/table_api.h"

#include <stdlib.h>

enum api_exit table_api_call(const struct table_api *a, const char *operation,
			     json_t *body, json_t **out)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct api_request r = {
		.method = "POST",
		.path = "/",
		.body = span_str(text),
		.operation = operation,
	};
	enum api_exit x = api_json(a->conf, a->command, &r, out);

	free(text);
	json_decref(body);
	return x;
}

/* The next request of a scan: behind the last key of page. NULL: there is no more. */
static json_t *next_scan(const json_t *page, const char *name, int64_t left)
{
	json_t *last = json_object_get(page, "LastEvaluatedKey"), *body;

	if (page && last == NULL)
		return NULL;
	body = json_pack("{s:s}", "TableName", name);
	if (last)
		json_object_set(body, "ExclusiveStartKey", last);
	if (left > 0)
		json_object_set_new(body, "Limit", json_integer(left));
	return body;
}

enum api_exit table_api_scan(const struct table_api *a, const char *name, int64_t limit,
			     table_api_item_fn *fn, void *arg)
{
	json_t *body = next_scan(NULL, name, limit), *page = NULL, *item;
	enum api_exit x = API_DONE;
	int64_t left = limit;
	size_t i;

	while (body) {
		x = table_api_call(a, "Scan", body, &page);
		json_array_foreach (json_object_get(page, "Items"), i, item)
			if (x == API_DONE && !fn(arg, item))
				x = API_FAILED;
		left -= (int64_t)json_array_size(json_object_get(page, "Items"));
		body = x == API_DONE && (limit == 0 || left > 0)
			       ? next_scan(page, name, left)
			       : NULL;
		json_decref(page);
	}
	return x;
}

enum api_exit table_api_names(const struct table_api *a, table_api_name_fn *fn, void *arg)
{
	json_t *body = json_object(), *page, *name, *last;
	enum api_exit x = API_DONE;
	size_t i;

	while (body) {
		x = table_api_call(a, "ListTables", body, &page);
		json_array_foreach (json_object_get(page, "TableNames"), i, name)
			if (x == API_DONE)
				x = fn(arg, json_string_value(name));
		last = json_object_get(page, "LastEvaluatedTableName");
		body = x == API_DONE && last
			       ? json_pack("{s:O}", "ExclusiveStartTableName", last)
			       : NULL;
		json_decref(page);
	}
	return x;
}
