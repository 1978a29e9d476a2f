#include "store/appends.h"

#include "base/mem.h"
#include "store/scripts.h"
#include "store/words.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
	MOST = 64,               /* appends of one call, */
	MOST_BYTES = 256 * 1024, /* and their bytes, but for the first's */
	MOST_SENT = 1,           /* batches under way */
	TIME_DIGITS = 13,        /* in front of each message in Redis */
	EVENTS_MS =
		5 * 60 * 1000, /* longer than an event can be under way between brokers */
	ANSWER_HEAD = 17,      /* of an append's answer: a letter, offset and time */
};

struct asked {
	store_append_fn *fn;
	void *arg;
	size_t key; /* the first of its keys in the batch */
	int keys;
};

struct call {
	struct batch *batch;
	size_t first, n; /* which appends of the batch */
};

/* What goes out together. */
struct batch {
	TAILQ_ENTRY(batch) next;
	struct appends *appends;
	struct words keys, args; /* an append has two args */
	struct asked asked[MOST];
	size_t n;
	struct call calls[MOST]; /* one; or one for each append */
	size_t unanswered;       /* calls under way */
};

TAILQ_HEAD(batches, batch);

struct appends {
	struct store *store;
	struct timer *next_turn;
	struct batches waiting, sent;
	size_t n_sent;
	bool is_alone; /* Redis takes one channel's keys in a call: it is a node of a cluster */
};

static void on_next_turn(void *arg);
static void on_reply(void *arg, enum err e, const redisReply *reply);

struct appends *appends_new(struct loop *l, struct store *st)
{
	struct appends *all = xcalloc(1, sizeof *all);

	all->store = st;
	all->next_turn = timer_new(l, on_next_turn, all);
	TAILQ_INIT(&all->waiting);
	TAILQ_INIT(&all->sent);
	return all;
}

static struct batch *batch_new(struct appends *all)
{
	struct batch *b = xcalloc(1, sizeof *b);

	b->appends = all;
	b->keys.store = b->args.store = all->store;
	TAILQ_INSERT_TAIL(&all->waiting, b, next);
	return b;
}

static void batch_free(struct batch *b)
{
	words_close(&b->keys);
	words_close(&b->args);
	free(b);
}

static void batches_free(struct batches *all)
{
	struct batch *b;

	while ((b = TAILQ_FIRST(all)) != NULL) {
		TAILQ_REMOVE(all, b, next);
		batch_free(b);
	}
}

void appends_free(struct appends *all)
{
	timer_free(all->next_turn);
	batches_free(&all->waiting);
	batches_free(&all->sent);
	free(all);
}

/* ---- words ---- */

/*
 * What events have published is kept by period, so that whole periods expire. The period is that of
 * the event: however often it is sent, and by whichever broker, it looks in the same place.
 */
static void add_events_key(struct words *w, const struct channel_append *q)
{
	char period[24];

	snprintf(period, sizeof period, "%" PRId64, q->event_ms / EVENTS_MS);
	words_channel_key(w, q->look.channel, "events:", span_str(period));
}

static int add_keys(struct words *w, const struct channel_append *q)
{
	int before = w->keys;

	words_channel_key(w, q->look.channel, "position", (struct span){0});
	words_channel_key(w, q->look.channel, "history", (struct span){0});
	if (q->from.n > 0)
		add_events_key(w, q);
	if (q->key.n > 0)
		words_channel_key(w, q->look.channel, "key:", q->key);
	return w->keys - before;
}

/* As struct.pack's >I8 writes it. */
static void pack_number(struct words *w, int64_t v)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((uint64_t)v >> (8 * (sizeof bytes - 1 - i)));
	words_extend(w, span_of(bytes, sizeof bytes));
}

/* As struct.unpack's Bc0 reads it. */
static void pack_span(struct words *w, struct span s)
{
	assert(s.n <= UINT8_MAX);
	words_extend(w, span_of(&(uint8_t){(uint8_t)s.n}, 1));
	words_extend(w, s);
}

static void pack_text(struct words *w, const char *text)
{
	pack_span(w, span_str(text));
}

/* Its number, and "CONNECTION.INDEX": the first one of an event, which nearly all are, has no index. */
static void pack_event(struct words *w, const struct channel_append *q)
{
	char text[64];

	snprintf(text, sizeof text, "%" PRIu64, q->event);
	pack_text(w, q->from.n > 0 ? text : "");
	if (q->index > 0)
		snprintf(text, sizeof text, "%.*s.%u", SPAN_ARG(q->from), q->index);
	else
		snprintf(text, sizeof text, "%.*s", SPAN_ARG(q->from));
	pack_text(w, text);
}

static void add_args(struct words *w, const struct channel_append *q, int keys)
{
	char text[64];

	words_span(w, span_of(&(uint8_t){(uint8_t)keys}, 1));
	pack_number(w, q->size);
	pack_number(w, q->bytes);
	pack_number(w, q->look.ttl_ms);
	pack_number(w, q->key.n > 0 ? q->key_ttl_ms : 0);
	pack_number(w, 2 * EVENTS_MS);
	pack_number(w, q->look.known.offset);
	pack_span(w, q->look.known.epoch);
	pack_span(w, q->look.generation);
	pack_span(w, q->look.proposed);
	pack_event(w, q);
	snprintf(text, sizeof text, "%020" PRIu64, q->version);
	pack_text(w, q->has_version ? text : "");
	snprintf(text, sizeof text, "%0*" PRId64, TIME_DIGITS, q->now_ms);
	words_text(w, text);
	words_extend(w, q->message);
}

/* ---- what waits ---- */

static bool has_room(const struct batch *b, const struct channel_append *q)
{
	return b->n < MOST &&
	       b->keys.n_bytes + b->args.n_bytes + q->message.n <= MOST_BYTES;
}

static void batch_add(struct batch *b, const struct channel_append *q,
		      store_append_fn *fn, void *arg)
{
	struct asked *a = &b->asked[b->n++];

	*a = (struct asked){fn, arg, b->keys.n, add_keys(&b->keys, q)};
	add_args(&b->args, q, a->keys);
}

static void send_next(struct appends *all)
{
	if (all->n_sent < MOST_SENT && !TAILQ_EMPTY(&all->waiting))
		timer_after(all->next_turn, 0);
}

void store_channel_append(struct store *st, const struct channel_append *q,
			  store_append_fn *fn, void *arg)
{
	struct appends *all = st->appends;
	struct batch *b = TAILQ_LAST(&all->waiting, batches);

	if (b == NULL || !has_room(b, q))
		b = batch_new(all);
	batch_add(b, q, fn, arg);
	send_next(all);
}

/* ---- calls ---- */

static void call_send(struct call *c)
{
	struct batch *b = c->batch;
	struct words w = {.store = b->appends->store};

	for (size_t i = c->first; i < c->first + c->n; i++)
		w.keys += b->asked[i].keys;
	words_copy(&w, &b->keys, b->asked[c->first].key, (size_t)w.keys);
	words_copy(&w, &b->args, 2 * c->first, 2 * c->n);
	b->unanswered++;
	words_eval(&w, &script_channel_append, on_reply, c);
}

static void batch_send(struct batch *b)
{
	size_t n = b->appends->is_alone ? 1 : b->n;

	for (size_t i = 0; i < b->n; i += n) {
		b->calls[i] = (struct call){b, i, n};
		call_send(&b->calls[i]);
	}
}

static void on_next_turn(void *arg)
{
	struct appends *all = arg;
	struct batch *b;

	while (all->n_sent < MOST_SENT && (b = TAILQ_FIRST(&all->waiting)) != NULL) {
		TAILQ_REMOVE(&all->waiting, b, next);
		TAILQ_INSERT_TAIL(&all->sent, b, next);
		all->n_sent++;
		batch_send(b);
	}
}

/* ---- replies ---- */

static enum channel_outcome outcome_of(char letter)
{
	switch (letter) {
	case 'r': return CHANNEL_REPEATED;
	case 'd': return CHANNEL_DUPLICATE;
	case 's': return CHANNEL_SUPPRESSED;
	default: return CHANNEL_APPENDED;
	}
}

static int64_t number_at(const char *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (uint8_t)p[i];
	return (int64_t)v;
}

/* answer: as the script packs it, and a zero behind */
static void answer_one(const struct asked *a, const redisReply *answer)
{
	const char *p = answer->str;

	a->fn(a->arg, OK,
	      &(struct channel_appended){
		      .outcome = outcome_of(p[0]),
		      .position = {span_of(p + ANSWER_HEAD,
					   answer->len - ANSWER_HEAD - 1),
				   number_at(p + 1)},
		      .time_ms = number_at(p + 9),
	      });
}

/* answer: NULL unless e is OK; an error when this append alone has failed */
static void take_answer(const struct batch *b, size_t i, enum err e,
			const redisReply *answer)
{
	const struct asked *a = &b->asked[i];

	if (e == OK && answer->type == REDIS_REPLY_ERROR)
		e = redis_error_within(b->appends->store->redis, answer,
				       words_at(&b->keys, a->key));
	if (e == OK)
		answer_one(a, answer);
	else
		a->fn(a->arg, e, NULL);
}

/* None of those that wait was sent: Redis would not answer them either. */
static void fail_waiting(struct appends *all)
{
	struct batches lost = TAILQ_HEAD_INITIALIZER(lost);

	TAILQ_CONCAT(&lost, &all->waiting, next);
	for (const struct batch *b = TAILQ_FIRST(&lost); b != NULL;
	     b = TAILQ_NEXT(b, next))
		for (size_t i = 0; i < b->n; i++)
			take_answer(b, i, ERR_DOWN, NULL);
	batches_free(&lost);
}

static void batch_end(struct batch *b, enum err e)
{
	struct appends *all = b->appends;

	TAILQ_REMOVE(&all->sent, b, next);
	all->n_sent--;
	batch_free(b);
	if (e == ERR_DOWN)
		fail_waiting(all);
	send_next(all);
}

/* reply: an answer for each append of the call */
static void on_reply(void *arg, enum err e, const redisReply *reply)
{
	const struct call *c = arg;
	struct batch *b = c->batch;

	b->unanswered--;
	if (e == ERR_DENIED && c->n > 1) { /* nothing was done */
		b->appends->is_alone = true;
		batch_send(b);
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		take_answer(b, c->first + i, e, e == OK ? reply->element[i] : NULL);
	if (b->unanswered == 0)
		batch_end(b, e);
}
