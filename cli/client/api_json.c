#include "cli/client/api_json.h"

#include <stdio.h>

static enum api_exit complain(const char *command)
{
	fprintf(stderr, "%s: the response is not JSON; is this a management API?\n",
		command);
	return API_FAILED;
}

enum api_exit api_json(const struct api_conf *conf, const char *command,
		       const struct api_request *r, json_t **out)
{
	struct http_reply reply;
	enum api_exit x = api_call(conf, command, r, &reply);

	*out = x == API_DONE ? json_loadb(reply.body, reply.n,
					  JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL)
			     : NULL;
	if (x == API_DONE && reply.n > 0 && *out == NULL)
		x = complain(command);
	http_reply_free(&reply);
	return x;
}

enum api_exit api_view(const struct api_conf *conf, const char *command,
		       const struct api_request *r, struct http_reply *reply,
		       struct json_value *out)
{
	enum api_exit x = api_call(conf, command, r, reply);

	*out = (struct json_value){.kind = JSON_IS_MISSING};
	if (x == API_DONE && !view_open(span_of(reply->body, reply->n), out))
		x = complain(command);
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
