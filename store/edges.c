#include "store/edges.h"

#include "base/mem.h"
#include "store/json_text.h"
#include "store/keys.h"
#include "store/leases.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

struct asked_edges {
	struct ask ask;
	store_edges_fn *fn;
	void *arg;
};

struct asked_look {
	struct ask ask;
	store_edge_fn *fn;
	void *arg;
};

struct asked_reap {
	struct ask ask;
	store_reap_fn *fn;
	void *arg;
};

struct asked_forget {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	uint16_t number;
};

static void on_edges(void *arg, enum err e, const redisReply *reply);
static void on_look(void *arg, enum err e, const redisReply *reply);
static void on_reap(void *arg, enum err e, const redisReply *reply);
static void on_forget(void *arg, enum err e, const redisReply *reply);
static void on_off_list(void *arg, enum err e, const redisReply *reply);
static void on_checked_pending(void *arg, enum err e, const redisReply *reply);

/* What there is of an edge, in the order that the scripts have it. */
static void add_keys(struct words *w, uint16_t number)
{
	words_key(w, keys_lease, number);
	words_key(w, keys_owner, number);
	words_key(w, keys_connections, number);
	words_key(w, keys_disconnects, number);
	words_key(w, keys_due, number);
}

/* ---- list ---- */

static void on_nothing(void *arg, enum err e, const redisReply *reply)
{
	(void)arg;
	(void)e;
	(void)reply;
}

void edges_note(struct store *st, uint16_t number)
{
	struct words w = {.store = st};

	words_shared_key(&w, keys_edges);
	words_number(&w, number);
	words_call(&w, "SADD", on_nothing, NULL);
}

void store_edges_list(struct store *st, store_edges_fn *fn, void *arg)
{
	struct asked_edges *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_shared_key(&w, keys_edges);
	words_call(&w, "SMEMBERS", on_edges, a);
}

static int by_number(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What is no number from 1 to 65535 is not ours, and is left out. */
static size_t read_numbers(const redisReply *set, uint16_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < set->elements; i++) {
		char *end;
		unsigned long v = strtoul(set->element[i]->str, &end, 10);

		if (v >= 1 && v <= UINT16_MAX && *end == '\0')
			out[n++] = (uint16_t)v;
	}
	qsort(out, n, sizeof *out, by_number);
	return n;
}

static void on_edges(void *arg, enum err e, const redisReply *reply)
{
	struct asked_edges *a = arg;
	uint16_t *numbers = NULL;
	size_t n = 0;

	if (e == OK) {
		numbers = xcalloc(reply->elements + 1, sizeof *numbers);
		n = read_numbers(reply, numbers);
	}
	a->fn(a->arg, e, numbers, n);
	free(numbers);
	ask_free(a);
}

/* ---- look ---- */

void store_edge_get(struct store *st, uint16_t number, store_edge_fn *fn, void *arg)
{
	struct asked_look *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	add_keys(&w, number);
	words_key(&w, keys_synced, number);
	words_key(&w, keys_presence, number);
	words_eval(&w, &script_edge_look, on_look, a);
}

/* Of an owner: the boot id alone, or after a prefix that marks its number as reaped. */
static struct span boot_of(struct span owner, bool *given_up)
{
	static const char word[] = "reaped:";
	size_t n = sizeof word - 1;

	*given_up = owner.n >= n && memcmp(owner.p, word, n) == 0;
	return *given_up ? span_of((const char *)owner.p + n, owner.n - n) : owner;
}

static void on_look(void *arg, enum err e, const redisReply *reply)
{
	struct asked_look *a = arg;
	struct edge_state s = {0};

	if (e == OK) {
		struct redisReply **of = reply->element;

		s.held = of[0]->integer == 1;
		s.rows = of[1]->integer;
		s.pending = of[2]->integer;
		s.due = of[3]->integer > 0;
		s.synced = span_of(of[4]->str, of[4]->len);
		s.boot = boot_of(span_of(of[5]->str, of[5]->len), &s.given_up);
		s.present = of[6]->integer == 1;
	}
	a->fn(a->arg, e, e == OK ? &s : NULL);
	ask_free(a);
}

/* ---- reap ---- */

void store_edge_reap(struct store *st, uint16_t number, int most, const char *reason,
		     store_reap_fn *fn, void *arg)
{
	struct asked_reap *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};
	json_t *text = json_text_new(span_str(reason));
	char *json = json_dumps(text, JSON_ENCODE_ANY);

	a->fn = fn;
	a->arg = arg;
	add_keys(&w, number);
	words_number(&w, most);
	words_text(&w, json);
	words_number(&w, number);
	words_eval(&w, &script_edge_reap, on_reap, a);
	free(json);
	json_decref(text);
}

/* reply: a word, or how many were moved, how many are left, whether it was the first such call, and the owner */
static void on_reap(void *arg, enum err e, const redisReply *reply)
{
	struct asked_reap *a = arg;
	struct edge_reaped r = {0};
	bool given_up;

	if (e == OK && reply->type != REDIS_REPLY_ARRAY) {
		e = ask_word(reply);
	} else if (e == OK) {
		r.n = reply->element[0]->integer;
		r.left = reply->element[1]->integer;
		r.first = reply->element[2]->integer == 1;
		r.boot = boot_of(span_of(reply->element[3]->str, reply->element[3]->len),
				 &given_up);
	}
	a->fn(a->arg, e, e == OK ? &r : NULL);
	ask_free(a);
}

/* ---- fence, synced, forget ---- */

void store_edge_fence(struct store *st, uint16_t number, const char *boot,
		      store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_lease, number);
	words_key(&w, keys_owner, number);
	words_text(&w, boot);
	words_number(&w, KEYS_OWNER_MS);
	words_eval(&w, &script_edge_fence, ask_on_said, ask_done_new(st, fn, arg));
}

void store_edge_synced(struct store *st, uint16_t number, const char *cluster,
		       store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_synced, number);
	words_text(&w, cluster);
	words_call(&w, "SET", ask_on_said, ask_done_new(st, fn, arg));
}

void store_edge_forget(struct store *st, uint16_t number, store_done_fn *fn, void *arg)
{
	struct asked_forget *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->number = number;
	add_keys(&w, number);
	words_key(&w, keys_synced, number);
	words_key(&w, keys_presence, number);
	words_number(&w, KEYS_OWNER_MS);
	words_eval(&w, &script_edge_forget, on_forget, a);
}

static void forget_ends(struct asked_forget *a, enum err e)
{
	a->fn(a->arg, e);
	ask_free(a);
}

/* If an edge acquires the number between the two commands, its next renewal adds it again. */
static void on_forget(void *arg, enum err e, const redisReply *reply)
{
	struct asked_forget *a = arg;
	struct words w = {.store = a->ask.store};

	if (e == OK)
		e = ask_word(reply);
	if (e != OK) {
		forget_ends(a, e);
		return;
	}
	words_shared_key(&w, keys_edges);
	words_number(&w, a->number);
	words_call(&w, "SREM", on_off_list, a);
}

/* If a dead letter is retried just now, nothing would add the number again. */
static void on_off_list(void *arg, enum err e, const redisReply *reply)
{
	struct asked_forget *a = arg;
	struct words w = {.store = a->ask.store};

	(void)reply;
	if (e != OK) {
		forget_ends(a, e);
		return;
	}
	words_key(&w, keys_disconnects, a->number);
	words_call(&w, "EXISTS", on_checked_pending, a);
}

static void on_checked_pending(void *arg, enum err e, const redisReply *reply)
{
	struct asked_forget *a = arg;

	if (e == OK && reply->integer > 0) {
		edges_note(a->ask.store, a->number);
		e = ERR_DENIED;
	}
	forget_ends(a, e);
}
