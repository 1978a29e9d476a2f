#ifndef CLI_CLIENT_API_JSON_H
#define CLI_CLIENT_API_JSON_H

/* Calls of the management API whose answers are JSON. */

#include "cli/client/api.h"
#include "cli/client/view.h"

#include <jansson.h>

/*
 * As api_call.
 *
 * out  the answer, for json_decref; NULL unless API_DONE, and when the answer has no body
 */
enum api_exit api_json(const struct api_conf *conf, const char *command,
		       const struct api_request *r, json_t **out);

/*
 * The same, for what is printed as it was written.
 *
 * out    the answer, an object that points into reply
 * reply  to be freed with http_reply_free, whatever this returns
 */
enum api_exit api_view(const struct api_conf *conf, const char *command,
		       const struct api_request *r, struct http_reply *reply,
		       struct json_value *out);

/* The text, or "", of a member of an object; o may be NULL. */
const char *api_json_text(const json_t *o, const char *name);

/* Print v as JSON in one line; control characters of its texts are escaped. */
void api_json_print(const json_t *v);

#endif
