#include "cli/client/api_json.h"

#include "cli/client/clean.h"

#include <stdio.h>
#include <stdlib.h>

enum api_exit api_json(const struct api_conf *conf, const char *command,
		       const struct api_request *r, json_t **out)
{
	struct http_reply reply;
	enum api_exit x = api_call(conf, command, r, &reply);

	*out = x == API_DONE ? json_loadb(reply.body, reply.n,
					  JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL)
			     : NULL;
	if (x == API_DONE && reply.n > 0 && *out == NULL) {
		fprintf(stderr,
			"%s: the response is not JSON; is this a management API?\n",
			command);
		x = API_FAILED;
	}
	http_reply_free(&reply);
	return x;
}

const char *api_json_text(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

void api_json_print(const json_t *v)
{
	json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
}

void api_json_print_short(const json_t *v)
{
	char *text =
		json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	clean_print(text ? text : json_string_value(v));
	free(text);
}
