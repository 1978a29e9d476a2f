/* What is read of presence: members, the channels of an edge, and graces that are over. */
#include "store/presence.h"

#include "base/mem.h"
#include "store/keys.h"
#include "store/presence_prefixes.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { AT_ONCE = 500, NAMES = 100 };

struct asked_page {
	struct ask ask;
	store_presence_page_fn *fn;
	void *arg;
};

struct asked_names {
	struct ask ask;
	store_presence_names_fn *fn;
	void *arg;
};

struct asked_due {
	struct ask ask;
	store_presence_due_fn *fn;
	void *arg;
};

static void on_page(void *arg, enum err e, const redisReply *reply);
static void on_names(void *arg, enum err e, const redisReply *reply);
static void on_claimed(void *arg, enum err e, const redisReply *reply);

/* ---- members ---- */

void store_presence_read(struct store *st, struct span channel, struct span after,
			 int64_t most, store_presence_page_fn *fn, void *arg)
{
	struct asked_page *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, channel, "members", (struct span){0});
	words_channel_key(&w, channel, "order", (struct span){0});
	words_channel_key(&w, channel, "users", (struct span){0});
	words_span(&w, after);
	words_number(&w, most);
	words_eval(&w, &script_presence_read, on_page, a);
}

static void on_page(void *arg, enum err e, const redisReply *reply)
{
	struct asked_page *a = arg;
	struct span *members;

	if (e != OK) {
		a->fn(a->arg, e, NULL);
		ask_free(a);
		return;
	}
	members = reply_texts(reply->element[0]);
	a->fn(a->arg, OK,
	      &(struct presence_page){
		      .members = members,
		      .n = reply->element[0]->elements,
		      .connections = reply->element[1]->integer,
		      .users = reply->element[2]->integer,
		      .next = reply_text(reply->element[3]),
	      });
	free(members);
	ask_free(a);
}

/* ---- the list of an edge ---- */

void store_presence_list(struct store *st, uint16_t edge, int64_t from,
			 store_presence_names_fn *fn, void *arg)
{
	struct asked_names *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_key(&w, keys_presence, edge);
	words_number(&w, from);
	words_number(&w, from + NAMES - 1);
	words_call(&w, "ZRANGE", on_names, a);
}

void store_presence_ids(struct store *st, struct span channel, uint16_t edge,
			struct span after, store_presence_names_fn *fn, void *arg)
{
	struct asked_names *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, channel, "order", (struct span){0});
	words_span(&w, after);
	words_number(&w, AT_ONCE);
	presence_prefixes(&w, edge);
	words_eval(&w, &script_presence_ids, on_names, a);
}

static void on_names(void *arg, enum err e, const redisReply *reply)
{
	struct asked_names *a = arg;
	struct span *names;

	if (e != OK) {
		a->fn(a->arg, e, NULL, 0);
		ask_free(a);
		return;
	}
	names = reply_texts(reply);
	a->fn(a->arg, OK, names, reply->elements);
	free(names);
	ask_free(a);
}

void store_presence_unlist(struct store *st, uint16_t edge, struct span channel,
			   store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_presence, edge);
	words_span(&w, channel);
	words_call(&w, "ZREM", ask_on_said, ask_done_new(st, fn, arg));
}

/* ---- graces that are over ---- */

void store_presence_claim(struct store *st, int64_t claim_ms, store_presence_due_fn *fn,
			  void *arg)
{
	struct asked_due *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_shared_key(&w, keys_presence_due);
	words_number(&w, NAMES);
	words_number(&w, claim_ms);
	words_eval(&w, &script_presence_due_claim, on_claimed, a);
}

/* reply: {channel, claim, …} */
static void on_claimed(void *arg, enum err e, const redisReply *reply)
{
	struct asked_due *a = arg;
	size_t n = e == OK ? reply->elements / 2 : 0;
	struct presence_due *due = xcalloc(n + 1, sizeof *due);

	for (size_t i = 0; i < n; i++)
		due[i] = (struct presence_due){reply_text(reply->element[2 * i]),
					       reply_text(reply->element[2 * i + 1])};
	a->fn(a->arg, e, due, n);
	free(due);
	ask_free(a);
}

void store_presence_done(struct store *st, const struct presence_due *due, int64_t due_ms,
			 store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_presence_due);
	words_span(&w, due->channel);
	words_span(&w, due->claim);
	words_number(&w, due_ms);
	words_eval(&w, &script_presence_due_done, ask_on_word, ask_done_new(st, fn, arg));
}
