#ifndef CLI_CLIENT_TABLE_API_H
#define CLI_CLIENT_TABLE_API_H

/* DynamoDB's operations on tables, asked of the management API. */

#include "cli/client/api_json.h"

/* Where to ask, and for whom error lines are. */
struct table_api {
	const struct api_conf *conf;
	const char *command; /* "gatepost table scan" */
};

/*
 * One operation.
 *
 * body  taken
 * out   the answer, for json_decref; NULL unless API_DONE
 */
enum api_exit table_api_call(const struct table_api *a, const char *operation,
			     json_t *body, json_t **out);

/*
 * The items of a table, page by page.
 *
 * limit  of the items in all; 0: none
 * fn     gets each item, borrowed; false ends it, and API_FAILED is returned
 */
typedef bool table_api_item_fn(void *arg, const json_t *item);
enum api_exit table_api_scan(const struct table_api *a, const char *name, int64_t limit,
			     table_api_item_fn *fn, void *arg);

/* The names of all tables, each of which fn gets; another exit than API_DONE ends it. */
typedef enum api_exit table_api_name_fn(void *arg, const char *name);
enum api_exit table_api_names(const struct table_api *a, table_api_name_fn *fn,
			      void *arg);

#endif
