#include "broker/cluster/edges_internal.h"

#include "base/log.h"
#include "store/leases.h"

enum { ASK_AGAIN_MS = 500 };

static void on_number(void *arg, enum err e, uint16_t number);
static void on_renewed(void *arg, enum err e);
static void on_noted(void *arg, enum err e);

/* For a request to the store: its completion releases the reference. */
static struct edge_link *asking(struct edge_link *edge)
{
	edge->is_asking = true;
	LIST_INSERT_HEAD(&edge->edges->asking, edge, asking);
	return edge_link_ref(edge);
}

static void heard(struct edge_link *edge)
{
	edge->is_asking = false;
	LIST_REMOVE(edge, asking);
}

void edge_lease_abandon(struct edges *edges)
{
	struct edge_link *edge;

	while ((edge = LIST_FIRST(&edges->asking)) != NULL) {
		heard(edge);
		edge_link_unref(edge);
	}
}

/*
 * The number is unknown: Redis has lost data, perhaps also that this
 * edge was reaped. By their second beat from now all brokers have written what they know.
 */
static bool is_sure(const struct edge_link *edge)
{
	struct edges *edges = edge->edges;

	return edge->unknown_ms != 0 && loop_now(edges->uses.loop) - edge->unknown_ms >=
						2 * members_beat_ms(edges->uses.members);
}

void edge_lease_acquire(struct edge_link *edge, uint16_t wanted)
{
	struct edges *edges = edge->edges;

	if (fences_contain(edges->uses.fences, wanted, edge->boot_text)) {
		edge->given_up = wanted;
		edge->number = wanted = 0;
	}
	if (edge->given_up !=
	    0) /* or a Redis that does not know would give it the same */
		store_edge_fence(edges->uses.store, edge->given_up, edge->boot_text,
				 on_noted, NULL);
	store_lease_acquire(edges->uses.store, edge->boot_text, wanted,
			    edges->conf.lease_ms, is_sure(edge), on_number, asking(edge));
}

/* If that fails, Redis is unreachable and all is repeated; or an edge sends rows that Redis has already. */
static void on_noted(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/* A new edge: whatever rows it will have are in this memory. */
static void record_new(struct edge_link *edge)
{
	if (edge->cluster[0] != '\0')
		store_edge_synced(edge->edges->uses.store, edge->number, edge->cluster,
				  on_noted, NULL);
	edge->cluster[0] = '\0';
}

static void wait_for_others(struct edge_link *edge)
{
	struct edges *edges = edge->edges;

	if (edge->unknown_ms == 0)
		edge->unknown_ms = loop_now(edges->uses.loop);
	members_beat(edges->uses.members);
}

static void on_number(void *arg, enum err e, uint16_t number)
{
	struct edge_link *edge = arg;
	uint16_t had = edge->number;

	heard(edge);
	edge->lease_ms = loop_now(edge->edges->uses.loop);
	if (edge->is_gone) {
		edge_link_unref(edge);
		return;
	}
	if (e == ERR_UNKNOWN) {
		wait_for_others(edge);
		edge_link_unref(edge);
		return;
	}
	if (e == OK) {
		edge->number = number;
		record_new(edge);
	} else if (e == ERR_DENIED) {
		edge->number = 0; /* what it had is another's by now */
	}
	if (edge->number != 0 && (e == OK || had != 0)) {
		/* Also when the store is unreachable: the edge has used this number. */
		edge_link_welcome(edge);
	} else if (e == ERR_DENIED) {
		edge_lease_acquire(edge, 0);
	} else if (e == ERR_NOTFOUND) {
		log_error("edge.numbers.exhausted", S("edge", edge->link.peer),
			  S("why", "all 65535 edge numbers are in use"));
	}
	edge_link_unref(edge);
}

static void lost(struct edge_link *edge)
{
	log_warn("edge.lease.lost", S("edge", edge->link.peer),
		 I("number", edge->number));
	edges_refuse(edge->edges, edge_link_route(edge), "lease expired");
	edge_link_drop(edge, "lease expired");
}

void edge_lease_tick(struct edge_link *edge, int64_t now)
{
	struct edges *edges = edge->edges;
	int64_t quiet =
		now - edge->link.heard_ms; /* the lease counts from its last message */

	if (edge->is_asking || edge->is_leaving || quiet >= edges->conf.lease_ms)
		return;
	if (edge->link.state == LINK_GREETING && now - edge->lease_ms >= ASK_AGAIN_MS) {
		edge_lease_acquire(edge, edge->number);
	} else if (edge->link.state == LINK_UP &&
		   fences_contain(edges->uses.fences, edge->number, edge->boot_text)) {
		lost(edge);
	} else if (edge->link.state == LINK_UP &&
		   now - edge->lease_ms >= edges->conf.lease_ms / 4) {
		store_lease_renew(edges->uses.store, edge->number, edge->boot_text,
				  edges->conf.lease_ms - quiet, on_renewed, asking(edge));
	}
}

static void on_renewed(void *arg, enum err e)
{
	struct edge_link *edge = arg;

	heard(edge);
	if (e == OK)
		edge->lease_ms = loop_now(edge->edges->uses.loop);
	if (!edge->is_gone && (e == ERR_NOTFOUND || e == ERR_DENIED))
		lost(edge);
	edge_link_unref(edge);
}
