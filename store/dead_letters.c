#include "store/disconnect_json.h"
#include "store/edges.h"
#include "store/keys.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { PARKED_AT_ONCE = 200 };

struct asked_scan {
	struct ask ask;
	store_dead_letters_fn *fn;
	void *arg;
};

struct asked_retry {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	size_t id_n;
	char id[];
};

static void on_scanned(void *arg, enum err e, const redisReply *reply);
static void on_found(void *arg, enum err e, const redisReply *reply);
static void on_requeued(void *arg, enum err e, const redisReply *reply);
static void on_taken_off(void *arg, enum err e, const redisReply *reply);

/* ---- scan, count, drop ---- */

void store_dead_letters_scan(struct store *st, uint64_t cursor, store_dead_letters_fn *fn,
			     void *arg)
{
	struct asked_scan *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_shared_key(&w, keys_dead_letters);
	words_scan(&w, cursor, PARKED_AT_ONCE);
	words_call(&w, "HSCAN", on_scanned, a);
}

static void pass_dead_letters(struct asked_scan *a, const redisReply *pairs,
			      uint64_t next)
{
	struct disconnect_list list;

	disconnect_json_list(pairs, 0, &list);
	a->fn(a->arg, OK, list.all, list.n, next);
	disconnect_json_close(&list);
}

static void on_scanned(void *arg, enum err e, const redisReply *reply)
{
	struct asked_scan *a = arg;

	if (e == OK)
		pass_dead_letters(a, reply->element[1],
				  strtoull(reply->element[0]->str, NULL, 10));
	else
		a->fn(a->arg, e, NULL, 0, 0);
	ask_free(a);
}

void store_dead_letters_count(struct store *st, store_count_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_dead_letters);
	words_call(&w, "HLEN", ask_on_count, ask_count_new(st, fn, arg));
}

static void drop(struct store *st, struct span id, redis_reply_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_dead_letters);
	words_span(&w, id);
	words_call(&w, "HDEL", fn, arg);
}

void store_dead_letter_drop(struct store *st, struct span id, store_done_fn *fn,
			    void *arg)
{
	drop(st, id, ask_on_removed, ask_done_new(st, fn, arg));
}

/* ---- retry: read, make pending, remove; after a crash in between it is a dead letter, and may be pending already ---- */

void store_dead_letter_retry(struct store *st, struct span id, store_done_fn *fn,
			     void *arg)
{
	struct asked_retry *a = ask_new(st, sizeof *a + id.n);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->id_n = id.n;
	memcpy(a->id, id.p, id.n);
	words_shared_key(&w, keys_dead_letters);
	words_span(&w, id);
	words_call(&w, "HGET", on_found, a);
}

static void retry_ends(struct asked_retry *a, enum err e)
{
	a->fn(a->arg, e);
	ask_free(a);
}

/* d may be of an edge that ended long ago: its number goes back on the list, where brokers look for pending disconnects. */
static void requeue(struct asked_retry *a, struct disconnect *d)
{
	struct words w = {.store = a->ask.store};
	char *json;

	d->tries = 0;
	d->error = (struct span){0};
	json = disconnect_json_write(d);
	edges_note(w.store, d->row.edge);
	words_key(&w, keys_disconnects, d->row.edge);
	words_key(&w, keys_due, d->row.edge);
	words_span(&w, d->row.id);
	words_text(&w, json);
	words_eval(&w, &script_disconnect_again, on_requeued, a);
	free(json);
}

static void on_found(void *arg, enum err e, const redisReply *reply)
{
	struct asked_retry *a = arg;
	struct disconnect d = {.row = {.id = span_of(a->id, a->id_n)}};
	json_t *keep = NULL;

	if (e == OK && reply->type == REDIS_REPLY_NIL)
		e = ERR_NOTFOUND;
	if (e == OK)
		e = disconnect_json_find(a->ask.store, span_of(reply->str, reply->len),
					 true, &d, &keep);
	if (e == OK)
		requeue(a, &d);
	else
		retry_ends(a, e);
	json_decref(keep);
}

static void on_requeued(void *arg, enum err e, const redisReply *reply)
{
	struct asked_retry *a = arg;

	(void)reply;
	if (e == OK)
		drop(a->ask.store, span_of(a->id, a->id_n), on_taken_off, a);
	else
		retry_ends(a, e);
}

/* Already removed by another retry is fine. */
static void on_taken_off(void *arg, enum err e, const redisReply *reply)
{
	(void)reply;
	retry_ends(arg, e);
}
