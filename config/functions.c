#include "config/functions.h"

#include "config/authorizers.h"
#include "config/builtin_channels.h"
#include "config/events.h"
#include "config/function_keys.h"
#include "config/namespaces.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FUNCTIONS = 1000 };

/* Drafts outlive the value that they were read from. */
static const struct key functions_key = {.name = "functions"};

static void collect(struct reading *r, const struct value *map);
static void collect_one(struct reading *r, const struct value *map, size_t i);
static void mark_used(struct reading *r);
static void define(struct reading *r);

void functions_read(struct reading *r, const struct value *root)
{
	struct value all, item;

	if (!value_get(r, root, "functions", &all)) {
		if (r->errors == 0)
			reading_error(
				r, root->node->at, NULL,
				"functions is missing; allowed: functions: { NAME: { "
				"handler: …, events: [ … ] } }");
		return;
	}
	if (all.node->kind == NODE_LIST && all.node->tag == NULL) {
		for (size_t i = 0; i < value_count(&all); i++)
			if (value_at(r, &all, i, &item) && value_is_map(r, &item))
				collect(r, &item);
	} else if (value_is(r, &all, NODE_MAP, "a mapping or a list of mappings")) {
		collect(r, &all);
	}
	namespaces_read(r);
	for (size_t i = 0; i < r->n_drafts; i++)
		events_read(r, i);
	authorizers_trim(r);
	mark_used(r);
	define(r);
}

static void collect(struct reading *r, const struct value *map)
{
	if (r->n_drafts + value_count(map) > MOST_FUNCTIONS) {
		reading_error(r, map->node->at, &map->key, "more than 1000 functions");
		return;
	}
	r->drafts = xrealloc(r->drafts,
			     (r->n_drafts + value_count(map) + 1) * sizeof *r->drafts);
	for (size_t i = 0; i < value_count(map); i++)
		collect_one(r, map, i);
}

static void collect_one(struct reading *r, const struct value *map, size_t i)
{
	struct draft d = {0};

	if (!value_at(r, map, i, &d.value))
		return;
	d.value.key.up = &functions_key;
	if (!value_is(r, &d.value, NODE_MAP, "a mapping with handler and events"))
		return;
	for (size_t k = 0; k < r->n_drafts; k++)
		if (strcmp(r->drafts[k].value.key.name, d.value.key.name) == 0) {
			reading_error(r, d.value.node->at, &d.value.key,
				      "there are two functions of this name");
			return;
		}
	r->drafts[r->n_drafts++] = d;
}

static void mark_used(struct reading *r)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->n_routes; i++)
		r->drafts[c->routes[i].function].used = true;
	for (size_t i = 0; i < c->n_http; i++)
		r->drafts[c->http[i].function].used = true;
	for (size_t i = 0; i < c->n_authorizers; i++)
		if (c->authorizers[i].sort == CONFIG_REQUEST)
			r->drafts[c->authorizers[i].function].used = true;
	for (size_t i = 0; i < c->n_namespaces; i++) {
		const struct config_namespace *ns = &c->namespaces[i];

		if (ns->subscribe.rule == CHANNEL_FUNCTION)
			r->drafts[ns->subscribe.function].used = true;
		if (ns->publish.rule == CHANNEL_FUNCTION)
			r->drafts[ns->publish.function].used = true;
		if (ns->hook != CONFIG_NONE)
			r->drafts[ns->hook].used = true;
	}
}

/* From here on the numbers of functions are those of the configuration. */
static void renumber(struct reading *r)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->n_routes; i++)
		c->routes[i].function = r->drafts[c->routes[i].function].index;
	for (size_t i = 0; i < c->n_http; i++)
		c->http[i].function = r->drafts[c->http[i].function].index;
	for (size_t i = 0; i < c->n_authorizers; i++)
		if (c->authorizers[i].sort == CONFIG_REQUEST)
			c->authorizers[i].function =
				r->drafts[c->authorizers[i].function].index;
	for (size_t i = 0; i < c->n_namespaces; i++) {
		struct config_namespace *ns = &c->namespaces[i];

		if (ns->subscribe.rule == CHANNEL_FUNCTION)
			ns->subscribe.function = r->drafts[ns->subscribe.function].index;
		if (ns->publish.rule == CHANNEL_FUNCTION)
			ns->publish.function = r->drafts[ns->publish.function].index;
		if (ns->hook != CONFIG_NONE)
			ns->hook = (int)r->drafts[ns->hook].index;
	}
}

static void define(struct reading *r)
{
	struct config *c = r->config;

	c->functions = xcalloc(r->n_drafts + 1, sizeof *c->functions);
	for (size_t i = 0; i < r->n_drafts; i++) {
		struct draft *d = &r->drafts[i];

		if (!d->used) {
			reading_info(r, d->value.node->at, &d->value.key,
				     "ignored: it serves no websocket, http, "
				     "httpApi or channel event, and authorizes nobody");
			continue;
		}
		d->index = c->n_functions++;
		function_keys_read(r, &d->value, &c->functions[d->index]);
	}
	if (c->n_functions == 0 && r->errors == 0)
		reading_error(r, r->root->at, &functions_key,
			      "none of them serves a websocket, http or httpApi event: "
			      "there is nothing to do");
	renumber(r);
	builtin_channels_check(r);
}
