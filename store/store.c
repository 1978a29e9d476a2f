#include "store/store.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/appends.h"
#include "store/ask.h"
#include "store/keys.h"
#include "redis/url.h"

#include <stdlib.h>

enum { STALL_MS = 5000 };

static const char prefix_allowed[] = "allowed: at most 64 of A-Z a-z 0-9 : . _ - /";

bool store_conf_is_right(const struct store_conf *c, struct conf_wrong *w)
{
	struct redis_url url;

	if (c->redis != NULL &&
	    redis_url_parse(c->redis, &url, w->why, sizeof w->why) != OK) {
		w->name = "redis";
		w->is_secret = true; /* it may hold a password */
		return false;
	}
	if ((c->cert == NULL) != (c->key == NULL))
		return conf_refuse(w, c->cert != NULL ? "redis-cert" : "redis-key",
				   "--redis-cert and --redis-key go together");
	if (keys_check_prefix(c->prefix) != OK)
		return conf_refuse(w, "redis-prefix", prefix_allowed);
	return true;
}

static void call_listeners(void *arg)
{
	const struct store *st = arg;

	for (size_t i = 0; i < st->n_listeners; i++)
		st->listeners[i].fn(st->listeners[i].arg);
}

struct store *store_new(struct loop *l, const struct store_conf *conf, struct metrics *m)
{
	struct redis_conf redis = {
		.url = conf->redis,
		.tls = {conf->ca, conf->cert, conf->key},
		.timeout_ms = conf->timeout_ms,
		.stall_ms = conf->timeout_ms > STALL_MS ? conf->timeout_ms : STALL_MS,
		.max_in_flight = conf->max_in_flight,
	};

	if (keys_check_prefix(conf->prefix) != OK) {
		log_error("store.prefix", S("setting", "redis-prefix"),
			  S("value", conf->prefix), S("why", prefix_allowed));
		return NULL;
	}

	struct redis *r = redis_new(l, &redis, m);

	if (r == NULL)
		return NULL;

	struct store *st = xcalloc(1, sizeof *st);

	st->redis = r;
	st->prefix = xstrdup(conf->prefix);
	st->appends = appends_new(l, st);
	redis_on_up(r, call_listeners, st);
	return st;
}

void store_free(struct store *st)
{
	if (st == NULL)
		return;
	redis_free(st->redis);
	ask_close(st);
	appends_free(st->appends);
	free(st->listeners);
	free(st->prefix);
	free(st);
}

bool store_is_up(const struct store *st)
{
	return redis_is_up(st->redis);
}

int64_t store_lost_ms(const struct store *st)
{
	return redis_lost_ms(st->redis);
}

void store_on_up(struct store *st, loop_fn *fn, void *arg)
{
	st->listeners =
		xrealloc(st->listeners, (st->n_listeners + 1) * sizeof *st->listeners);
	st->listeners[st->n_listeners++] = (struct store_listener){fn, arg};
}
