#ifndef BROKER_CHANNELS_DELIVERY_RECEIPT_H
#define BROKER_CHANNELS_DELIVERY_RECEIPT_H

/*
 * Counts which edges and connections a publication has reached: each Deliver of it has the
 * receipt's ticket, which each edge answers with an Outcome.
 *
 *   new → expect, for each Deliver → await → all have answered, their links have ended, or 2 s
 */

#include "broker/cluster/edge_link.h"

#include "base/loop.h"

struct receipts; /* all of them */
struct receipt;

struct receipts *receipts_new(struct loop *l);
void receipts_free(struct receipts *rs); /* no fn is called any more; NULL is fine */

struct receipt *receipt_new(struct receipts *rs);
uint64_t receipt_ticket(const struct receipt *r); /* not 0 */

/* This edge has got a Deliver of the ticket. */
void receipt_expect(struct receipt *r, struct edge_link *edge);

/*
 * All Delivers are out. fn is called once, perhaps before this returns, and ends the receipt.
 *
 * edges        with at least one connection that was reached
 * connections  that have the publication in their outboxes
 */
typedef void receipt_fn(void *arg, uint32_t edges, uint32_t connections);
void receipt_await(struct receipt *r, receipt_fn *fn, void *arg);

/* For the callbacks of edges. False: the Outcome is not one of a receipt. */
bool receipts_outcome(struct receipts *rs, struct edge_link *from,
		      const Gatepost__Outcome *o);
void receipts_link_lost(struct receipts *rs, struct edge_link *edge);

#endif
