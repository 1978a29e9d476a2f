#include "broker/peers_room.h"

#include "base/log.h"
#include "store/leases.h"

enum { ASK_AGAIN_MS = 500 };

static void on_number(void *arg, enum err e, uint16_t number);
static void on_renewed(void *arg, enum err e);

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

void peer_lease_take(struct peer *p, uint16_t wanted)
{
	struct broker *b = p->peers->broker;

	store_lease_take(b->store, p->boot_text, wanted, b->conf.lease_ms, on_number,
			 asking(p));
}

/* If it is not noted, the edge is asked for rows that it has not got yet. */
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

void peer_lease_tick(struct peer *p, int64_t now)
{
	struct broker *b = p->peers->broker;
	int64_t quiet = now - p->link.heard_ms; /* the lease counts from its last word */

	if (p->is_asking || p->is_leaving || quiet >= b->conf.lease_ms)
		return;
	if (p->link.state == LINK_GREETING && now - p->lease_ms >= ASK_AGAIN_MS) {
		peer_lease_take(p, p->number);
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
	if (!p->is_gone && (e == ERR_NOTFOUND || e == ERR_DENIED)) {
		log_warn("edge.lease.lost", S("edge", p->link.peer),
			 I("number", p->number));
		peers_refuse(p->peers, peer_route(p),
			     "the lease of its number was given up");
		peer_drop(p, "its lease was given up");
	}
	peer_unref(p);
}
