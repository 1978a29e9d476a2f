#include "config/provider.h"

#include "config/environment.h"
#include "config/statements.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { STAGE_MOST = 128 /* bytes, as on AWS */ };

static bool stage_is_right(const char *stage)
{
	size_t n = strspn(stage, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-");

	return stage[n] == '\0' && n >= 1 && n <= STAGE_MOST;
}

void provider_read_stage(struct reading *r, const struct value *root)
{
	struct config *c = r->config;
	struct value provider, v = {.node = root->node, .key = {.name = "--stage"}};

	c->stage = xstrdup(r->options->stage ? r->options->stage : "dev");
	if (r->options->stage == NULL && value_get(r, root, "provider", &provider) &&
	    value_get(r, &provider, "stage", &v))
		value_text(r, &v, &c->stage);
	if (!stage_is_right(c->stage))
		reading_error(r, v.node->at, &v.key,
			      "\"%s\"; allowed: 1 to 128 of A-Z a-z 0-9 _ -", c->stage);
	r->stage = c->stage;
}

void provider_read(struct reading *r, const struct value *root)
{
	static const char *const names[] = {
		"name",        "stage",
		"region",      "runtime",
		"timeout",     "memorySize",
		"environment", "websocketsApiRouteSelectionExpression",
		"iam",         "iamRoleStatements",
		NULL,
	};
	struct provider *p = &r->provider;
	struct value provider, v;

	if (!value_get(r, root, "provider", &provider))
		return;
	if (provider.node->kind == NODE_TEXT && provider.node->tag == NULL)
		return; /* provider: aws */
	if (!value_is_map(r, &provider))
		return;
	if (value_get(r, &provider, "region", &v))
		value_text(r, &v, &r->config->region);
	if (value_get(r, &provider, "websocketsApiRouteSelectionExpression", &v))
		value_text(r, &v, &r->config->selection);
	if (value_get(r, &provider, "runtime", &v))
		value_text(r, &v, &p->runtime);
	if (value_get(r, &provider, "timeout", &v))
		value_int(r, &v, 1, 900, "seconds", &p->timeout_s);
	if (value_get(r, &provider, "memorySize", &v))
		value_int(r, &v, 128, 10240, "MB", &p->memory_mb);
	environment_read(r, &provider, &p->environment, &p->n_environment);
	statements_read_provider(r, &provider);
	value_pass_over(r, &provider, names);
}
