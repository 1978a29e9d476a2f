#ifndef BENCH_FANOUT_BOOK_H
#define BENCH_FANOUT_BOOK_H

/*
 * What was published, and what each subscription has got of it: finds what is lost, doubled
 * or out of order. Per publisher and channel the sequence only grows; with offsets each is
 * the one before plus one, and that of the publisher's ack.
 */

#include "bench/fanout_text.h"

#include <stddef.h>

enum fanout_trouble {
	FANOUT_LOST,      /* acknowledged, and not delivered to a subscription */
	FANOUT_DUPLICATE, /* the same as the one before */
	FANOUT_REORDERED, /* older than the one before: out of order, or doubled later */
	FANOUT_FOREIGN,   /* of another channel, or never published */
	FANOUT_OFFSET,    /* not the next one, or not that of the ack */
	FANOUT_EPOCH,     /* a channel has two */
	FANOUT_UNASKED,   /* an ack or error for nothing; a frame that nobody expects */
	FANOUT_REFUSED,   /* an error for a subscribe or publish */
	FANOUT_UNANSWERED,
	FANOUT_RESETS,
	FANOUT_ENDED, /* unsubscribed by the server */
	FANOUT_CUT,   /* a connection was refused, or ended by the server */
	FANOUT_TROUBLES
};

const char *fanout_trouble_name(enum fanout_trouble t);

struct fanout_book;

struct fanout_shape {
	uint32_t channels, subscribers, publishers;
	uint32_t publications; /* at most */
};

/* Subscription s is one of channel s / subscribers. */
struct fanout_book *fanout_book_new(const struct fanout_shape *shape);
void fanout_book_free(struct fanout_book *b);

/* One more publication: fills number, sequence; channel and publisher are given. */
void fanout_book_publish(struct fanout_book *b, struct fanout_mark *m);

/* A subscription stands at this position (0: no history). */
void fanout_book_subscribed(struct fanout_book *b, uint32_t subscription, uint64_t epoch,
			    uint64_t offset);

/* A subscription has got a message. */
void fanout_book_message(struct fanout_book *b, uint32_t subscription,
			 const struct fanout_said *said);

/*
 * A publisher has got the answer to a publication.
 *
 * refusals  an error that can be retried is nothing wrong: the publication may be delivered or not
 */
void fanout_book_answer(struct fanout_book *b, const struct fanout_said *said,
			bool refusals);

/* One thing that is wrong, and that others have seen. */
void fanout_book_trouble(struct fanout_book *b, enum fanout_trouble t);

/* No more comes: count what is lost or has no answer. answered: publications have answers at all. */
void fanout_book_end(struct fanout_book *b, bool answered);

struct fanout_counts {
	uint64_t published,
		in_flight; /* in flight: not refused, and not all subscriptions have it */
	uint64_t acked, refused, delivered;
	uint64_t troubles[FANOUT_TROUBLES];
};

const struct fanout_counts *fanout_book_counts(const struct fanout_book *b);
uint64_t fanout_book_troubles(const struct fanout_book *b);

#endif
