#include "bench/fanout_book.h"

#include "base/mem.h"

#include <stdlib.h>

enum answer { UNANSWERED, ACKED, REFUSED };

struct publication {
	uint32_t channel, sequence;
	uint32_t missing; /* subscriptions that do not have it */
	uint8_t publisher;
	uint8_t answer;
	uint64_t offset; /* 0: not known, or none */
};

struct subscription {
	uint64_t offset; /* of the last message */
	bool with_offsets;
};

struct fanout_book {
	struct fanout_shape shape;
	struct fanout_counts counts;
	struct publication *publications;
	struct subscription *subscriptions;
	uint64_t *epochs; /* of each channel; 0: not known yet */
	uint32_t *sent;   /* last sequence by channel and publisher */
	uint32_t *got;    /* last sequence by subscription and publisher */
};

const char *fanout_trouble_name(enum fanout_trouble t)
{
	static const char *const names[FANOUT_TROUBLES] = {
		[FANOUT_LOST] = "lost",
		[FANOUT_DUPLICATE] = "duplicate",
		[FANOUT_REORDERED] = "out of order",
		[FANOUT_FOREIGN] = "wrong channel",
		[FANOUT_OFFSET] = "wrong offset",
		[FANOUT_EPOCH] = "wrong epoch",
		[FANOUT_UNASKED] = "not asked for",
		[FANOUT_REFUSED] = "error",
		[FANOUT_UNANSWERED] = "no answer",
		[FANOUT_RESETS] = "reset",
		[FANOUT_ENDED] = "unsubscribed",
		[FANOUT_CUT] = "disconnected",
	};

	return names[t];
}

struct fanout_book *fanout_book_new(const struct fanout_shape *shape)
{
	struct fanout_book *b = xcalloc(1, sizeof *b);
	size_t subscriptions = (size_t)shape->channels * shape->subscribers;

	b->shape = *shape;
	b->publications = xcalloc(shape->publications + 1u, sizeof *b->publications);
	b->subscriptions = xcalloc(subscriptions, sizeof *b->subscriptions);
	b->epochs = xcalloc(shape->channels, sizeof *b->epochs);
	b->sent =
		xcalloc((size_t)shape->channels * shape->publishers + 1, sizeof *b->sent);
	b->got = xcalloc(subscriptions * shape->publishers + 1, sizeof *b->got);
	return b;
}

void fanout_book_free(struct fanout_book *b)
{
	free(b->publications);
	free(b->subscriptions);
	free(b->epochs);
	free(b->sent);
	free(b->got);
	free(b);
}

void fanout_book_trouble(struct fanout_book *b, enum fanout_trouble t)
{
	b->counts.troubles[t]++;
}

void fanout_book_publish(struct fanout_book *b, struct fanout_mark *m)
{
	m->number = (uint32_t)b->counts.published++;
	m->sequence = ++b->sent[m->channel * b->shape.publishers + m->publisher];
	b->publications[m->number] = (struct publication){
		.channel = m->channel,
		.sequence = m->sequence,
		.missing = b->shape.subscribers,
		.publisher = (uint8_t)m->publisher,
	};
	b->counts.in_flight++;
}

static void check_epoch(struct fanout_book *b, uint32_t channel, uint64_t epoch)
{
	if (epoch == 0)
		return;
	if (b->epochs[channel] != 0 && b->epochs[channel] != epoch)
		fanout_book_trouble(b, FANOUT_EPOCH);
	b->epochs[channel] = epoch;
}

void fanout_book_subscribed(struct fanout_book *b, uint32_t subscription, uint64_t epoch,
			    uint64_t offset)
{
	check_epoch(b, subscription / b->shape.subscribers, epoch);
	b->subscriptions[subscription] = (struct subscription){offset, epoch != 0};
}

static void check_offset(struct fanout_book *b, struct publication *p, uint64_t offset)
{
	if (p->offset != 0 && offset != p->offset)
		fanout_book_trouble(b, FANOUT_OFFSET);
	p->offset = offset;
}

static bool is_known(const struct fanout_book *b, uint32_t channel,
		     const struct fanout_mark *m)
{
	if (m->number >= b->counts.published)
		return false;

	const struct publication *p = &b->publications[m->number];
	return m->channel == channel && p->channel == channel &&
	       p->sequence == m->sequence && p->publisher == m->publisher;
}

void fanout_book_message(struct fanout_book *b, uint32_t subscription,
			 const struct fanout_said *said)
{
	struct subscription *s = &b->subscriptions[subscription];
	const struct fanout_mark *m = &said->mark;
	uint32_t channel = subscription / b->shape.subscribers;

	if (!is_known(b, channel, m)) {
		fanout_book_trouble(b, FANOUT_FOREIGN);
		return;
	}

	struct publication *p = &b->publications[m->number];
	uint32_t *last = &b->got[subscription * b->shape.publishers + m->publisher];

	if (m->sequence <= *last) {
		fanout_book_trouble(b, m->sequence == *last ? FANOUT_DUPLICATE
							    : FANOUT_REORDERED);
		return;
	}
	*last = m->sequence;
	check_epoch(b, channel, said->epoch);
	if (s->with_offsets && said->offset != s->offset + 1)
		fanout_book_trouble(b, FANOUT_OFFSET);
	s->offset = said->offset;
	check_offset(b, p, said->offset);
	b->counts.delivered++;
	p->missing--;
	if (p->missing == 0 && p->answer != REFUSED)
		b->counts.in_flight--;
}

void fanout_book_answer(struct fanout_book *b, const struct fanout_said *said,
			bool refusals)
{
	struct publication *p = said->has_id && said->id < b->counts.published
					? &b->publications[said->id]
					: NULL;

	if (p == NULL || p->answer != UNANSWERED) {
		fanout_book_trouble(b, FANOUT_UNASKED);
		return;
	}
	if (said->kind == FANOUT_ACK) {
		p->answer = ACKED;
		b->counts.acked++;
		if (said->offset != 0)
			check_offset(b, p, said->offset);
		return;
	}
	p->answer = REFUSED;
	b->counts.refused++;
	if (p->missing > 0)
		b->counts.in_flight--;
	if (!refusals || !said->retryable)
		fanout_book_trouble(b, FANOUT_REFUSED);
}

void fanout_book_end(struct fanout_book *b, bool answered)
{
	for (size_t i = 0; i < b->counts.published; i++) {
		const struct publication *p = &b->publications[i];

		if (p->answer != REFUSED)
			b->counts.troubles[FANOUT_LOST] += p->missing;
		if (answered && p->answer == UNANSWERED)
			fanout_book_trouble(b, FANOUT_UNANSWERED);
	}
}

const struct fanout_counts *fanout_book_counts(const struct fanout_book *b)
{
	return &b->counts;
}

uint64_t fanout_book_troubles(const struct fanout_book *b)
{
	uint64_t sum = 0;

	for (int t = 0; t < FANOUT_TROUBLES; t++)
		sum += b->counts.troubles[t];
	return sum;
}
