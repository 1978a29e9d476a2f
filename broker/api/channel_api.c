#include "broker/api/channel_api.h"

#include "base/mem.h"
#include "base/percent.h"
#include "broker/api/answer.h"

#include <stdlib.h>

struct channel_api *channel_api_new(const struct channel_api_uses *uses, size_t most)
{
	struct channel_api *c = xcalloc(1, sizeof *c);

	c->uses = *uses;
	c->most = most;
	LIST_INIT(&c->pendings);
	return c;
}

void channel_api_free(struct channel_api *c)
{
	pendings_free(&c->pendings);
	free(c);
}

struct span channel_api_name(const struct channel_target *t)
{
	return span_of(t->name, t->n);
}

const struct failure *channel_api_find(const struct channel_api *c, struct span name,
				       struct channel_target *out)
{
	static const struct failure no_name = {
		"bad_request",
		"The channel's name is not 1 to 255 bytes of UTF-8 without control "
		"characters, *, { and }",
		false,
	};
	static const struct failure no_namespace = {
		"unknown_namespace",
		"The channel's namespace is not one of gatepost.channels",
		false,
	};

	if (name.p == NULL || !channel_name_ok(name))
		return &no_name;
	memcpy(out->name, name.p, name.n);
	out->n = name.n;
	out->ns = config_namespace(routes_config(c->uses.routes(c->uses.arg)), name);
	return out->ns ? NULL : &no_namespace;
}

bool channel_api_read(const struct channel_api *c, struct http_request *q,
		      struct span part, struct channel_target *out)
{
	char name[CHANNEL_NAME_MAX + 1];
	long n = percent_decode(part, name, sizeof name);
	const struct failure *f = channel_api_find(
		c, n < 0 ? (struct span){0} : span_of(name, (size_t)n), out);

	if (f)
		answer_failure(q, f);
	return f == NULL;
}
