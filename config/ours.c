#include "config/ours.h"

#include "config/jwt_authorizer.h"

#include <string.h>

enum { MOST_WORKERS = 256, MOST_TIMEOUT_S = 900, MOST_AUTHORIZERS = 100 };

static void read_keys(struct reading *r, const struct value *ours);
static void read_json(struct reading *r, const struct value *ours);
static void read_authorizers(struct reading *r, const struct value *ours);
static void find_later(struct reading *r, const struct value *ours, const char *name,
		       struct value *out);

/* custom is Serverless' own place for what it does not know itself; it may be in a file that we need not have. */
static bool find_in_custom(struct reading *r, const struct value *root,
			   struct value *custom, struct value *ours)
{
	const struct node *node = node_get(root->node, "custom");

	if (node == NULL || node->kind != NODE_MAP || !node_get(node, "gatepost"))
		return false;
	*custom = (struct value){node, {.name = "custom"}};
	return value_get(r, custom, "gatepost", ours);
}

void ours_read(struct reading *r, const struct value *root)
{
	struct value custom, inner, ours;
	bool is_inner = find_in_custom(r, root, &custom, &inner);
	bool is_outer = value_get(r, root, "gatepost", &ours);

	if (is_inner && is_outer)
		reading_error(
			r, inner.node->at, &inner.key,
			"gatepost is there too, in line %d; allowed: one of the two",
			ours.node->at.line);
	if (is_outer)
		read_keys(r, &ours);
	else if (is_inner)
		read_keys(r, &inner);
}

static void read_keys(struct reading *r, const struct value *ours)
{
	static const char *const names[] = {
		"json",        "context",  "binary", "workers", "maxTimeout",
		"authorizers", "channels", "ports",  "tables",  NULL,
	};
	struct config *c = r->config;
	struct value v;

	if (!value_is_map(r, ours))
		return;
	value_refuse_others(r, ours, names);
	read_json(r, ours);
	if (value_get(r, ours, "context", &v))
		value_bool(r, &v, &c->context);
	if (value_get(r, ours, "binary", &v))
		value_bool(r, &v, &c->binary);
	if (value_get(r, ours, "tables", &v))
		value_bool(r, &v, &c->has_tables);
	if (value_get(r, ours, "workers", &v))
		value_int(r, &v, 1, MOST_WORKERS, "processes", &r->limits.workers);
	if (value_get(r, ours, "maxTimeout", &v))
		value_int(r, &v, 1, MOST_TIMEOUT_S, "seconds", &r->limits.timeout_s);
	read_authorizers(r, ours);
	find_later(r, ours, "channels", &r->channels);
	find_later(r, ours, "ports", &r->ports);
}

static void read_json(struct reading *r, const struct value *ours)
{
	const char *text;
	struct value v;

	if (!value_get(r, ours, "json", &v) || (text = value_peek(r, &v)) == NULL)
		return;
	r->config->lenient_json = strcmp(text, "lenient") == 0;
	if (!r->config->lenient_json && strcmp(text, "strict") != 0)
		reading_error(r, v.node->at, &v.key, "\"%s\"; allowed: strict or lenient",
			      text);
}

static void read_authorizers(struct reading *r, const struct value *ours)
{
	struct value all, v;

	if (!value_get(r, ours, "authorizers", &all) || !value_is_map(r, &all))
		return;
	if (value_count(&all) > MOST_AUTHORIZERS) {
		reading_error(r, all.node->at, &all.key, "more than 100 authorizers");
		return;
	}
	for (size_t i = 0; i < value_count(&all); i++)
		if (value_at(r, &all, i, &v))
			jwt_authorizer_read(r, &v);
}

/* They are read when the functions that they name are known, which outlasts the keys of ours. */
static void find_later(struct reading *r, const struct value *ours, const char *name,
		       struct value *out)
{
	static const struct key outer = {.name = "gatepost"};
	static const struct key custom = {.name = "custom"};
	static const struct key inner = {.up = &custom, .name = "gatepost"};

	if (!value_get(r, ours, name, out))
		out->node = NULL;
	out->key = (struct key){.up = ours->key.up ? &inner : &outer, .name = name};
}
