#ifndef TESTS_UNIT_BROKER_EVENTS_FAKE_EDGE_LINK_H
#define TESTS_UNIT_BROKER_EVENTS_FAKE_EDGE_LINK_H

/* An edge without a wire: its link is real but never flushed, so that a test reads what would have gone out. */

#include "broker/cluster/edge_link.h"

#define FAKE_EDGE_BOOT "00000000000000b7"

struct edge_link *fake_edge_link(void);
void fake_edge_link_free(
	struct edge_link *e); /* fails the test when somebody holds a reference */

/* Its link ends. */
void fake_edge_link_end(struct edge_link *e);

/* What has been added since the last time, as the edge would read it; lives until the next call. */
const Gatepost__Envelope *fake_edge_link_read(struct edge_link *e);

#endif
