#ifndef EDGE_LINK_LANE_H
#define EDGE_LINK_LANE_H

/*
 * The events of a connection, in order, which no broker has answered yet. They are kept
 * until then, so that they can be sent to another broker.
 *
 *   first ──────────── unsent ──────────── last
 *   sent, not answered │ not yet sent (no credit, no broker, or to be sent again)
 */

#include "base/blob.h"
#include "proto/id.h"

#include <sys/queue.h>

struct broker_link; /* edge/link/uplink.h */

struct lane_event {
	struct lane_event *next;
	uint64_t seq;
	int64_t time_ms;
	int64_t sent_ms; /* by the loop's clock, when it was sent last */
	struct blob *
		request; /* CONNECT, HTTP: a packed Request; DISCONNECT: its channels, as for uplink_disconnect */
	struct blob *
		body; /* MESSAGE, HTTP: the payload; DISCONNECT: the reason; UNSUBSCRIBED: the channel */
	uint16_t code;    /* DISCONNECT */
	uint16_t resyncs; /* CONNECT: that the edge had sent when it came */
	uint32_t credit;  /* bytes that it was sent with */
	uint32_t
		memory; /* bytes that it takes, for the lane's limit and the edge's budget */
	uint8_t kind; /* GATEPOST__EVENT__KIND__… */
	bool binary;
	bool was_sent; /* to a broker that has not answered, or could not handle it */
	uint8_t blame; /* poison.h: for links that ended while it was under way */
};

struct lane {
	struct broker_link
		*owner; /* NULL before the first event, and while there is no broker */
	uint32_t term;  /* raised whenever owner changes */
	uint32_t ring_version; /* for which owner was right */
	uint32_t
		detours; /* times that an owner could not handle an event, and another got it */
	struct id id; /* of the connection; made anew for each request on its socket */
	bool is_open; /* its connect was accepted, and no disconnect was appended */
	struct blob *context; /* a packed Context, sent with each event */
	uint64_t next_seq;
	struct lane_event *first, *last, *unsent;
	uint32_t n; /* events kept */
	uint32_t
		bytes; /* of memory for them; a lane is full long before this could wrap */
	TAILQ_ENTRY(lane) waiting;
	struct lane_queue *waits_in; /* NULL: not waiting */
	int64_t retry_ms;            /* in the queue of lanes to be retried: when */
};

TAILQ_HEAD(lane_tailq, lane);
struct lane_queue {
	struct lane_tailq lanes;
};

/*
 * A new lane, or the same connection's next one: nothing in it, seq 0. The term goes on.
 *
 * context  a packed Context; taken
 */
void lane_begin(struct lane *l, const struct id *id, struct blob *context);

/* Append an event; it gets the next number. Takes request and body (NULL is fine). */
struct lane_event *lane_append(struct lane *l, uint8_t kind, int64_t time_ms,
			       struct blob *request, struct blob *body);

/* The event of this number, if it has been sent and is not done. */
struct lane_event *lane_find(const struct lane *l, uint64_t seq);

/* The event is done: remove it. */
void lane_done(struct lane *l, struct lane_event *e);

/* Another owner: all events are to be sent again, under a new term. */
void lane_restart(struct lane *l, struct broker_link *owner, uint32_t ring_version);

/* Events under way: sent, not answered. */
uint32_t lane_under_way(const struct lane *l);

void lane_queue_init(struct lane_queue *q);
void lane_join_queue(
	struct lane *l,
	struct lane_queue *q); /* at its end; nothing happens if it waits there already */
void lane_leave_queue(struct lane *l);

/* Forget all events and the context. The id stays, for logs. */
void lane_close(struct lane *l);

#endif
