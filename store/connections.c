#include "store/connections.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/keys.h"
#include "store/reply.h"
#include "store/row.h"
#include "store/scripts.h"
#include "store/users.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum {
	ROWS_AT_ONCE = 500,  /* per command, so that none keeps Redis for long */
	USERS_AT_ONCE = 100, /* commands without a reply, so that others have room, too */
};

struct asked_put {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
	size_t left; /* commands without a reply */
	enum err err;
	size_t n_owned, at_owned;
	char owned
		[]; /* user, id, user, id, … of the rows that have a user, each with its length before it */
};

struct asked_row {
	struct ask ask;
	store_connection_fn *fn;
	void *arg;
	struct connection_row row;
	char id[];
};

struct asked_scan {
	struct ask ask;
	store_scan_fn *fn;
	void *arg;
	uint16_t edge;
};

static void put_some(struct asked_put *a, uint16_t edge, const char *boot,
		     const struct connection_row *rows, size_t n);
static size_t room_of_users(const struct connection_row *rows, size_t n);
static void own_users(struct asked_put *a, const struct connection_row *rows, size_t n);
static void put_next_user(struct asked_put *a);
static void on_put(void *arg, enum err e, const redisReply *reply);
static void on_user_put(void *arg, enum err e, const redisReply *reply);
static void on_found(void *arg, enum err e, const redisReply *reply);
static void on_scanned(void *arg, enum err e, const redisReply *reply);

/* ---- put ---- */

void store_connection_put(struct store *st, const char *boot,
			  const struct connection_row *row, store_done_fn *fn, void *arg)
{
	store_connection_put_many(st, row->edge, boot, row, 1, fn, arg);
}

void store_connection_put_many(struct store *st, uint16_t edge, const char *boot,
			       const struct connection_row *rows, size_t n,
			       store_done_fn *fn, void *arg)
{
	struct asked_put *a = ask_new(st, sizeof *a + room_of_users(rows, n));

	a->fn = fn;
	a->arg = arg;
	if (n == 0) /* nothing to put: the answer is whether one might */
		put_some(a, edge, boot, rows, 0);
	for (size_t i = 0; i < n; i += ROWS_AT_ONCE)
		put_some(a, edge, boot, rows + i,
			 n - i < ROWS_AT_ONCE ? n - i : ROWS_AT_ONCE);
	own_users(a, rows, n);
	for (size_t i = 0; i < USERS_AT_ONCE; i++)
		put_next_user(a);
}

static void put_some(struct asked_put *a, uint16_t edge, const char *boot,
		     const struct connection_row *rows, size_t n)
{
	struct words w = {.store = a->ask.store};

	words_key(&w, keys_owner, edge);
	words_key(&w, keys_connections, edge);
	words_key(&w, keys_disconnects, edge);
	words_text(&w, boot);
	for (size_t i = 0; i < n; i++) {
		char *json = row_write(&rows[i]);

		words_span(&w, rows[i].id);
		words_text(&w, json);
		free(json);
	}
	a->left++;
	words_eval(&w, &script_connections_put, on_put, a);
}

/* Lengths have a byte: users and ids have at most 255. */
static void own_text(struct asked_put *a, struct span text)
{
	a->owned[a->n_owned++] = (char)(uint8_t)text.n;
	memcpy(a->owned + a->n_owned, text.p, text.n);
	a->n_owned += text.n;
}

static struct span next_text(struct asked_put *a)
{
	size_t n = (uint8_t)a->owned[a->at_owned++];
	struct span text = span_of(a->owned + a->at_owned, n);

	a->at_owned += n;
	return text;
}

static size_t room_of_users(const struct connection_row *rows, size_t n)
{
	size_t room = 0;

	for (size_t i = 0; i < n; i++)
		room += users_may_be(rows[i].user) ? rows[i].user.n + rows[i].id.n + 2
						   : 0;
	return room;
}

/* The rows live until the call returns alone. */
static void own_users(struct asked_put *a, const struct connection_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (users_may_be(rows[i].user)) {
			own_text(a, rows[i].user);
			own_text(a, rows[i].id);
		}
}

/* Whose it is. After the row: who reads an id without a row forgets it. */
static void put_next_user(struct asked_put *a)
{
	struct words w = {.store = a->ask.store};

	if (a->at_owned == a->n_owned)
		return;
	words_channel_key(&w, next_text(a), "ids", (struct span){0});
	words_span(&w, next_text(a));
	a->left++;
	words_call(&w, "SADD", on_user_put, a);
}

static void end_put(struct asked_put *a, enum err e)
{
	if (a->err == OK)
		a->err = e;
	if (--a->left > 0)
		return;
	a->fn(a->arg, a->err);
	ask_free(a);
}

static void on_put(void *arg, enum err e, const redisReply *reply)
{
	end_put(arg, e == OK ? ask_word(reply) : e);
}

static void on_user_put(void *arg, enum err e, const redisReply *reply)
{
	(void)reply;
	if (e == OK)
		put_next_user(arg);
	end_put(arg, e);
}

/* ---- remove, sweep ---- */

void store_connection_remove(struct store *st, uint16_t edge, struct span id,
			     store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_connections, edge);
	words_key(&w, keys_disconnects, edge);
	words_key(&w, keys_due, edge);
	words_span(&w, id);
	words_eval(&w, &script_connection_remove, ask_on_word, ask_done_new(st, fn, arg));
}

void store_connection_sweep(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_connections, edge);
	words_text(&w, ""); /* no row has this id, and HDEL wants one */
	for (size_t i = 0; i < n; i++)
		words_span(&w, ids[i]);
	words_call(&w, "HDEL", ask_on_said, ask_done_new(st, fn, arg));
}

/* ---- find ---- */

void store_connection_find(struct store *st, uint16_t edge, struct span id,
			   store_connection_fn *fn, void *arg)
{
	struct asked_row *a = ask_new(st, sizeof *a + id.n);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	memcpy(a->id, id.p, id.n);
	a->row.id = span_of(a->id, id.n);
	a->row.edge = edge;
	words_key(&w, keys_connections, edge);
	words_span(&w, id);
	words_call(&w, "HGET", on_found, a);
}

/* The log line for a foreign row. */
static enum err read_row(struct store *st, const redisReply *json,
			 struct connection_row *row, json_t **keep)
{
	char key[KEYS_TEXT];
	enum err e = row_read(span_of(json->str, json->len), row, keep);

	if (e != OK)
		log_warn_flood(
			"store.row",
			S("key", keys_connections(st->prefix, row->edge, key)),
			B("id", row->id), S("why", err_name(e)),
			S("hint", "foreign row: remove the field, or the whole key"));
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
	struct words w = {.store = st};

	words_key(&w, keys_connections, edge);
	words_call(&w, "HLEN", ask_on_count, ask_count_new(st, fn, arg));
}

/* ---- scan ---- */

void store_connection_scan(struct store *st, uint16_t edge, uint64_t cursor,
			   store_scan_fn *fn, void *arg)
{
	struct asked_scan *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->edge = edge;
	words_key(&w, keys_connections, edge);
	words_scan(&w, cursor, ROWS_AT_ONCE);
	words_call(&w, "HSCAN", on_scanned, a);
}

/* pairs: id, JSON, id, JSON, … */
static void pass_rows(struct asked_scan *a, const redisReply *pairs, uint64_t next)
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

	const redisReply *found;
	uint64_t next;

	if (e == OK)
		e = reply_scan(reply, &found, &next);
	if (e == OK)
		pass_rows(a, found, next);
	else
		a->fn(a->arg, e, NULL, 0, 0);
	ask_free(a);
}
