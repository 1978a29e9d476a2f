#ifndef BROKER_CHANNELS_DELIVERY_PUBLISH_H
#define BROKER_CHANNELS_DELIVERY_PUBLISH_H

/*
 * A publication on its way: permission has been given.
 *
 *   publish → append (Redis: history, key, version) → fanout to interested edges → fn
 */

#include "broker/channels/delivery/failure.h"
#include "config/channels.h"
#include "proto/id.h"
#include "store/channels.h"

struct publishers; /* all that publish here */

struct fanout;
struct generation;
struct interest;
struct receipts;

/* All of it is borrowed until publishers_free; metrics may be NULL. */
struct publishers_uses {
	struct loop *loop;
	struct store *store;
	struct generation *generation;
	struct interest *interest;
	struct fanout *fanout;
	struct receipts *receipts;
	struct metrics *metrics;
};

struct publishers *publishers_new(const struct publishers_uses *uses);

/* After store_free; no fn is called any more. NULL is fine. */
void publishers_free(struct publishers *p);

enum { CHANNEL_TAGS = 16 };

struct channel_tag {
	struct span key, value;
};

/* Spans are borrowed until publish returns. */
struct publication {
	const struct config_namespace *ns;
	struct span channel;
	struct span data; /* JSON text, or with is_binary any bytes */
	bool is_binary;
	struct span key; /* idempotency; empty: none */
	struct channel_tag tags[CHANNEL_TAGS];
	size_t n_tags;
	bool has_version;
	uint64_t version;
	struct span user; /* empty: none */
	const struct id *
		from; /* the connection that publishes; NULL: the management API or a function */
	uint64_t event;   /* from: number of the event in its lane */
	unsigned index;   /* from: which publish of that event, from 0 */
	int64_t event_ms; /* from: when that event happened */
	bool receipt;     /* count edges and connections */
};

struct published {
	const struct failure *failure; /* NULL: it was published */
	struct position position;      /* empty epoch: the channel has no history */
	bool duplicate, suppressed;
	uint32_t edges, connections; /* with receipt */
};

typedef void publish_fn(void *arg, const struct published *p);

/*
 * With history, a key or a version Redis is asked first. Without history the publication waits,
 * for 2 s at most, until the interest of all edges is known (interest.h), and is refused when an
 * edge that carries the channel does not keep up: no gap is filled later.
 *
 * fn  called once, perhaps before this returns; nobody can take the publication back.
 *     failure is one of `unavailable`: published or not. What it points to is borrowed
 */
void publish(struct publishers *p, const struct publication *q, publish_fn *fn,
	     void *arg);

#endif
