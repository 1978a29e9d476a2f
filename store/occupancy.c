#include "store/occupancy.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/keys.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { AT_ONCE = 500, TEXT = 128 };

struct asked_hold {
	struct ask ask;
	store_occupancy_hold_fn *fn;
	void *arg;
};

struct asked_rows {
	struct ask ask;
	store_occupancy_fn *fn;
	void *arg;
	uint16_t shard;
};

static void on_hold(void *arg, enum err e, const redisReply *reply);
static void on_rows(void *arg, enum err e, const redisReply *reply);

uint16_t store_occupancy_shard(struct span channel)
{
	return (uint16_t)(XXH3_64bits(channel.p, channel.n) % OCCUPANCY_SHARDS);
}

/* ---- the text: "occupied", "occupied EVENT TIME TRIES", or that and " OFFSET EPOCH" ---- */

static void write_text(const struct occupancy *is, char out[TEXT])
{
	const char *state = is->is_occupied ? "occupied" : "vacated";

	if (!is->is_pending)
		snprintf(out, TEXT, "%s", is->is_occupied ? state : "");
	else if (is->epoch[0] == '\0')
		snprintf(out, TEXT, "%s %s %lld %d", state, is->event,
			 (long long)is->time_ms, is->tries);
	else
		snprintf(out, TEXT, "%s %s %lld %d %lld %s", state, is->event,
			 (long long)is->time_ms, is->tries, (long long)is->offset,
			 is->epoch);
}

static bool read_text(struct span text, struct occupancy *out)
{
	char copy[TEXT], state[9];
	long long time_ms = 0, offset = 0;
	int n;

	if (text.n >= sizeof copy)
		return false;
	snprintf(copy, sizeof copy, "%.*s", SPAN_ARG(text));
	*out = (struct occupancy){.is_occupied = false};
	n = sscanf(copy, "%8s %16s %18lld %6d %18lld %32s", state, out->event, &time_ms,
		   &out->tries, &offset, out->epoch);
	if (n != 1 && n != 4 && n != 6)
		return false;
	out->is_occupied = strcmp(state, "occupied") == 0;
	out->is_pending = n > 1;
	out->time_ms = time_ms;
	out->offset = offset;
	return out->is_occupied || (out->is_pending && strcmp(state, "vacated") == 0);
}

/* ---- the keeper ---- */

void store_occupancy_hold(struct store *st, uint16_t shard, const char *boot,
			  int64_t ttl_ms, store_occupancy_hold_fn *fn, void *arg)
{
	struct asked_hold *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_key(&w, keys_keeper, shard);
	words_text(&w, boot);
	words_number(&w, ttl_ms);
	words_eval(&w, &script_occupancy_hold, on_hold, a);
}

static void on_hold(void *arg, enum err e, const redisReply *reply)
{
	struct asked_hold *a = arg;
	bool is_new = e == OK && span_is(span_of(reply->str, reply->len), "new");

	if (e == OK && !is_new)
		e = ask_word(reply);
	a->fn(a->arg, e, is_new);
	ask_free(a);
}

void store_occupancy_release(struct store *st, uint16_t shard, const char *boot,
			     store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_keeper, shard);
	words_text(&w, boot);
	words_eval(&w, &script_occupancy_release, ask_on_word, ask_done_new(st, fn, arg));
}

/* ---- channels ---- */

void store_occupancy_read(struct store *st, uint16_t shard, uint64_t cursor,
			  store_occupancy_fn *fn, void *arg)
{
	struct asked_rows *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	a->shard = shard;
	words_key(&w, keys_occupancy, shard);
	words_scan(&w, cursor, AT_ONCE);
	words_call(&w, "HSCAN", on_rows, a);
}

static void log_unreadable(const struct asked_rows *a, struct span channel)
{
	char key[KEYS_TEXT];

	log_warn_flood("occupancy.unreadable",
		       S("key", keys_occupancy(a->ask.store->prefix, a->shard, key)),
		       B("channel", channel),
		       S("hint", "foreign, or of a later version: remove the field"));
}

/* pairs: channel, text, channel, text, … */
static void pass_rows(struct asked_rows *a, const redisReply *pairs, uint64_t next)
{
	size_t n = pairs->elements / 2, kept = 0;
	struct occupancy_row *rows = xcalloc(n + 1, sizeof *rows);

	for (size_t i = 0; i < n; i++) {
		const redisReply *name = pairs->element[2 * i],
				 *text = pairs->element[2 * i + 1];

		rows[kept].channel = reply_text(name);
		if (read_text(reply_text(text), &rows[kept].is))
			kept++;
		else
			log_unreadable(a, rows[kept].channel);
	}
	a->fn(a->arg, OK, rows, kept, next);
	free(rows);
}

static void on_rows(void *arg, enum err e, const redisReply *reply)
{
	struct asked_rows *a = arg;

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

void store_occupancy_write(struct store *st, const char *boot, struct span channel,
			   const struct occupancy *is, store_done_fn *fn, void *arg)
{
	uint16_t shard = store_occupancy_shard(channel);
	struct words w = {.store = st};
	char text[TEXT];

	write_text(is, text);
	words_key(&w, keys_keeper, shard);
	words_key(&w, keys_occupancy, shard);
	words_text(&w, boot);
	words_span(&w, channel);
	words_text(&w, text);
	words_eval(&w, &script_occupancy_write, ask_on_word, ask_done_new(st, fn, arg));
}
