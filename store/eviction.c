#include "store/eviction.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLICY_ROOM = 32 }; /* the longest is volatile-random */

struct eviction {
	struct store *store;
	struct timer *timer;
	char policy[POLICY_ROOM]; /* "": not known yet */
	bool is_asking;
};

struct asked_policy {
	struct ask ask;
	struct eviction *eviction;
};

bool eviction_is_allowed(const struct eviction *e)
{
	return e->policy[0] != 0 && strcmp(e->policy, "noeviction") != 0;
}

static int64_t ask_allowed(void *arg)
{
	return eviction_is_allowed(arg);
}

/* The value of maxmemory_policy in the text of INFO; empty: it is not there. */
static struct span policy_in(const char *info)
{
	static const char name[] = "\nmaxmemory_policy:";
	const char *at = strstr(info, name);

	if (at == NULL)
		return span_str("");
	at += sizeof name - 1;
	return span_of(at, strcspn(at, "\r\n"));
}

static void take(struct eviction *e, struct span policy)
{
	bool was_allowed = eviction_is_allowed(e);

	if (policy.n == 0 || span_is(policy, e->policy))
		return;
	snprintf(e->policy, sizeof e->policy, "%.*s", (int)policy.n,
		 (const char *)policy.p);
	if (eviction_is_allowed(e))
		log_warn("redis.policy", S("policy", e->policy),
			 S("hint", "set maxmemory-policy noeviction: Redis may remove "
				   "connections and channels"));
	else if (was_allowed)
		log_info("redis.policy", S("policy", e->policy));
}

static void on_info(void *arg, enum err err, const redisReply *reply)
{
	struct asked_policy *a = arg;

	a->eviction->is_asking = false;
	if (err == OK && reply->str != NULL)
		take(a->eviction, policy_in(reply->str));
	ask_free(a);
}

static void look(void *arg)
{
	struct eviction *e = arg;
	struct words w = {.store = e->store};
	struct asked_policy *a;

	if (e->is_asking || !store_is_up(e->store))
		return;
	e->is_asking = true;
	a = ask_new(e->store, sizeof *a);
	a->eviction = e;
	words_text(&w, "memory");
	words_call(&w, "INFO", on_info, a);
}

struct eviction *eviction_new(struct loop *l, struct store *st, struct metrics *m,
			      int64_t every_ms)
{
	struct eviction *e = xcalloc(1, sizeof *e);

	e->store = st;
	e->timer = timer_new(l, look, e);
	timer_every(e->timer, every_ms);
	store_on_up(st, look, e);
	metric_asked_gauge(m, "gatepost_broker_redis_evicts", NULL,
			   "1: the maxmemory-policy of Redis is not noeviction",
			   ask_allowed, e);
	return e;
}

void eviction_free(struct eviction *e)
{
	if (e == NULL)
		return;
	timer_free(e->timer);
	free(e);
}
