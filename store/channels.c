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

enum { TIME_DIGITS = 13 }; /* in front of each message in Redis */

struct asked_history {
	struct ask ask;
	store_history_fn *fn;
	void *arg;
};

static void on_history(void *arg, enum err e, const redisReply *reply);

static void add_look(struct words *w, const struct channel_look *look)
{
	words_span(w, look->generation);
	words_span(w, look->proposed);
	words_span(w, look->known.epoch);
	words_number(w, look->known.offset);
}

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
