#ifndef TESTS_UNIT_EDGE_LINK_FIXTURE_H
#define TESTS_UNIT_EDGE_LINK_FIXTURE_H

/*
 * The link's half of an edge, as main wires it, on a clock that the test moves, with brokers
 * that have no wire and lanes without clients. A broker is known by its endpoint, such as B1.
 */

#include "edge/link/uplink_internal.h"
#include "fake_zsock.h"
#include "proto/batch.h"
#include "tests/unit/fakes/fake_loop.h"

#define B1 "tcp://127.0.0.1:7401"
#define B2 "tcp://127.0.0.1:7402"
#define B3 "tcp://127.0.0.1:7403"

enum {
	HEARTBEAT_MS = 1000,
	SILENCE_MS = 5000,
	RETRY_MS = 500,
	IN_FLIGHT = 4,
	NUMBER = 7, /* of this edge */
	EDGE_BOOT = 0xe,
	CREDIT_EVENTS = 100,
	CREDIT_BYTES = 1000 * 1000,
	LANES = 1200,
	CONTEXT_BYTES = 3, /* of each lane: "ctx" */
};

struct fixture {
	struct loop *loop;
	struct metrics *metrics;
	struct uplink *uplink;
	struct lane lanes[LANES]; /* by the slot of their id */
	uint32_t n_lanes;
	/* What has come through the callbacks. */
	size_t answers, poisoned, done, wait_changes, commands, fenced;
	uint64_t answered;    /* the number of the last answer's event */
	size_t n_memberships; /* of each lane */
	char actions[16];     /* its actions: r a response, t text, b binary, c close */
	int64_t held;         /* bytes of memory for events that are not done */
	void (*on_poisoned)(struct lane *l); /* NULL: nothing more */
};
extern struct fixture edge;

void links_start(void); /* with B1 as its seed */
void links_start_with(const char *brokers);
void links_stop(void);

/* The end of a turn: what was produced is sent. */
void links_turn(void);

/* Let ms pass, in which these brokers (B1 " " B2) send heartbeats. */
void links_run(int64_t ms, const char *brokers);

/* A metric's value, "gatepost_edge_links_full_total". */
int64_t links_metric(const char *name);

/* ---- lanes ---- */

/* The next lane, with nothing in it, or the next whose owner will be this broker. */
struct lane *links_lane(void);
struct lane *links_lane_at(const char *broker);

/* Append an event, and end the turn. */
void links_connect(struct lane *l);
void links_request(struct lane *l);
void links_message(struct lane *l, const char *body);
void links_disconnect(struct lane *l);

/* A message of so many bytes. */
void links_message_of(struct lane *l, size_t bytes);

/* Where the lane's owner is; "" without one. */
const char *links_owner(const struct lane *l);

/* ---- what brokers send ---- */

/* Items for the next links_post. */
struct batch *links_letter(void);
#define LINKS_ITEM(KIND, kind)                                                           \
	batch_add(links_letter(), GATEPOST__ITEM__BODY_##KIND,                           \
		  &gatepost__##kind##__descriptor)

/* The broker sends the letter; an empty one is a heartbeat. */
void links_post(const char *broker);

/* Not the letter, but these bytes, or an empty envelope of this version. */
void links_post_bytes(const char *broker, struct span bytes);
void links_post_version(const char *broker, uint32_t version);

/* A Welcome for the letter, with the number and credit from above, to be changed. */
Gatepost__Welcome *links_add_welcome(uint64_t boot);

/* The transport is up and the Hello sent; then Welcome: the link is up. */
void links_greet(const char *broker);
void links_up(const char *broker, uint64_t boot);

/* An Answer for the letter to the event of the lane's current term. */
Gatepost__Answer *links_add_answer(const struct lane *l, uint64_t seq);

/* With one action for each of these letters: r a response 200, t text, b binary, c close. */
Gatepost__Answer *links_add_actions(const struct lane *l, uint64_t seq,
				    const char *letters);

/* The same, sent: the event is done. */
void links_answer(const char *broker, const struct lane *l, uint64_t seq);

/* ---- what brokers get ---- */

/* What was sent to it and not read yet, in order; NULL: nothing. */
const Gatepost__Item *links_read(const char *broker);
Gatepost__Item__BodyCase links_read_kind(const char *broker); /* NOT_SET: nothing */

/* The next item is an event; NULL: nothing. */
const Gatepost__Event *links_read_event(const char *broker);

/* The numbers of the events that were sent to it and not read yet, "0 1 2". */
const char *links_read_seqs(const char *broker);

#endif
