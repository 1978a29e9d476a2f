#ifndef TESTS_UNIT_BROKER_BED_H
#define TESTS_UNIT_BROKER_BED_H

/*
 * A broker's lanes and routes, for one test, and two edges without a wire: their links
 * are real but never flushed, so that a test reads what would have gone out. It stands
 * in for broker/cluster/edges.c and broker/events/handle.c, which need a store.
 */

#include "broker/events/call.h"
#include "config/config.h"

enum {
	BED_EDGES = 2,
	BED_NUMBER = 7 /* of both: they are one edge's, before and after */
};

#define BED_BOOT "00000000000000b7" /* what it holds its number with */

struct bed {
	struct broker broker;
	struct edge_link *edges[BED_EDGES];
	void (*handler)(struct call *c); /* what is done with every call */
};
extern struct bed bed;

void bed_start(void); /* with the built-in configuration */
void bed_stop(void);  /* lanes that are not empty are freed too */

/* Another configuration from here on. Takes it. */
void bed_use(struct config *config);

/* The connection that events are of, unless they say otherwise. */
struct id bed_id(void);

/* An event of it from this edge, in its lane. */
void bed_take(int edge, uint64_t seq);

/* The same with all its fields; its id is set when there is none. */
void bed_take_event(int edge, Gatepost__Event *e);

/* The link of this edge ends. */
void bed_hang_up(int edge);

/* Items that wait to be read. */
size_t bed_said(int edge);

/* What has been said to this edge since the last time, as it would read it; lives until the next call. */
const Gatepost__Envelope *bed_read(int edge);

#endif
