#ifndef BROKER_CHANNELS_DELIVERY_PROBE_H
#define BROKER_CHANNELS_DELIVERY_PROBE_H

/*
 * Is what is published delivered? A publication to the private channel goes to each linked edge every
 * PROBE_MS, by its interest and over its link like any other.
 *
 *   every PROBE_MS → interest → Deliver → edge → Outcome: reached one
 */

#include "broker/channels/delivery/interest.h"
#include "broker/channels/delivery/receipt.h"

struct probes;

/* All of it is borrowed until probes_free; metrics may be NULL. */
struct probes_uses {
	struct loop *loop;
	struct interest *interest;
	struct receipts *receipts;
	struct metrics *metrics;
};

struct probes *probes_new(const struct probes_uses *uses);

/* After edges_free. NULL is fine. */
void probes_free(struct probes *p);

/* For the callbacks of edges; before receipts_link_lost. */
void probes_link_up(struct probes *p, struct edge_link *edge);
void probes_link_lost(struct probes *p, struct edge_link *edge);

/* NULL when they are delivered; else what is missing, once two in a row were not. Borrowed until the next call. */
const char *probes_missing(struct probes *p);

#endif
