#include "fake_occupancy.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 64, ROWS = 8 };

enum kind { HOLD, RELEASE, READ, WRITE };

static struct question {
	enum kind kind;
	uint16_t shard;
	char channel[64];
	struct occupancy is;
	store_occupancy_hold_fn *hold;
	store_occupancy_fn *rows;
	store_done_fn *done;
	void *arg;
} waiting[MOST];
static size_t n_waiting;

static struct {
	char channel[64];
	struct occupancy is;
	bool is_there;
} rows[ROWS];
static size_t n_rows;
static bool is_ours[OCCUPANCY_SHARDS], is_others;

static struct question *ask(enum kind kind, uint16_t shard, void *arg)
{
	struct question *q = &waiting[n_waiting];

	cr_assert(n_waiting < MOST, "too many questions");
	n_waiting++;
	*q = (struct question){.kind = kind, .shard = shard, .arg = arg};
	return q;
}

size_t fake_occupancy_waiting(void)
{
	return n_waiting;
}

static struct question pop(void)
{
	struct question q = waiting[0];

	memmove(waiting, waiting + 1, --n_waiting * sizeof *waiting);
	return q;
}

static size_t find(const char *channel)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].channel, channel) == 0)
			return i;
	cr_assert(n_rows < ROWS);
	rows[n_rows].is_there = false;
	snprintf(rows[n_rows].channel, sizeof rows->channel, "%s", channel);
	return n_rows++;
}

void fake_occupancy_put(const char *channel, const struct occupancy *is)
{
	size_t i = find(channel);

	rows[i].is_there = is->is_occupied || is->is_pending;
	rows[i].is = *is;
}

const char *fake_occupancy_text(const char *channel)
{
	static char text[32];
	size_t i = find(channel);
	const char *state = rows[i].is.is_occupied ? "occupied" : "vacated";

	if (!rows[i].is_there)
		return "";
	if (!rows[i].is.is_pending)
		return state;
	snprintf(text, sizeof text, "%s %d", state, rows[i].is.tries);
	return text;
}

const char *fake_occupancy_event(const char *channel)
{
	return rows[find(channel)].is.event;
}

void fake_occupancy_keep(bool by_other)
{
	is_others = by_other;
	memset(is_ours, 0, sizeof is_ours);
}

size_t fake_occupancy_kept(void)
{
	size_t n = 0;

	for (size_t i = 0; i < OCCUPANCY_SHARDS; i++)
		n += is_ours[i];
	return n;
}

void fake_occupancy_clear(void)
{
	n_rows = 0;
	fake_occupancy_keep(false);
}

void fake_occupancy_close(void)
{
	fake_occupancy_clear();
	n_waiting = 0;
}

static void answer_read(const struct question *q)
{
	struct occupancy_row found[ROWS];
	size_t n = 0;

	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].is_there &&
		    store_occupancy_shard(span_str(rows[i].channel)) == q->shard)
			found[n++] = (struct occupancy_row){span_str(rows[i].channel),
							    rows[i].is};
	q->rows(q->arg, OK, found, n, 0);
}

static void answer(const struct question *q)
{
	bool was_ours = is_ours[q->shard];

	switch (q->kind) {
	case HOLD:
		is_ours[q->shard] = !is_others;
		q->hold(q->arg, is_others ? ERR_DENIED : OK, !is_others && !was_ours);
		break;
	case RELEASE:
		is_ours[q->shard] = false;
		q->done(q->arg, OK);
		break;
	case READ: answer_read(q); break;
	case WRITE:
		if (was_ours)
			fake_occupancy_put(q->channel, &q->is);
		q->done(q->arg, was_ours ? OK : ERR_DENIED);
		break;
	}
}

void fake_occupancy_answer(void)
{
	while (n_waiting > 0) {
		struct question q = pop();

		answer(&q);
	}
}

void fake_occupancy_fail(enum err e)
{
	for (size_t n = n_waiting; n > 0; n--) {
		struct question q = pop();

		if (q.kind == HOLD)
			q.hold(q.arg, e, false);
		else if (q.kind == READ)
			q.rows(q.arg, e, NULL, 0, 0);
		else
			q.done(q.arg, e);
	}
}

/* ---- the store ---- */

uint16_t store_occupancy_shard(struct span channel)
{
	return channel.p[channel.n - 1] % OCCUPANCY_SHARDS;
}

void store_occupancy_hold(struct store *st, uint16_t shard, const char *boot,
			  int64_t ttl_ms, store_occupancy_hold_fn *fn, void *arg)
{
	(void)st;
	(void)ttl_ms;
	cr_assert(strlen(boot) == 16);
	ask(HOLD, shard, arg)->hold = fn;
}

void store_occupancy_release(struct store *st, uint16_t shard, const char *boot,
			     store_done_fn *fn, void *arg)
{
	(void)st;
	(void)boot;
	ask(RELEASE, shard, arg)->done = fn;
}

void store_occupancy_read(struct store *st, uint16_t shard, uint64_t cursor,
			  store_occupancy_fn *fn, void *arg)
{
	(void)st;
	cr_assert(cursor == 0);
	ask(READ, shard, arg)->rows = fn;
}

void store_occupancy_write(struct store *st, const char *boot, struct span channel,
			   const struct occupancy *is, store_done_fn *fn, void *arg)
{
	struct question *q = ask(WRITE, store_occupancy_shard(channel), arg);

	(void)st;
	(void)boot;
	q->done = fn;
	q->is = *is;
	snprintf(q->channel, sizeof q->channel, "%.*s", SPAN_ARG(channel));
}
