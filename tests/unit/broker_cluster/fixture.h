#ifndef TESTS_UNIT_BROKER_CLUSTER_FIXTURE_H
#define TESTS_UNIT_BROKER_CLUSTER_FIXTURE_H

/*
 * The cluster half of a broker, as main wires it, on a clock that the test moves, with edges
 * that have no wire and a store that answers when the test says what. Each edge is known
 * by its routing id, such as "e1".
 */

#include "broker/cluster/reaper.h"
#include "fake_store.h"
#include "proto/batch.h"
#include "tests/unit/fakes/fake_loop.h"
#include "tests/unit/fakes/fake_router.h"

enum {
	HEARTBEAT_MS = 1000,
	SILENCE_MS = 5000,
	LEASE_MS = 10000,
	MEMBER_MS = 5000,
	BEAT_MS = 1000,
	RECONCILE_MS = 60000,
	COMMAND_MS = 2000,
	BROKER_BOOT = 0xb0, /* ours */
	OTHER_BOOT = 0xb1,  /* another broker's */
};

struct fixture {
	struct loop *loop;
	struct metrics *metrics;
	struct members *members;
	struct fences *fences;
	struct edges *edges;
	struct commands *commands;
	struct resync *resync;
	struct reaper *reaper;
	/* What has come through the callbacks. */
	size_t ups, events, outcomes, resyncs, interests, gaps, gone, due;
	size_t present, memberships, reconciled;
	store_done_fn
		*written; /* when the test says that the memberships are; with its arg */
	void *written_arg;
	struct edges_callbacks on; /* called too, unless NULL; with arg NULL */
	uint16_t due_edge;
	bool is_full; /* what is due cannot be claimed now */
};
extern struct fixture cluster;

void cluster_start(void);
void cluster_stop(void); /* also after a test has freed parts, and set them to NULL */

/* The same in two parts, for tests of what is between them. */
void cluster_free_edges(void);

/* The store answers the beat that waits: this broker is live, and with_other one more. */
void cluster_beat(const char *id, bool with_other);

/* The edges that the other broker is linked to, from the next beat on: "7,8". Borrowed. */
void cluster_set_linked(const char *edges);

/* The same, with a memory that is so old; this broker alone. */
void cluster_beat_of_age(const char *id, int64_t age_ms);

/* Let ms pass, in which these edges ("e1 e2") send heartbeats. */
void cluster_run(int64_t ms, const char *edges);

/* ---- what edges say ---- */

/* Items for the next cluster_post. */
struct batch *cluster_letter(void);

/* The edge sends the letter; an empty one is a heartbeat. */
void cluster_post(const char *from);

/* The same, and it has taken so much of our commands. */
void cluster_post_taken(const char *from, uint64_t items, uint64_t bytes);

/* What is no envelope. */
void cluster_garbage(const char *from);

void cluster_hello(const char *from, uint64_t boot, uint16_t number);
void cluster_event(const char *from, const struct id *id);

/* Hello, and the number from the store: the link is up, and its Welcome is read. */
struct edge_link *cluster_link(const char *from, uint64_t boot, uint16_t number);

/* What has been sent to the edge and was not read yet, in order; NULL: nothing. */
const Gatepost__Item *cluster_read(const char *to);

/* The kind of the next item; GATEPOST__ITEM__BODY__NOT_SET: there is none. */
Gatepost__Item__BodyCase cluster_read_kind(const char *to);

/* The next item is a command. */
const Gatepost__Command *cluster_read_command(const char *to);

/* A metric's value, "gatepost_broker_links_full_total". */
int64_t cluster_metric(const char *name, const char *labels);

#endif
