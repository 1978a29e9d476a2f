#include "broker/edges_internal.h"

#include "base/log.h"
#include "broker/fences.h"
#include "broker/members.h"
#include "store/leases.h"

enum { ASK_AGAIN_MS = 500 };

static void on_number(void *arg, enum err e, uint16_t number);
static void on_renewed(void *arg, enum err e);
static void on_noted(void *arg, enum err e);

/* For a question to the store: whoever gets its answer gives the reference back. */
static struct edge_link *asking(struct edge_link *p)
{
	p->is_asking = true;
	LIST_INSERT_HEAD(&p->edges->asking, p, asking);
	return edge_link_ref(p);
}

static void heard(struct edge_link *p)
{
	p->is_asking = false;
	LIST_REMOVE(p, asking);
}

void edge_lease_abandon(struct edges *ps)
{
	struct edge_link *p;

	while ((p = LIST_FIRST(&ps->asking)) != NULL) {
		heard(p);
		edge_link_unref(p);
	}
}

/*
 * Nobody is known to have had the number: Redis has lost its memory, and perhaps that this
 * edge was given up. By their second beat from now all brokers have said what they know.
 */
static bool is_sure(const struct edge_link *p)
{
	struct broker *b = p->edges->broker;

	return p->unknown_ms != 0 &&
	       loop_now(b->loop) - p->unknown_ms >= 2 * members_beat_ms(b->members);
}

void edge_lease_take(struct edge_link *p, uint16_t wanted)
{
	struct broker *b = p->edges->broker;

	if (fences_have(b->fences, wanted, p->boot_text)) {
		p->given_up = wanted;
		p->number = wanted = 0;
	}
	if (p->given_up != 0) /* or a Redis that does not know would give it the same */
		store_edge_fence(b->store, p->given_up, p->boot_text, on_noted, NULL);
	store_lease_take(b->store, p->boot_text, wanted, b->conf.lease_ms, is_sure(p),
			 on_number, asking(p));
}

/* If that fails, Redis is away, and all is asked again; or an edge tells of rows that it has not got yet. */
static void on_noted(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/* A new edge: whatever rows it will have are in this memory. */
static void note_new(struct edge_link *p)
{
	if (p->cluster[0] != '\0')
		store_edge_synced(p->edges->broker->store, p->number, p->cluster,
				  on_noted, NULL);
	p->cluster[0] = '\0';
}

static void wait_for_others(struct edge_link *p)
{
	struct broker *b = p->edges->broker;

	if (p->unknown_ms == 0)
		p->unknown_ms = loop_now(b->loop);
	members_beat(b->members);
}

static void on_number(void *arg, enum err e, uint16_t number)
{
	struct edge_link *p = arg;
	uint16_t had = p->number;

	heard(p);
	p->lease_ms = loop_now(p->edges->broker->loop);
	if (p->is_gone) {
		edge_link_unref(p);
		return;
	}
	if (e == ERR_AGAIN) {
		wait_for_others(p);
		edge_link_unref(p);
		return;
	}
	if (e == OK) {
		p->number = number;
		note_new(p);
	} else if (e == ERR_DENIED) {
		p->number = 0; /* what it had is another's by now */
	}
	if (p->number != 0 && (e == OK || had != 0)) {
		/* Also when the store is away: the edge has served on this number. */
		edge_link_welcome(p);
	} else if (e == ERR_DENIED) {
		edge_lease_take(p, 0);
	} else if (e == ERR_NOTFOUND) {
		log_error("edge.numbers.none", S("edge", p->link.peer),
			  S("why", "all 65535 numbers are taken"));
	}
	edge_link_unref(p);
}

static void lost(struct edge_link *p)
{
	log_warn("edge.lease.lost", S("edge", p->link.peer), I("number", p->number));
	edges_refuse(p->edges, edge_link_route(p),
		     "the lease of its number was given up");
	edge_link_drop(p, "its lease was given up");
}

void edge_lease_tick(struct edge_link *p, int64_t now)
{
	struct broker *b = p->edges->broker;
	int64_t quiet = now - p->link.heard_ms; /* the lease counts from its last word */

	if (p->is_asking || p->is_leaving || quiet >= b->conf.lease_ms)
		return;
	if (p->link.state == LINK_GREETING && now - p->lease_ms >= ASK_AGAIN_MS) {
		edge_lease_take(p, p->number);
	} else if (p->link.state == LINK_UP &&
		   fences_have(b->fences, p->number, p->boot_text)) {
		lost(p);
	} else if (p->link.state == LINK_UP &&
		   now - p->lease_ms >= b->conf.lease_ms / 4) {
		store_lease_renew(b->store, p->number, p->boot_text,
				  b->conf.lease_ms - quiet, on_renewed, asking(p));
	}
}

static void on_renewed(void *arg, enum err e)
{
	struct edge_link *p = arg;

	heard(p);
	if (e == OK)
		p->lease_ms = loop_now(p->edges->broker->loop);
	if (!p->is_gone && (e == ERR_NOTFOUND || e == ERR_DENIED))
		lost(p);
	edge_link_unref(p);
}
