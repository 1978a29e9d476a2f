#include "store/channels.h"

#include "base/mem.h"
#include "store/keys.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	TIME_DIGITS = 13, /* in front of each message in Redis */
	EVENTS_MS =
		5 * 60 * 1000, /* longer than an event can be under way between brokers */
};

struct asked_append {
	struct ask ask;
	store_append_fn *fn;
	void *arg;
};

struct asked_history {
	struct ask ask;
	store_history_fn *fn;
	void *arg;
};

static void on_append(void *arg, enum err e, const redisReply *reply);
static void on_history(void *arg, enum err e, const redisReply *reply);

static void add_look(struct words *w, const struct channel_look *look)
{
	words_span(w, look->generation);
	words_span(w, look->proposed);
	words_span(w, look->known.epoch);
	words_number(w, look->known.offset);
}

/* ---- append ---- */

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

/* "CONNECTION.INDEX": the first one of an event, which nearly all are, has no index. */
static void add_place(struct words *w, const struct channel_append *q)
{
	char text[64];

	if (q->index > 0)
		snprintf(text, sizeof text, "%.*s.%u", SPAN_ARG(q->from), q->index);
	else
		snprintf(text, sizeof text, "%.*s", SPAN_ARG(q->from));
	words_text(w, text);
}

void store_channel_append(struct store *st, const struct channel_append *q,
			  store_append_fn *fn, void *arg)
{
	struct asked_append *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};
	char text[64];

	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, q->look.channel, "position", (struct span){0});
	words_channel_key(&w, q->look.channel, "history", (struct span){0});
	words_channel_key(&w, q->look.channel, "key:", q->key);
	add_events_key(&w, q);
	add_look(&w, &q->look);
	snprintf(text, sizeof text, "%0*" PRId64, TIME_DIGITS, q->now_ms);
	words_text(&w, text);
	words_number(&w, q->key.n > 0 ? q->key_ttl_ms : 0);
	snprintf(text, sizeof text, "%" PRIu64, q->event);
	words_text(&w, q->from.n > 0 ? text : "");
	add_place(&w, q);
	words_number(&w, 2 * EVENTS_MS);
	snprintf(text, sizeof text, "%020" PRIu64, q->version);
	words_text(&w, q->has_version ? text : "");
	words_number(&w, q->size);
	words_number(&w, q->bytes);
	words_number(&w, q->look.ttl_ms);
	words_span(&w, q->message);
	words_eval(&w, &script_channel_append, on_append, a);
}

static enum channel_outcome outcome_of(struct span word)
{
	if (span_is(word, "repeated"))
		return CHANNEL_REPEATED;
	if (span_is(word, "duplicate"))
		return CHANNEL_DUPLICATE;
	return span_is(word, "suppressed") ? CHANNEL_SUPPRESSED : CHANNEL_APPENDED;
}

/* reply: what was done, epoch, offset, time */
static void on_append(void *arg, enum err e, const redisReply *reply)
{
	struct asked_append *a = arg;

	if (e == OK)
		a->fn(a->arg, OK,
		      &(struct channel_appended){
			      .outcome = outcome_of(reply_text(reply->element[0])),
			      .position = {reply_text(reply->element[1]),
					   reply->element[2]->integer},
			      .time_ms = reply->element[3]->integer,
		      });
	else
		a->fn(a->arg, e, NULL);
	ask_free(a);
}

/* ---- read, clear ---- */

void store_channel_read(struct store *st, const struct channel_read *q,
			store_history_fn *fn, void *arg)
{
	struct asked_history *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, q->look.channel, "position", (struct span){0});
	words_channel_key(&w, q->look.channel, "history", (struct span){0});
	add_look(&w, &q->look);
	words_number(&w, q->look.ttl_ms);
	words_number(&w, q->after);
	words_number(&w, q->until);
	words_number(&w, q->limit);
	words_number(&w, q->bytes);
	words_text(&w, q->newest ? "newest" : "oldest");
	words_eval(&w, &script_channel_read, on_history, a);
}

static struct channel_message message_of(const redisReply *r)
{
	struct channel_message m = {0};

	if (r->len < TIME_DIGITS) /* somebody else's */
		return m;
	for (size_t i = 0; i < TIME_DIGITS; i++)
		m.time_ms = 10 * m.time_ms + (r->str[i] - '0');
	m.message = span_of(r->str + TIME_DIGITS, r->len - TIME_DIGITS);
	return m;
}

/* reply: epoch, offset, base, offset of the first, {time and message…} */
static void on_history(void *arg, enum err e, const redisReply *reply)
{
	struct asked_history *a = arg;
	struct channel_message *all;
	const redisReply *found;

	if (e != OK) {
		a->fn(a->arg, e, NULL);
		ask_free(a);
		return;
	}
	found = reply->element[4];
	all = xcalloc(found->elements, sizeof *all);
	for (size_t i = 0; i < found->elements; i++)
		all[i] = message_of(found->element[i]);
	a->fn(a->arg, OK,
	      &(struct channel_history){
		      .position = {reply_text(reply->element[0]),
				   reply->element[1]->integer},
		      .base = reply->element[2]->integer,
		      .first = reply->element[3]->integer,
		      .messages = all,
		      .n = found->elements,
	      });
	free(all);
	ask_free(a);
}

void store_channel_clear(struct store *st, struct span channel, store_done_fn *fn,
			 void *arg)
{
	struct words w = {.store = st};

	words_channel_key(&w, channel, "history", (struct span){0});
	words_call(&w, "DEL", ask_on_said, ask_done_new(st, fn, arg));
}
