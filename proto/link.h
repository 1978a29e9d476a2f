#ifndef PROTO_LINK_H
#define PROTO_LINK_H

/*
 * One side of the link between an edge and a broker: what goes out in batches, what
 * has been heard, and the credit. One life of a transport is one link; a new
 * transport is a new link, so that nothing of an old one can turn up in it.
 *
 *   edge:    CONNECTING --transport up--> GREETING --Welcome--> UP
 *   broker:                               GREETING --Welcome sent--> UP
 *              any --silence, transport's end, refusal--> DOWN
 */

#include "base/zsock.h"
#include "proto/batch.h"

enum link_state { LINK_CONNECTING, LINK_GREETING, LINK_UP, LINK_DOWN };

struct link_timing {
	int64_t heartbeat_ms; /* something is sent at least this often: 1 s */
	int64_t silence_ms;   /* a peer that is silent for so long is down: 5 s */
};

/* Credit: how much may be under way. Something may go while less than the limit is; so one item may be larger than all the credit. */
struct window {
	uint64_t items, bytes; /* limits */
	uint64_t used_items, used_bytes;
};

bool window_has_credit(const struct window *w);
void window_spend(struct window *w, uint64_t bytes);
void window_refill(struct window *w, uint64_t items, uint64_t bytes);

struct link {
	struct zsock *z;
	struct link_timing timing;
	enum link_state state; /* written by link_set_state alone */
	uint8_t to[255];       /* the peer's routing id, on a broker's ROUTER */
	size_t to_n;
	struct batch out;
	struct window ahead; /* events (edge) or commands (broker) that we may send */
	uint64_t taken_items, taken_bytes; /* edge: commands taken on this link */
	uint64_t told_items;               /* edge: what of it the broker knows */
	int64_t heard_ms, sent_ms;
	enum err
		broken; /* why a batch was lost, if not OK: the next link_flush returns it */
	char peer[64]; /* its name, for logs */
};

void link_init(struct link *l, struct zsock *z, struct span to, struct link_timing t,
	       int64_t now);
void link_close(struct link *l);

/* Change the state, with a debug line; asserts that this may follow that. */
void link_set_state(struct link *l, enum link_state next);

/* A message of the peer has arrived. */
void link_heard(struct link *l, int64_t now);

/* Nothing heard for longer than silence_ms. */
bool link_is_silent(const struct link *l, int64_t now);

/* Add an item, as batch_add does. A batch that has become large goes out first. */
void *link_add(struct link *l, Gatepost__Item__BodyCase what,
	       const ProtobufCMessageDescriptor *d);

/*
 * Send what there is, or a heartbeat when it is due, or the credit when 64 items of it wait to be told.
 *
 * returns  OK (also when there was nothing to send); ERR_BUSY, ERR_DOWN: the peer does not take it;
 *          what was in the batch is lost, so the link is to be closed
 */
must_use enum err link_flush(struct link *l, int64_t now);

#endif
