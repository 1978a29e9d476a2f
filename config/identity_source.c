#include "config/identity_source.h"

#include "base/mem.h"

#include <string.h>

enum { MOST_SOURCES = 16 };

static void take(struct reading *r, const struct value *v, struct config_authorizer *a);
static void add(struct config_authorizer *a, const char *source);

void identity_source_read(struct reading *r, const struct value *from,
			  const char *fallback, struct config_authorizer *a)
{
	struct value list, v;

	if (!value_get(r, from, "identitySource", &list)) {
		add(a, fallback);
	} else if (list.node->kind == NODE_TEXT) {
		take(r, &list, a);
	} else if (value_is(r, &list, NODE_LIST, "a text or a list of texts")) {
		for (size_t i = 0; i < value_count(&list); i++)
			if (value_at(r, &list, i, &v))
				take(r, &v, a);
	}
}

static bool is_named(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 && text[n] != '\0' &&
	       strpbrk(text + n, " ,\t\r\n") == NULL;
}

static bool is_source(const char *text)
{
	return is_named(text, "route.request.header.") ||
	       is_named(text, "route.request.querystring.") ||
	       is_named(text, "route.request.cookie.") ||
	       strcmp(text, "route.request.subprotocol") == 0;
}

static void take(struct reading *r, const struct value *v, struct config_authorizer *a)
{
	const char *text = value_peek(r, v);

	if (text == NULL)
		return;
	if (!is_source(text))
		reading_error(
			r, v->node->at, &v->key,
			"\"%s\"; allowed: route.request.header.NAME, "
			"route.request.querystring.NAME, route.request.cookie.NAME, "
			"route.request.subprotocol",
			text);
	else if (a->n_identity == MOST_SOURCES)
		reading_error(r, v->node->at, &v->key, "more than 16 sources");
	else
		add(a, text);
}

static void add(struct config_authorizer *a, const char *source)
{
	a->identity = xrealloc(a->identity, (a->n_identity + 1) * sizeof *a->identity);
	a->identity[a->n_identity++] = xstrdup(source);
}
