#ifndef EDGE_LINK_UPLINK_H
#define EDGE_LINK_UPLINK_H

/*
 * Sends the events of clients to brokers: the links to the brokers, and the owner of each
 * lane. An event is sent as soon as its broker has credit; it is kept in its lane until it is
 * answered, and sent again when the link to the broker ends.
 *
 * Messages of brokers are passed on through callbacks. No file here knows a connection.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "edge/link/lane.h"

#include <proto/gatepost.pb-c.h>

struct uplink;
struct broker_link; /* one broker, and the link to it */

struct uplink_conf {
	const char *name;    /* of this edge; texts are borrowed */
	uint64_t boot;       /* random, not 0 */
	const char *brokers; /* as seeds_new */
	int64_t heartbeat_ms, silence_ms, retry_ms, resolve_ms;
	int64_t credit_items, credit_bytes; /* of commands, for each broker */
	int64_t lane_in_flight; /* events of a lane that are sent and not answered */
};

/* What uplink works with; borrowed until uplink_free. */
struct uplink_uses {
	struct loop *loop;
	void *zctx;
	struct metrics *metrics; /* may be NULL */
};

typedef void uplink_lane_fn(void *arg, struct lane *l);
typedef void uplink_membership_fn(void *arg, struct span channel, struct span member);

/*
 * Implemented by the clients' side. All arguments are borrowed until the function returns. None of them may free a lane before the end of the turn.
 */
struct uplink_callbacks {
	/* The lane of this connection; NULL: it does not exist any more. */
	struct lane *(*find)(void *arg, const struct id *id);
	/* Call fn for each lane, open or not. */
	void (*each)(void *arg, uplink_lane_fn *fn, void *fn_arg);
	/* Call fn for each channel in whose presence the connection of the lane takes part. */
	void (*memberships)(void *arg, struct lane *l, uplink_membership_fn *fn,
			    void *fn_arg);
	/* How many lanes there are. */
	uint32_t (*count)(void *arg);
	/* The event is done, with this answer; done follows. */
	void (*answer)(void *arg, struct lane *l, const struct lane_event *e,
		       const Gatepost__Answer *a);
	/* The event is not sent to any broker again (poison.h): answer it here; done follows. */
	void (*poisoned)(void *arg, struct lane *l, const struct lane_event *e);
	/* The event was removed from the lane, and bytes of memory are free. */
	void (*done)(void *arg, struct lane *l, uint32_t bytes);
	/* The lane has started or stopped waiting in a queue: update whether its socket is read. */
	void (*wait_changed)(void *arg, struct lane *l);
	/* Execute the command, and call outcome_send once before returning. */
	void (*command)(void *arg, struct broker_link *from, const Gatepost__Command *m);
	/* The edge's lease expired, and its number is another one: close all lanes. Brokers produce the disconnects. */
	void (*fenced)(void *arg);
};

/*
 * Connects to the brokers that conf->brokers names. Each of on's functions gets arg.
 *
 * returns  NULL after an error line when conf->brokers cannot be read
 */
struct uplink *uplink_new(const struct uplink_conf *conf, const struct uplink_uses *uses,
			  const struct uplink_callbacks *on, void *arg);
void uplink_free(struct uplink *u); /* NULL is fine; the lanes are closed by then */

/*
 * The next four append an event to the lane, and send it if there is credit. They take request and body.
 *
 * returns  bytes of memory that the event takes until done
 */

/* An upgrade (CONNECT) or a plain request (HTTP). body may be NULL. */
uint32_t uplink_request(struct uplink *u, struct lane *l, uint8_t kind,
			struct blob *request, struct blob *body);

/* A message. */
uint32_t uplink_message(struct uplink *u, struct lane *l, struct blob *body, bool binary);

/* The edge has ended a subscription that takes part in the presence of this channel. channel is copied. */
uint32_t uplink_unsubscribed(struct uplink *u, struct lane *l, struct span channel);

/*
 * The connection has ended, with this close code. reason is copied.
 *
 * channels  those in whose presence it takes part, one after the other: a byte with the length, the name; taken. NULL: none
 */
uint32_t uplink_disconnect(struct uplink *u, struct lane *l, uint16_t code,
			   struct span reason, struct blob *channels);

/*
 * Forget the lane's first event if no broker has seen it. A disconnect is never forgotten.
 *
 * returns  bytes of memory that are free now; 0: nothing was forgotten
 */
uint32_t uplink_cancel(struct uplink *u, struct lane *l);

/* Send Leaving to all brokers: the edge's lease may end. */
void uplink_leave(struct uplink *u);

/* The edge's number; 0 until a broker has given one. */
uint16_t uplink_number(const struct uplink *u);

/* NULL when a broker is linked; else what is missing. */
const char *uplink_missing(const struct uplink *u);

/* Send what this turn has produced; a hook of the loop. */
void uplink_flush(void *uplink);

#endif
