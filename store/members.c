#include "store/members.h"

#include "base/mem.h"
#include "store/ask.h"
#include "store/keys.h"
#include "store/scripts.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct asked_beat {
	struct ask ask;
	store_members_fn *fn;
	void *arg;
};

struct asked_leave {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
};

static void on_beat(void *arg, enum err e, const redisReply *reply);
static void on_left(void *arg, enum err e, const redisReply *reply);

void store_members_beat(struct store *st, const struct member *self, const char *proposed,
			int64_t ttl_ms, store_members_fn *fn, void *arg)
{
	struct asked_beat *a = ask_new(st, sizeof *a);
	char members[KEYS_TEXT], cluster[KEYS_TEXT], ttl[24];
	char *boot = span_dup(self->boot), *name = span_dup(self->name);
	char *endpoint = span_dup(self->endpoint);

	a->fn = fn;
	a->arg = arg;
	snprintf(ttl, sizeof ttl, "%" PRId64, ttl_ms);
	redis_eval(st->redis, &script_members_beat, on_beat, a, 2, 7,
		   (const char *[]){keys_members(st->prefix, members),
				    keys_cluster(st->prefix, cluster), boot, name,
				    endpoint, ttl, proposed},
		   NULL);
	free(boot);
	free(name);
	free(endpoint);
}

static struct span text_of(const redisReply *r)
{
	return span_of(r->str, r->len);
}

/* reply: is it new, the cluster's id, and for each member its boot id, name and endpoint */
static void give_view(struct asked_beat *a, const redisReply *reply)
{
	const redisReply *live = reply->element[2];
	struct member *all = xcalloc(live->elements, sizeof *all);

	for (size_t i = 0; i < live->elements; i++) {
		struct redisReply **of = live->element[i]->element;

		all[i] = (struct member){
			.boot = text_of(of[0]),
			.name = text_of(of[1]),
			.endpoint = text_of(of[2]),
		};
	}
	a->fn(a->arg, OK,
	      &(struct members_view){
		      .members = all,
		      .n = live->elements,
		      .cluster = text_of(reply->element[1]),
		      .cluster_is_new = reply->element[0]->integer == 1,
	      });
	free(all);
}

static void on_beat(void *arg, enum err e, const redisReply *reply)
{
	struct asked_beat *a = arg;

	if (e == OK)
		give_view(a, reply);
	else
		a->fn(a->arg, e, NULL);
	ask_free(a);
}

void store_members_leave(struct store *st, struct span boot, store_done_fn *fn, void *arg)
{
	struct asked_leave *a = ask_new(st, sizeof *a);
	char key[KEYS_TEXT];
	const char *argv[] = {"HDEL", keys_members(st->prefix, key),
			      (const char *)boot.p};
	size_t lens[] = {4, strlen(key), boot.n};

	a->fn = fn;
	a->arg = arg;
	redis_call(st->redis, on_left, a, 3, argv, lens);
}

static void on_left(void *arg, enum err e, const redisReply *reply)
{
	struct asked_leave *a = arg;

	if (e == OK && reply->integer == 0)
		e = ERR_NOTFOUND;
	a->fn(a->arg, e);
	ask_free(a);
}
