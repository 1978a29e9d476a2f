#ifndef CLI_CLIENT_API_JSON_H
#define CLI_CLIENT_API_JSON_H

/* Calls of the management API whose answers are JSON. */

#include "cli/client/api.h"

#include <jansson.h>

/*
 * As api_call.
 *
 * out  the answer, for json_decref; NULL unless API_DONE, and when the answer has no body
 */
enum api_exit api_json(const struct api_conf *conf, const char *command,
		       const struct api_request *r, json_t **out);

/* The text, or "", of a member of an object; o may be NULL. */
const char *api_json_text(const json_t *o, const char *name);

/* Print v as JSON in one line; control characters of its texts are escaped. */
void api_json_print(const json_t *v);

/* The same without the line's end; a text without its quotes, its control characters as '?'. */
void api_json_print_short(const json_t *v);

#endif
