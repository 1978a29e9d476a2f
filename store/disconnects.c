#include "store/disconnects.h"

#include "store/disconnect_json.h"
#include "store/edges.h"
#include "store/keys.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

struct asked_begin {
	struct ask ask;
	store_disconnect_fn *fn;
	void *arg;
	struct disconnect d;
	char id[];
};

struct asked_claim {
	struct ask ask;
	store_disconnects_fn *fn;
	void *arg;
	uint16_t edge;
};

struct asked_park {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	uint16_t edge;
	enum err parked;
	size_t id_n;
	char id[];
};

static void on_begun(void *arg, enum err e, const redisReply *reply);
static void on_claimed(void *arg, enum err e, const redisReply *reply);
static void on_dead_letter(void *arg, enum err e, const redisReply *reply);
static void on_dead_letter_added(void *arg, enum err e, const redisReply *reply);

/* The JSON of d as the next word. */
static void words_disconnect(struct words *w, const struct disconnect *d)
{
	char *json = disconnect_json_write(d);

	words_text(w, json);
	free(json);
}

/* ---- begin ---- */

void store_disconnect_begin(struct store *st, const struct disconnect *d,
			    int64_t claim_ms, store_disconnect_fn *fn, void *arg)
{
	struct span id = d->row.id;
	struct asked_begin *a = ask_new(st, sizeof *a + id.n);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	memcpy(a->id, id.p, id.n);
	a->d.row.id = span_of(a->id, id.n);
	a->d.row.edge = d->row.edge;
	words_key(&w, keys_connections, d->row.edge);
	words_key(&w, keys_disconnects, d->row.edge);
	words_key(&w, keys_due, d->row.edge);
	words_span(&w, id);
	words_disconnect(&w, d);
	words_number(&w, claim_ms);
	words_eval(&w, &script_disconnect_begin, on_begun, a);
}

static void on_begun(void *arg, enum err e, const redisReply *reply)
{
	struct asked_begin *a = arg;
	json_t *keep = NULL;

	if (e == OK && reply->type == REDIS_REPLY_NIL)
		e = ERR_CLAIMED;
	if (e == OK)
		e = disconnect_json_find(a->ask.store, span_of(reply->str, reply->len),
					 false, &a->d, &keep);
	a->fn(a->arg, e, e == OK ? &a->d : NULL);
	json_decref(keep);
	ask_free(a);
}

/* ---- claim, hold ---- */

void store_disconnect_claim(struct store *st, uint16_t edge, size_t most,
			    int64_t claim_ms, store_disconnects_fn *fn, void *arg)
{
	struct asked_claim *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->edge = edge;
	words_key(&w, keys_disconnects, edge);
	words_key(&w, keys_due, edge);
	words_number(&w, (int64_t)most);
	words_number(&w, claim_ms);
	words_eval(&w, &script_disconnects_claim, on_claimed, a);
}

static void pass_claimed(struct asked_claim *a, const redisReply *pairs)
{
	struct disconnect_list list;

	disconnect_json_list(pairs, a->edge, &list);
	a->fn(a->arg, OK, list.all, list.n);
	disconnect_json_close(&list);
}

static void on_claimed(void *arg, enum err e, const redisReply *reply)
{
	struct asked_claim *a = arg;

	if (e == OK)
		pass_claimed(a, reply);
	else
		a->fn(a->arg, e, NULL, 0);
	ask_free(a);
}

void store_disconnect_renew(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, int64_t claim_ms, store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_due, edge);
	words_number(&w, claim_ms);
	for (size_t i = 0; i < n; i++)
		words_span(&w, ids[i]);
	words_eval(&w, &script_disconnects_hold, ask_on_word, ask_done_new(st, fn, arg));
}

/* ---- end, later ---- */

static void end(struct store *st, uint16_t edge, struct span id, redis_reply_fn *fn,
		void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_disconnects, edge);
	words_key(&w, keys_due, edge);
	words_span(&w, id);
	words_eval(&w, &script_disconnect_end, fn, arg);
}

void store_disconnect_end(struct store *st, uint16_t edge, struct span id,
			  store_done_fn *fn, void *arg)
{
	end(st, edge, id, ask_on_word, ask_done_new(st, fn, arg));
}

void store_disconnect_postpone(struct store *st, const struct disconnect *d,
			       int64_t wait_ms, store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_disconnects, d->row.edge);
	words_key(&w, keys_due, d->row.edge);
	words_span(&w, d->row.id);
	words_disconnect(&w, d);
	words_number(&w, wait_ms);
	edges_note(
		st,
		d->row.edge); /* the reaper would not find it, had Redis forgotten its edge */
	words_eval(&w, &script_disconnect_later, ask_on_word, ask_done_new(st, fn, arg));
}

/* ---- park ---- */

/* Two commands, as the keys may be on two nodes: after a crash between them it is still pending, and becomes a dead letter again. */
void store_dead_letter_add(struct store *st, const struct disconnect *d, int64_t most,
			   store_done_fn *fn, void *arg)
{
	struct span id = d->row.id;
	struct asked_park *a = ask_new(st, sizeof *a + id.n);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->edge = d->row.edge;
	a->id_n = id.n;
	memcpy(a->id, id.p, id.n);
	words_shared_key(&w, keys_dead_letters);
	words_span(&w, id);
	if (d->is_broken)
		words_span(&w, d->raw);
	else
		words_disconnect(&w, d);
	words_number(&w, most);
	words_eval(&w, &script_disconnect_park, on_dead_letter, a);
}

static void on_dead_letter(void *arg, enum err e, const redisReply *reply)
{
	struct asked_park *a = arg;

	if (e != OK) {
		a->fn(a->arg, e);
		ask_free(a);
		return;
	}
	a->parked = ask_word(reply);
	end(a->ask.store, a->edge, span_of(a->id, a->id_n), on_dead_letter_added, a);
}

/* Not pending any more is fine: the reply to an earlier attempt was lost. */
static void on_dead_letter_added(void *arg, enum err e, const redisReply *reply)
{
	struct asked_park *a = arg;

	(void)reply;
	a->fn(a->arg, e == OK ? a->parked : e);
	ask_free(a);
}
