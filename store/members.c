#include "store/members.h"

#include "base/mem.h"
#include "store/keys.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

struct asked_beat {
	struct ask ask;
	store_members_fn *fn;
	void *arg;
};

static void on_beat(void *arg, enum err e, const redisReply *reply);

void store_members_beat(struct store *st, const struct member *self, const char *proposed,
			int64_t ttl_ms, store_members_fn *fn, void *arg)
{
	struct asked_beat *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_shared_key(&w, keys_members);
	words_shared_key(&w, keys_cluster);
	words_span(&w, self->boot);
	words_span(&w, self->name);
	words_span(&w, self->endpoint);
	words_number(&w, ttl_ms);
	words_text(&w, proposed);
	words_span(&w, self->edges);
	words_number(&w, self->beat);
	words_number(&w, self->answered);
	words_span(&w, self->cluster);
	words_eval(&w, &script_members_beat, on_beat, a);
}

/* reply: the cluster's id; for each member its boot id, name, endpoint and edges; the id's age */
static void pass_view(struct asked_beat *a, const redisReply *reply)
{
	const redisReply *live = reply->element[1];
	struct member *all = xcalloc(live->elements, sizeof *all);

	for (size_t i = 0; i < live->elements; i++) {
		struct redisReply **of = live->element[i]->element;

		all[i] = (struct member){
			.boot = reply_text(of[0]),
			.name = reply_text(of[1]),
			.endpoint = reply_text(of[2]),
			.edges = reply_text(of[3]),
		};
	}
	a->fn(a->arg, OK,
	      &(struct members_view){
		      .members = all,
		      .n = live->elements,
		      .cluster = reply_text(reply->element[0]),
		      .age_ms = reply->element[2]->integer,
	      });
	free(all);
}

static void on_beat(void *arg, enum err e, const redisReply *reply)
{
	struct asked_beat *a = arg;

	if (e == OK)
		pass_view(a, reply);
	else
		a->fn(a->arg, e, NULL);
	ask_free(a);
}

void store_members_leave(struct store *st, struct span boot, store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_members);
	words_span(&w, boot);
	words_call(&w, "HDEL", ask_on_removed, ask_done_new(st, fn, arg));
}
