#include "store/connections.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/ask.h"
#include "store/keys.h"
#include "store/row.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS_AT_ONCE = 500 }; /* per command, so that none keeps Redis for long */

struct asked_put {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	size_t left; /* commands without a reply */
	enum err err;
};

struct asked_row {
	struct ask ask;
	store_connection_fn *fn;
	void *arg;
	struct connection_row row;
	char id[];
};

struct asked_count {
	struct ask ask;
	store_count_fn *fn;
	void *arg;
};

struct asked_scan {
	struct ask ask;
	store_scan_fn *fn;
	void *arg;
	uint16_t edge;
};

static void put_some(struct asked_put *a, const char *key,
		     const struct connection_row *rows, size_t n);
static void on_put(void *arg, enum err e, const redisReply *reply);
static void on_removed(void *arg, enum err e, const redisReply *reply);
static void on_found(void *arg, enum err e, const redisReply *reply);
static void on_counted(void *arg, enum err e, const redisReply *reply);
static void on_scanned(void *arg, enum err e, const redisReply *reply);

/* ---- put ---- */

void store_connection_put(struct store *st, const struct connection_row *row,
			  store_done_fn *fn, void *arg)
{
	store_connection_put_many(st, row->edge, row, 1, fn, arg);
}

void store_connection_put_many(struct store *st, uint16_t edge,
			       const struct connection_row *rows, size_t n,
			       store_done_fn *fn, void *arg)
{
	struct asked_put *a = ask_new(st, sizeof *a);
	char key[KEYS_TEXT];

	a->fn = fn;
	a->arg = arg;
	keys_connections(st->prefix, edge, key);
	if (n == 0) { /* nothing to put: the answer is whether Redis is there */
		a->left++;
		redis_words(st->redis, on_put, a, "HLEN", key, NULL);
	}
	for (size_t i = 0; i < n; i += ROWS_AT_ONCE)
		put_some(a, key, rows + i, n - i < ROWS_AT_ONCE ? n - i : ROWS_AT_ONCE);
}

static void put_some(struct asked_put *a, const char *key,
		     const struct connection_row *rows, size_t n)
{
	size_t words = 2 + 2 * n;
	const char **argv = xcalloc(words, sizeof *argv);
	size_t *lens = xcalloc(words, sizeof *lens);
	char **json = xcalloc(n, sizeof *json);

	argv[0] = "HSET";
	argv[1] = key;
	for (size_t i = 0; i < n; i++) {
		json[i] = row_write(&rows[i]);
		argv[2 + 2 * i] = (const char *)rows[i].id.p;
		lens[2 + 2 * i] = rows[i].id.n;
		argv[3 + 2 * i] = json[i];
	}
	for (size_t i = 0; i < words; i++)
		if (i < 2 || i % 2 == 1)
			lens[i] = strlen(argv[i]);
	a->left++;
	redis_call(a->ask.store->redis, on_put, a, (int)words, argv, lens);
	for (size_t i = 0; i < n; i++)
		free(json[i]);
	free(json);
	free(lens);
	free(argv);
}

static void on_put(void *arg, enum err e, const redisReply *reply)
{
	struct asked_put *a = arg;

	(void)reply;
	if (a->err == OK)
		a->err = e;
	if (--a->left > 0)
		return;
	a->fn(a->arg, a->err);
	ask_free(a);
}

/* ---- remove ---- */

void store_connection_remove(struct store *st, uint16_t edge, struct span id,
			     store_done_fn *fn, void *arg)
{
	struct asked_put *a = ask_new(st, sizeof *a);
	char key[KEYS_TEXT];
	const char *argv[] = {"HDEL", keys_connections(st->prefix, edge, key),
			      (const char *)id.p};
	size_t lens[] = {4, strlen(key), id.n};

	a->fn = fn;
	a->arg = arg;
	redis_call(st->redis, on_removed, a, 3, argv, lens);
}

static void on_removed(void *arg, enum err e, const redisReply *reply)
{
	struct asked_put *a = arg;

	if (e == OK && reply->integer == 0)
		e = ERR_NOTFOUND;
	a->fn(a->arg, e);
	ask_free(a);
}

/* ---- find ---- */

void store_connection_find(struct store *st, uint16_t edge, struct span id,
			   store_connection_fn *fn, void *arg)
{
	struct asked_row *a = ask_new(st, sizeof *a + id.n);
	char key[KEYS_TEXT];
	const char *argv[] = {"HGET", keys_connections(st->prefix, edge, key),
			      (const char *)id.p};
	size_t lens[] = {4, strlen(key), id.n};

	a->fn = fn;
	a->arg = arg;
	memcpy(a->id, id.p, id.n);
	a->row.id = span_of(a->id, id.n);
	a->row.edge = edge;
	redis_call(st->redis, on_found, a, 3, argv, lens);
}

/* The log line for a row that somebody else has written. */
static enum err read_row(struct store *st, const redisReply *json,
			 struct connection_row *row, json_t **keep)
{
	char key[KEYS_TEXT];
	enum err e = row_read(span_of(json->str, json->len), row, keep);

	if (e != OK)
		log_warn_flood(
			"store.row",
			S("key", keys_connections(st->prefix, row->edge, key)),
			B("id", row->id), S("err", err_name(e)),
			S("todo",
			  "not a row of ours: remove the field, or the whole key"));
	return e;
}

static void on_found(void *arg, enum err e, const redisReply *reply)
{
	struct asked_row *a = arg;
	json_t *keep = NULL;

	if (e == OK && reply->type == REDIS_REPLY_NIL)
		e = ERR_NOTFOUND;
	if (e == OK)
		e = read_row(a->ask.store, reply, &a->row, &keep);
	a->fn(a->arg, e, e == OK ? &a->row : NULL);
	json_decref(keep);
	ask_free(a);
}

/* ---- count ---- */

void store_connection_count(struct store *st, uint16_t edge, store_count_fn *fn,
			    void *arg)
{
	struct asked_count *a = ask_new(st, sizeof *a);
	char key[KEYS_TEXT];

	a->fn = fn;
	a->arg = arg;
	redis_words(st->redis, on_counted, a, "HLEN",
		    keys_connections(st->prefix, edge, key), NULL);
}

static void on_counted(void *arg, enum err e, const redisReply *reply)
{
	struct asked_count *a = arg;

	a->fn(a->arg, e, e == OK ? reply->integer : 0);
	ask_free(a);
}

/* ---- scan ---- */

void store_connection_scan(struct store *st, uint16_t edge, uint64_t cursor,
			   store_scan_fn *fn, void *arg)
{
	struct asked_scan *a = ask_new(st, sizeof *a);
	char key[KEYS_TEXT], from[24], most[12];

	a->fn = fn;
	a->arg = arg;
	a->edge = edge;
	snprintf(from, sizeof from, "%" PRIu64, cursor);
	snprintf(most, sizeof most, "%d", ROWS_AT_ONCE);
	redis_words(st->redis, on_scanned, a, "HSCAN",
		    keys_connections(st->prefix, edge, key), from, "COUNT", most, NULL);
}

/* pairs: id, JSON, id, JSON, … */
static void give_rows(struct asked_scan *a, const redisReply *pairs, uint64_t next)
{
	size_t n = pairs->elements / 2;
	struct connection_row *rows = xcalloc(n + 1, sizeof *rows);
	json_t **keep = xcalloc(n + 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++) {
		const redisReply *id = pairs->element[2 * i];

		rows[i].id = span_of(id->str, id->len);
		rows[i].edge = a->edge;
		(void)!read_row(a->ask.store, pairs->element[2 * i + 1], &rows[i],
				&keep[i]);
	}
	a->fn(a->arg, OK, rows, n, next);
	for (size_t i = 0; i < n; i++)
		json_decref(keep[i]);
	free(keep);
	free(rows);
}

static void on_scanned(void *arg, enum err e, const redisReply *reply)
{
	struct asked_scan *a = arg;

	if (e == OK && reply->elements != 2)
		e = ERR_MALFORMED;
	if (e == OK)
		give_rows(a, reply->element[1],
			  strtoull(reply->element[0]->str, NULL, 10));
	else
		a->fn(a->arg, e, NULL, 0, 0);
	ask_free(a);
}
