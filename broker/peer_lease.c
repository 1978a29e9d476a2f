#include "broker/peers_room.h"

#include "base/log.h"
#include "broker/fences.h"
#include "broker/membership.h"
#include "store/leases.h"

enum { ASK_AGAIN_MS = 500 };

static void on_number(void *arg, enum err e, uint16_t number);
static void on_renewed(void *arg, enum err e);
static void on_noted(void *arg, enum err e);

/* For a question to the store: whoever gets its answer gives the reference back. */
static struct peer *asking(struct peer *p)
{
	p->is_asking = true;
	LIST_INSERT_HEAD(&p->peers->asking, p, asking);
	return peer_ref(p);
}

static void heard(struct peer *p)
{
	p->is_asking = false;
	LIST_REMOVE(p, asking);
}

void peer_lease_abandon(struct peers *ps)
{
	struct peer *p;

	while ((p = LIST_FIRST(&ps->asking)) != NULL) {
		heard(p);
		peer_unref(p);
	}
}

/*
 * Nobody is known to have had the number: Redis has lost its memory, and perhaps that this
 * edge was given up. By their second beat from now all brokers have said what they know.
 */
static bool is_sure(const struct peer *p)
{
	struct broker *b = p->peers->broker;

	return p->unknown_ms != 0 &&
	       loop_now(b->loop) - p->unknown_ms >= 2 * membership_beat_ms(b->membership);
}

void peer_lease_take(struct peer *p, uint16_t wanted)
{
	struct broker *b = p->peers->broker;

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
static void note_new(struct peer *p)
{
	if (p->cluster[0] != '\0')
		store_edge_synced(p->peers->broker->store, p->number, p->cluster,
				  on_noted, NULL);
	p->cluster[0] = '\0';
}

static void wait_for_others(struct peer *p)
{
	struct broker *b = p->peers->broker;

	if (p->unknown_ms == 0)
		p->unknown_ms = loop_now(b->loop);
	membership_beat(b->membership);
}

static void on_number(void *arg, enum err e, uint16_t number)
{
	struct peer *p = arg;
	uint16_t had = p->number;

	heard(p);
	p->lease_ms = loop_now(p->peers->broker->loop);
	if (p->is_gone) {
		peer_unref(p);
		return;
	}
	if (e == ERR_AGAIN) {
		wait_for_others(p);
		peer_unref(p);
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
		peer_welcome(p);
	} else if (e == ERR_DENIED) {
		peer_lease_take(p, 0);
	} else if (e == ERR_NOTFOUND) {
		log_error("edge.numbers.none", S("edge", p->link.peer),
			  S("why", "all 65535 numbers are taken"));
	}
	peer_unref(p);
}

static void lost(struct peer *p)
{
	log_warn("edge.lease.lost", S("edge", p->link.peer), I("number", p->number));
	peers_refuse(p->peers, peer_route(p), "the lease of its number was given up");
	peer_drop(p, "its lease was given up");
}

void peer_lease_tick(struct peer *p, int64_t now)
{
	struct broker *b = p->peers->broker;
	int64_t quiet = now - p->link.heard_ms; /* the lease counts from its last word */

	if (p->is_asking || p->is_leaving || quiet >= b->conf.lease_ms)
		return;
	if (p->link.state == LINK_GREETING && now - p->lease_ms >= ASK_AGAIN_MS) {
		peer_lease_take(p, p->number);
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
	struct peer *p = arg;

	heard(p);
	if (e == OK)
		p->lease_ms = loop_now(p->peers->broker->loop);
	if (!p->is_gone && (e == ERR_NOTFOUND || e == ERR_DENIED))
		lost(p);
	peer_unref(p);
}
