#include "store/presence.h"

#include "base/mem.h"
#include "store/keys.h"
#include "store/presence_prefixes.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

/* LATE_MS: after the note of its channel nobody joins; well below the time in which edges find that a broker is stopped. */
enum { AT_ONCE = 500, LATE_MS = 2000 };

struct asked_change {
	struct ask ask;
	store_presence_fn *fn;
	void *arg;
	bool is_join, is_due, is_more;
	uint16_t edge;
	char score
		[32]; /* leave: of the channel on the list of the edge; empty: it is not there */
	struct span channel, connection, user, json; /* of the bytes */
	uint8_t bytes[];
};

static void on_noted(void *arg, enum err e, const redisReply *reply);
static void on_joined(void *arg, enum err e, const redisReply *reply);
static void on_listed(void *arg, enum err e, const redisReply *reply);
static void on_score(void *arg, enum err e, const redisReply *reply);
static void on_left(void *arg, enum err e, const redisReply *reply);
static void on_change(void *arg, enum err e, const redisReply *reply);

static struct span put(uint8_t **at, struct span s)
{
	struct span copy = span_of(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* m: NULL unless it is needed later. */
static struct asked_change *change_new(struct store *st, struct span channel,
				       const struct presence_member *m,
				       store_presence_fn *fn, void *arg)
{
	size_t more = m != NULL ? m->connection.n + m->user.n + m->json.n : 0;
	struct asked_change *a = ask_new(st, sizeof *a + channel.n + more);
	uint8_t *at = a->bytes;

	a->fn = fn;
	a->arg = arg;
	a->channel = put(&at, channel);
	if (m != NULL) {
		a->edge = m->edge;
		a->connection = put(&at, m->connection);
		a->user = put(&at, m->user);
		a->json = put(&at, m->json);
	}
	return a;
}

static void add_keys(struct words *w, struct span channel)
{
	static const char *const keys[] = {"members", "order", "users", "leaving",
					   "left"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		words_channel_key(w, channel, keys[i], (struct span){0});
}

/* ---- join ---- */

static void note(struct store *st, uint16_t edge, struct span channel, redis_reply_fn *fn,
		 struct asked_change *a)
{
	struct words w = {.store = st};

	words_key(&w, keys_presence, edge);
	words_span(&w, channel);
	words_eval(&w, &script_presence_note, fn, a);
}

/* The channel is listed before, so that a reaper finds it, and once more behind it: a leave of others may have taken it off meanwhile. */
void store_presence_join(struct store *st, struct span channel,
			 const struct presence_member *m, store_presence_fn *fn,
			 void *arg)
{
	struct asked_change *a = change_new(st, channel, m, fn, arg);

	a->is_join = true;
	note(st, m->edge, channel, on_noted, a);
}

static void on_noted(void *arg, enum err e, const redisReply *reply)
{
	struct asked_change *a = arg;
	struct words w = {.store = a->ask.store};

	if (e != OK) {
		on_change(a, e, reply);
		return;
	}
	add_keys(&w, a->channel);
	words_span(&w, a->connection);
	words_span(&w, a->user);
	words_span(&w, a->json);
	words_number(&w, reply->integer + LATE_MS);
	words_eval(&w, &script_presence_join, on_joined, a);
}

static void on_joined(void *arg, enum err e, const redisReply *reply)
{
	bool is_late = e == OK && reply->type != REDIS_REPLY_ARRAY;

	on_change(arg, is_late ? ERR_DOWN : e, reply);
}

static void on_listed(void *arg, enum err e, const redisReply *reply)
{
	(void)reply;
	(void)e; /* the list may lack the channel only if others leave it just now, and Redis fails just then */
	ask_free(arg);
}

/* ---- leave ---- */

static void note_due(struct store *st, struct span channel, int64_t grace_ms)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_presence_due);
	words_span(&w, channel);
	words_number(&w, grace_ms);
	words_eval(&w, &script_presence_due, on_listed, ask_new(st, sizeof(struct ask)));
}

/* The grace is noted before: a broker that dies in between leaves nobody behind for ever. */
void store_presence_leave(struct store *st, struct span channel, uint16_t edge,
			  struct span connection, int64_t grace_ms, store_presence_fn *fn,
			  void *arg)
{
	struct asked_change *a = change_new(st, channel, NULL, fn, arg);
	struct words score = {.store = st}, w = {.store = st};

	a->edge = edge;
	a->is_due = true;
	words_key(&score, keys_presence, edge);
	words_span(&score, channel);
	words_call(&score, "ZSCORE", on_score, a);
	if (grace_ms > 0)
		note_due(st, channel, grace_ms);
	add_keys(&w, channel);
	words_span(&w, connection);
	words_number(&w, grace_ms);
	presence_prefixes(&w, edge);
	words_eval(&w, &script_presence_leave, on_left, a);
}

static void on_score(void *arg, enum err e, const redisReply *reply)
{
	struct asked_change *a = arg;

	if (e == OK && reply->type == REDIS_REPLY_STRING)
		snprintf(a->score, sizeof a->score, "%s", reply->str);
}

static void unnote(struct store *st, uint16_t edge, struct span channel,
		   const char *score)
{
	struct words w = {.store = st};

	words_key(&w, keys_presence, edge);
	words_span(&w, channel);
	words_text(&w, score);
	words_eval(&w, &script_presence_unnote, on_listed,
		   ask_new(st, sizeof(struct ask)));
}

static void on_left(void *arg, enum err e, const redisReply *reply)
{
	struct asked_change *a = arg;
	struct store *st = a->ask.store;

	if (e == OK && reply->element[3]->integer == 0 &&
	    reply->element[4]->integer == 1 && a->score[0] != '\0')
		unnote(st, a->edge, a->channel, a->score);
	on_change(a, e, reply);
}

/* ---- changes ---- */

void store_presence_expire(struct store *st, struct span channel, store_presence_fn *fn,
			   void *arg)
{
	struct asked_change *a = change_new(st, channel, NULL, fn, arg);
	struct words w = {.store = st};

	a->is_due = true;
	add_keys(&w, channel);
	words_number(&w, AT_ONCE);
	words_eval(&w, &script_presence_expire, on_change, a);
}

void store_presence_reap(struct store *st, struct span channel, uint16_t edge,
			 store_presence_fn *fn, void *arg)
{
	struct asked_change *a = change_new(st, channel, NULL, fn, arg);
	struct words w = {.store = st};

	a->is_more = true;
	add_keys(&w, channel);
	words_number(&w, AT_ONCE);
	presence_prefixes(&w, edge);
	words_eval(&w, &script_presence_reap, on_change, a);
}

/* reply: members, connections, users, what the script adds, now */
static void on_change(void *arg, enum err e, const redisReply *reply)
{
	struct asked_change *a = arg;
	struct span *members;

	if (e != OK) {
		a->fn(a->arg, e, NULL);
		ask_free(a);
		return;
	}
	members = reply_texts(reply->element[0]);
	a->fn(a->arg, OK,
	      &(struct presence_change){
		      .members = members,
		      .n = reply->element[0]->elements,
		      .connections = reply->element[1]->integer,
		      .users = reply->element[2]->integer,
		      .due_ms = a->is_due ? reply->element[3]->integer : 0,
		      .more = a->is_more && reply->element[3]->integer == 1,
		      .at_us = reply->element[reply->elements - 1]->integer,
	      });
	free(members);
	if (a->is_join)
		note(a->ask.store, a->edge, a->channel, on_listed, a);
	else
		ask_free(a);
}
