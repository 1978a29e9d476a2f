#include "config/channel_access.h"

#include "config/nearest.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	[CHANNEL_ANYONE] = "anyone",
	[CHANNEL_AUTHENTICATED] = "authenticated",
	[CHANNEL_TOKEN] = "token",
	[CHANNEL_NOBODY] = "nobody",
};
enum { WORDS = sizeof words / sizeof *words };

static const char context[] = "context.";

static void refuse(struct reading *r, const struct value *v, const char *text);

void channel_access_read(struct reading *r, const struct value *v,
			 struct channel_access *a)
{
	const char *text = value_peek(r, v), *key;

	if (text == NULL)
		return;
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(text, words[i]) == 0) {
			*a = (struct channel_access){.rule = (enum channel_rule)i};
			return;
		}
	key = text + strlen(context);
	if (strncmp(text, context, strlen(context)) == 0 && *key) {
		*a = (struct channel_access){CHANNEL_CONTEXT, .name = xstrdup(key)};
		return;
	}
	for (size_t i = 0; i < r->n_drafts; i++)
		if (strcmp(text, r->drafts[i].value.key.name) == 0) {
			*a = (struct channel_access){CHANNEL_FUNCTION, .function = i};
			return;
		}
	refuse(r, v, text);
}

static void refuse(struct reading *r, const struct value *v, const char *text)
{
	const char **names = xcalloc(WORDS + r->n_drafts + 1, sizeof *names);
	const char *meant;
	size_t n = 0;

	for (; n < WORDS; n++)
		names[n] = words[n];
	for (size_t i = 0; i < r->n_drafts; i++)
		names[n++] = r->drafts[i].value.key.name;
	meant = nearest_name(text, names);
	reading_error(r, v->node->at, &v->key,
		      "there is no function \"%s\"%s%s%s; allowed: anyone, "
		      "authenticated, token, nobody, context.KEY, or the name of a "
		      "function of this file",
		      text, meant ? " (did you mean " : "", meant ? meant : "",
		      meant ? "?)" : "");
	free(names);
}

char *channel_access_text(const struct config *c, const struct channel_access *a)
{
	if (a->rule == CHANNEL_CONTEXT)
		return xasprintf("%s%s", context, a->name);
	return xstrdup(a->rule == CHANNEL_FUNCTION ? c->functions[a->function].name
						   : words[a->rule]);
}
