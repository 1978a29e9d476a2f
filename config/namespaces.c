#include "config/namespaces.h"

#include "config/authorizers.h"
#include "config/channel_access.h"
#include "config/jwt_authorizer.h"
#include "config/nearest.h"
#include "config/units.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	MOST_NAMESPACES = 1000,
	MOST_NAME = 64,        /* bytes */
	MOST_HISTORY = 100000, /* messages */
	MOST_SUBSCRIPTIONS =
		1024, /* an edge gives one connection no more, in all namespaces together */
	MOST_RATE = 1000000,
	LEAST_TTL_MS = 1000,
	LEAST_EVENTS_MS = 100,
	MOST_EVENTS_MS = 60 * 1000,
	MOST_GRACE_MS = 10 * 60 * 1000,
	LEAST_HISTORY_BYTES = 1024,
	MOST_HISTORY_BYTES = 1 << 30,
	MOST_MESSAGE = 1 << 20, /* what a recovery may have in all */
};
static const int64_t most_ttl_ms = INT64_C(8760) * 3600 * 1000;

static bool name_is_good(struct reading *r, const struct value *v);
static void read_one(struct reading *r, const struct value *v,
		     struct config_namespace *ns);
static void read_history(struct reading *r, const struct value *v,
			 struct config_namespace *ns);
static void read_presence(struct reading *r, const struct value *v,
			  struct config_namespace *ns);
static void read_token(struct reading *r, const struct value *v,
		       struct config_namespace *ns);
static void read_limits(struct reading *r, const struct value *v,
			struct config_namespace *ns);
static void check_sense(struct reading *r, const struct value *v,
			const struct config_namespace *ns);
static int by_name(const void *a, const void *b);

struct config_namespace namespaces_default(char *name)
{
	return (struct config_namespace){
		.name = name,
		.history = {.ttl_ms = NAMESPACE_TTL_MS, .bytes = NAMESPACE_HISTORY_BYTES},
		.subscribe = {.rule = CHANNEL_AUTHENTICATED},
		.publish = {.rule = CHANNEL_NOBODY},
		.token_authorizer = CONFIG_NONE,
		.limits = {.message = NAMESPACE_MESSAGE,
			   .subscriptions = NAMESPACE_SUBSCRIPTIONS},
		.key_ms = NAMESPACE_KEY_MS,
		.hook = CONFIG_NONE,
	};
}

void namespaces_read(struct reading *r)
{
	struct config *c = r->config;
	const struct value *all = &r->channels;
	struct value v;

	if (all->node == NULL || !value_is_map(r, all))
		return;
	if (value_count(all) > MOST_NAMESPACES) {
		reading_error(r, all->node->at, &all->key, "more than 1000 namespaces");
		return;
	}
	c->namespaces = xcalloc(value_count(all) + 1, sizeof *c->namespaces);
	for (size_t i = 0; i < value_count(all); i++) {
		if (!value_at(r, all, i, &v) || !name_is_good(r, &v))
			continue;
		c->namespaces[c->n_namespaces] = namespaces_default(xstrdup(v.key.name));
		c->namespaces[c->n_namespaces].line = v.node->at.line;
		read_one(r, &v, &c->namespaces[c->n_namespaces++]);
	}
	if (c->n_namespaces > 1)
		qsort(c->namespaces, c->n_namespaces, sizeof *c->namespaces, by_name);
}

/* config_namespace searches them in this order. */
static int by_name(const void *a, const void *b)
{
	const struct config_namespace *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool name_is_good(struct reading *r, const struct value *v)
{
	struct span name = span_str(v->key.name);
	bool good = channel_name_ok(name) && name.n <= MOST_NAME &&
		    memchr(name.p, ':', name.n) == NULL && name.p[0] != '$';

	if (!good)
		reading_error(r, v->node->at, &v->key,
			      "\"%s\" cannot be a namespace; allowed: 1 to 64 bytes of "
			      "UTF-8 without control characters, :, *, { and }, not "
			      "beginning with $",
			      v->key.name);
	return good;
}

/* The index of v's text among names, which end with a NULL; -1 after an error line. */
static int read_choice(struct reading *r, const struct value *v, const char *const *names,
		       const char *allowed)
{
	const char *text = value_peek(r, v);

	for (int i = 0; text && names[i]; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	if (text)
		reading_error(r, v->node->at, &v->key, "\"%s\"; allowed: %s", text,
			      allowed);
	return -1;
}

static void read_choices(struct reading *r, const struct value *v,
			 struct config_namespace *ns)
{
	static const char *const recovers[] = {"stream", "cache", NULL};
	static const char *const formats[] = {"message", "raw", NULL};
	static const char *const slows[] = {"disconnect", "drop-oldest", "latest", NULL};
	struct value choice;
	int i;

	if (value_get(r, v, "recover", &choice) &&
	    (i = read_choice(r, &choice, recovers, "stream or cache")) >= 0)
		ns->recover = (enum channel_recover)i;
	if (value_get(r, v, "format", &choice) &&
	    (i = read_choice(r, &choice, formats, "message or raw")) >= 0)
		ns->format = (enum channel_format)i;
	if (value_get(r, v, "slow", &choice) &&
	    (i = read_choice(r, &choice, slows, "disconnect, drop-oldest or latest")) >=
		    0)
		ns->slow = (enum channel_slow)i;
}

static void read_one(struct reading *r, const struct value *v,
		     struct config_namespace *ns)
{
	static const char *const names[] = {
		"history", "recover", "presence", "subscribe", "publish", "token",
		"format",  "slow",    "limits",   "keyTtl",    NULL,
	};
	struct value key;

	if (node_is_null(v->node) || !value_is_map(r, v))
		return;
	value_refuse_others(r, v, names);
	if (value_get(r, v, "history", &key))
		read_history(r, &key, ns);
	if (value_get(r, v, "presence", &key))
		read_presence(r, &key, ns);
	if (value_get(r, v, "subscribe", &key))
		channel_access_read(r, &key, &ns->subscribe);
	if (value_get(r, v, "publish", &key))
		channel_access_read(r, &key, &ns->publish);
	if (value_get(r, v, "token", &key))
		read_token(r, &key, ns);
	if (value_get(r, v, "limits", &key))
		read_limits(r, &key, ns);
	if (value_get(r, v, "keyTtl", &key))
		units_time(r, &key, LEAST_TTL_MS, most_ttl_ms, &ns->key_ms);
	read_choices(r, v, ns);
	check_sense(r, v, ns);
}

static void read_history(struct reading *r, const struct value *v,
			 struct config_namespace *ns)
{
	static const char *const names[] = {"size", "ttl", "bytes", NULL};
	struct value key;

	if (!value_is(r, v, NODE_MAP, "a mapping with size"))
		return;
	value_refuse_others(r, v, names);
	if (value_get(r, v, "size", &key))
		value_int(r, &key, 1, MOST_HISTORY, "messages", &ns->history.size);
	else
		reading_error(r, v->node->at, &v->key,
			      "size is missing; allowed: 1 to 100000 messages");
	if (value_get(r, v, "ttl", &key))
		units_time(r, &key, LEAST_TTL_MS, most_ttl_ms, &ns->history.ttl_ms);
	if (value_get(r, v, "bytes", &key))
		units_size(r, &key, LEAST_HISTORY_BYTES, MOST_HISTORY_BYTES,
			   &ns->history.bytes);
}

static void read_presence(struct reading *r, const struct value *v,
			  struct config_namespace *ns)
{
	static const char *const names[] = {"members", "events", "grace", NULL};
	struct value key;

	if (!value_is_map(r, v))
		return;
	value_refuse_others(r, v, names);
	ns->presence.members = true;
	ns->presence.events_ms = NAMESPACE_EVENTS_MS;
	ns->presence.grace_ms = NAMESPACE_GRACE_MS;
	if (value_get(r, v, "members", &key))
		value_bool(r, &key, &ns->presence.members);
	if (value_get(r, v, "events", &key) &&
	    units_time(r, &key, 0, MOST_EVENTS_MS, &ns->presence.events_ms) &&
	    ns->presence.events_ms > 0 && ns->presence.events_ms < LEAST_EVENTS_MS)
		reading_error(r, key.node->at, &key.key,
			      "\"%s\"; allowed: 0s (no frames), or 100ms to 1m",
			      key.node->text);
	if (value_get(r, v, "grace", &key))
		units_time(r, &key, 0, MOST_GRACE_MS, &ns->presence.grace_ms);
	if (!ns->presence.members)
		ns->presence.events_ms = ns->presence.grace_ms = 0;
}

/* The name of one of gatepost.authorizers, or an algorithm and a key. */
static void read_token(struct reading *r, const struct value *v,
		       struct config_namespace *ns)
{
	static const char *const names[] = {"algorithm", "key", "keyFile", NULL};
	struct config_authorizer a = {
		.sort = CONFIG_JWT,
		.of_namespace = true,
		.endless = true,
		.line = v->node->at.line,
	};

	if (v->node->kind == NODE_TEXT) {
		ns->token_authorizer = authorizers_find_jwt(r, v);
		return;
	}
	if (!value_is(r, v, NODE_MAP,
		      "the name of one of gatepost.authorizers, or a mapping with "
		      "algorithm and key or keyFile"))
		return;
	value_refuse_others(r, v, names);
	a.name = xasprintf("channels.%s.token", ns->name);
	jwt_authorizer_read_key(r, v, &a);
	ns->token_authorizer = authorizers_add(r->config, a);
}

static void read_limits(struct reading *r, const struct value *v,
			struct config_namespace *ns)
{
	static const char *const names[] = {"message", "subscriptions", "rate",
					    "userRate", NULL};
	struct value key;

	if (!value_is_map(r, v))
		return;
	value_refuse_others(r, v, names);
	if (value_get(r, v, "message", &key))
		units_size(r, &key, 1, MOST_MESSAGE, &ns->limits.message);
	if (value_get(r, v, "subscriptions", &key))
		value_int(r, &key, 1, MOST_SUBSCRIPTIONS, "subscriptions",
			  &ns->limits.subscriptions);
	if (value_get(r, v, "rate", &key))
		units_rate(r, &key, 1, MOST_RATE, &ns->limits.rate);
	if (value_get(r, v, "userRate", &key))
		units_rate(r, &key, 1, MOST_RATE, &ns->limits.user_rate);
}

/* Settings that contradict each other. */
static void check_sense(struct reading *r, const struct value *v,
			const struct config_namespace *ns)
{
	static const char *const kept[] = {"history", "presence", "recover"};
	bool needs_token =
		ns->subscribe.rule == CHANNEL_TOKEN || ns->publish.rule == CHANNEL_TOKEN;
	struct value key;

	for (size_t i = 0; ns->format == CHANNEL_RAW && i < 3; i++)
		if (value_get(r, v, kept[i], &key))
			reading_error(r, key.node->at, &key.key,
				      "format is raw, which has data alone; allowed: "
				      "format: message");
	if (!node_get(v->node, "history") && value_get(r, v, "recover", &key) &&
	    ns->format != CHANNEL_RAW)
		reading_error(r, key.node->at, &key.key,
			      "there is no history to recover from; allowed: with "
			      "history: { size: … }");
	if (ns->limits.message > ns->history.bytes)
		reading_error(r, v->node->at, &v->key,
			      "limits.message is more than history.bytes, which would "
			      "keep no such message");
	if (needs_token && !node_get(v->node, "token"))
		reading_error(r, v->node->at, &v->key,
			      "token is missing, by which tokens are checked; allowed: "
			      "the name of one of gatepost.authorizers, or { algorithm, "
			      "key | keyFile }");
	if (!needs_token && value_get(r, v, "token", &key))
		reading_info(r, key.node->at, &key.key,
			     "ignored: neither subscribe nor publish is token");
}

struct config_namespace *namespaces_find(struct reading *r, const struct value *name)
{
	struct config *c = r->config;
	const char *text = value_peek(r, name), *meant;
	const char **names;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < c->n_namespaces; i++)
		if (strcmp(c->namespaces[i].name, text) == 0)
			return &c->namespaces[i];
	names = xcalloc(c->n_namespaces + 1, sizeof *names);
	for (size_t i = 0; i < c->n_namespaces; i++)
		names[i] = c->namespaces[i].name;
	meant = nearest_name(text, names);
	reading_error(r, name->node->at, &name->key,
		      "there is no namespace \"%s\"%s%s%s; allowed: one of "
		      "gatepost.channels",
		      text, meant ? " (did you mean " : "", meant ? meant : "",
		      meant ? "?)" : "");
	free(names);
	return NULL;
}

void namespaces_free(struct config *c)
{
	for (size_t i = 0; i < c->n_namespaces; i++) {
		free(c->namespaces[i].name);
		free(c->namespaces[i].subscribe.name);
		free(c->namespaces[i].publish.name);
	}
	free(c->namespaces);
}
