#include "store/leases.h"

#include "base/mem.h"
#include "store/ask.h"
#include "store/keys.h"
#include "store/scripts.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
	TRIES_MOST = 64
}; /* with 30,000 edges, 64 candidates are all taken once in 10^21 times */

struct taking {
	struct ask ask;
	store_lease_fn *fn;
	void *arg;
	int64_t ttl_ms;
	uint16_t wanted, number;
	unsigned tries;
	char boot[];
};

struct asked_done {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	uint16_t number;
};

struct asked_holder {
	struct ask ask;
	store_holder_fn *fn;
	void *arg;
};

struct asked_edges {
	struct ask ask;
	store_edges_fn *fn;
	void *arg;
};

static void take_next(struct taking *t);
static void on_take(void *arg, enum err e, const redisReply *reply);
static void on_word(void *arg, enum err e, const redisReply *reply);
static void on_holder(void *arg, enum err e, const redisReply *reply);
static void on_edges(void *arg, enum err e, const redisReply *reply);
static void on_forget(void *arg, enum err e, const redisReply *reply);

/* What the scripts answer. */
static enum err word_err(const redisReply *reply)
{
	struct span word = span_of(reply->str, reply->len);

	if (span_is(word, "ok"))
		return OK;
	return span_is(word, "gone") ? ERR_NOTFOUND : ERR_DENIED; /* "held", "rows" */
}

static void on_nothing(void *arg, enum err e, const redisReply *reply)
{
	(void)arg;
	(void)e;
	(void)reply;
}

/* Before the number is held, so that no held number is ever unknown to the reaper. */
static void note_edge(struct store *st, uint16_t number)
{
	char key[KEYS_TEXT], text[8];

	snprintf(text, sizeof text, "%u", number);
	redis_words(st->redis, on_nothing, NULL, "SADD", keys_edges(st->prefix, key),
		    text, NULL);
}

/* ---- take ---- */

void store_lease_take(struct store *st, const char *boot, uint16_t wanted, int64_t ttl_ms,
		      store_lease_fn *fn, void *arg)
{
	size_t n = strlen(boot);
	struct taking *t = ask_new(st, sizeof *t + n + 1);

	t->fn = fn;
	t->arg = arg;
	t->ttl_ms = ttl_ms;
	t->wanted = wanted;
	memcpy(t->boot, boot, n);
	take_next(t);
}

/* A boot id always tries the same numbers in the same order, whoever asks for it. */
static uint16_t candidate(const struct taking *t)
{
	uint64_t h = XXH3_64bits_withSeed(t->boot, strlen(t->boot), t->tries);

	return t->wanted != 0 ? t->wanted : (uint16_t)(h % UINT16_MAX + 1);
}

static void take_next(struct taking *t)
{
	struct store *st = t->ask.store;
	char lease[KEYS_TEXT], owner[KEYS_TEXT], rows[KEYS_TEXT], ttl[24];

	t->number = candidate(t);
	t->tries++;
	snprintf(ttl, sizeof ttl, "%" PRId64, t->ttl_ms);
	note_edge(st, t->number);
	redis_eval(st->redis, &script_lease_take, on_take, t, 3, 5,
		   (const char *[]){keys_lease(st->prefix, t->number, lease),
				    keys_owner(st->prefix, t->number, owner),
				    keys_connections(st->prefix, t->number, rows),
				    t->boot, ttl},
		   NULL);
}

static void on_take(void *arg, enum err e, const redisReply *reply)
{
	struct taking *t = arg;

	if (e == OK)
		e = word_err(reply);
	if (e == ERR_DENIED && t->wanted == 0) {
		if (t->tries < TRIES_MOST) {
			take_next(t);
			return;
		}
		e = ERR_BUSY;
	}
	t->fn(t->arg, e, e == OK ? t->number : 0);
	ask_free(t);
}

/* ---- renew, drop ---- */

static struct asked_done *done_new(struct store *st, uint16_t number, store_done_fn *fn,
				   void *arg)
{
	struct asked_done *a = ask_new(st, sizeof *a);

	a->fn = fn;
	a->arg = arg;
	a->number = number;
	return a;
}

void store_lease_renew(struct store *st, uint16_t number, const char *boot,
		       int64_t ttl_ms, store_done_fn *fn, void *arg)
{
	char lease[KEYS_TEXT], owner[KEYS_TEXT], ttl[24];

	snprintf(ttl, sizeof ttl, "%" PRId64, ttl_ms);
	redis_eval(st->redis, &script_lease_renew, on_word, done_new(st, number, fn, arg),
		   2, 4,
		   (const char *[]){keys_lease(st->prefix, number, lease),
				    keys_owner(st->prefix, number, owner), boot, ttl},
		   NULL);
	note_edge(
		st,
		number); /* Redis may have lost it, or a reaper have forgotten it just now */
}

void store_lease_drop(struct store *st, uint16_t number, const char *boot,
		      store_done_fn *fn, void *arg)
{
	char lease[KEYS_TEXT];

	redis_eval(st->redis, &script_lease_drop, on_word, done_new(st, number, fn, arg),
		   1, 2, (const char *[]){keys_lease(st->prefix, number, lease), boot},
		   NULL);
}

static void on_word(void *arg, enum err e, const redisReply *reply)
{
	struct asked_done *a = arg;

	a->fn(a->arg, e == OK ? word_err(reply) : e);
	ask_free(a);
}

/* ---- find, list ---- */

void store_lease_find(struct store *st, uint16_t number, store_holder_fn *fn, void *arg)
{
	struct asked_holder *a = ask_new(st, sizeof *a);
	char lease[KEYS_TEXT];

	a->fn = fn;
	a->arg = arg;
	redis_words(st->redis, on_holder, a, "GET", keys_lease(st->prefix, number, lease),
		    NULL);
}

static void on_holder(void *arg, enum err e, const redisReply *reply)
{
	struct asked_holder *a = arg;

	if (e == OK && reply->type == REDIS_REPLY_NIL)
		e = ERR_NOTFOUND;
	a->fn(a->arg, e, e == OK ? span_of(reply->str, reply->len) : (struct span){0});
	ask_free(a);
}

void store_edges_list(struct store *st, store_edges_fn *fn, void *arg)
{
	struct asked_edges *a = ask_new(st, sizeof *a);
	char edges[KEYS_TEXT];

	a->fn = fn;
	a->arg = arg;
	redis_words(st->redis, on_edges, a, "SMEMBERS", keys_edges(st->prefix, edges),
		    NULL);
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

/* ---- forget ---- */

void store_edge_forget(struct store *st, uint16_t number, store_done_fn *fn, void *arg)
{
	char lease[KEYS_TEXT], owner[KEYS_TEXT], rows[KEYS_TEXT], remember[24];

	snprintf(remember, sizeof remember, "%d", KEYS_OWNER_MS);
	redis_eval(st->redis, &script_edge_forget, on_forget,
		   done_new(st, number, fn, arg), 3, 4,
		   (const char *[]){keys_lease(st->prefix, number, lease),
				    keys_owner(st->prefix, number, owner),
				    keys_connections(st->prefix, number, rows), remember},
		   NULL);
}

/* Should somebody take the number between the two commands, its next renewal notes it again. */
static void on_forget(void *arg, enum err e, const redisReply *reply)
{
	struct asked_done *a = arg;
	struct store *st = a->ask.store;
	char edges[KEYS_TEXT], text[8];

	if (e == OK)
		e = word_err(reply);
	if (e == OK) {
		snprintf(text, sizeof text, "%u", a->number);
		redis_words(st->redis, on_nothing, NULL, "SREM",
			    keys_edges(st->prefix, edges), text, NULL);
	}
	a->fn(a->arg, e);
	ask_free(a);
}
