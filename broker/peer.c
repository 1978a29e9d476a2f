#include "broker/peers_room.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "broker/membership.h"
#include "proto/envelope.h"

#include <stdlib.h>

struct peer *peer_new(struct peers *ps, struct span from, const Gatepost__Hello *h)
{
	const struct broker_conf *conf = &ps->broker->conf;
	/* Once its lease is over, others may give it up: nothing that it says counts from then on. */
	int64_t silence_ms =
		conf->silence_ms < conf->lease_ms ? conf->silence_ms : conf->lease_ms;
	struct link_timing timing = {conf->heartbeat_ms, silence_ms};
	struct peer *p = xcalloc(1, sizeof *p);

	link_init(&p->link, ps->z, from, timing, loop_now(ps->broker->loop));
	p->peers = ps;
	p->refs = 1;
	p->boot = h->boot;
	snprintf(p->boot_text, sizeof p->boot_text, "%016llx",
		 (unsigned long long)h->boot);
	snprintf(p->link.peer, sizeof p->link.peer, "%s", h->name);
	p->link.ahead =
		(struct window){.items = h->credit_items, .bytes = h->credit_bytes};
	link_enter(&p->link, LINK_GREETING);
	map_put(ps->by_route, peer_route(p), p);
	p->number = (uint16_t)h->number;
	if (h->number == 0)
		snprintf(p->cluster, sizeof p->cluster, "%s",
			 membership_cluster(ps->broker->membership));
	return p;
}

void peer_drop(struct peer *p, const char *why)
{
	struct peers *ps = p->peers;

	if (p->is_gone)
		return;
	if (p->link.state == LINK_UP)
		log_info("link.down", S("edge", p->link.peer), S("why", why));
	map_remove(ps->by_route, peer_route(p));
	link_enter(&p->link, LINK_DOWN);
	link_close(&p->link);
	p->is_gone = true;
	commands_lost(ps->broker->commands, p);
	peer_unref(p);
}

struct peer *peer_ref(struct peer *p)
{
	p->refs++;
	return p;
}

void peer_unref(struct peer *p)
{
	if (--p->refs == 0)
		free(p);
}

struct span peer_route(const struct peer *p)
{
	return span_of(p->link.to, p->link.to_n);
}

struct link *peer_link(struct peer *p)
{
	return p->is_gone ? NULL : &p->link;
}

bool peer_is_live(struct peer *p)
{
	peers_look_at_clock(p->peers);
	return !p->is_gone;
}

uint16_t peer_number(const struct peer *p)
{
	return p->number;
}

const char *peer_boot(const struct peer *p)
{
	return p->boot_text;
}

/* ---- what it is told ---- */

static void add_members(struct link *l, Gatepost__Members *m, const struct membership *ms)
{
	size_t n;
	const struct membership_row *rows = membership_rows(ms, &n);

	if (n > ENVELOPE_ITEM_PARTS) {
		log_warn_flood(
			"members.too_many", I("rows", n), I("most", ENVELOPE_ITEM_PARTS),
			S("do", "remove what does not belong into the hash of members"));
		n = ENVELOPE_ITEM_PARTS;
	}
	m->members = arena_alloc(&l->out.arena, n * sizeof *m->members);
	m->n_members = n;
	for (size_t i = 0; i < n; i++) {
		Gatepost__Members__Member *r = arena_alloc(&l->out.arena, sizeof *r);

		gatepost__members__member__init(r);
		r->name = (char *)(uintptr_t)arena_copy(
				  &l->out.arena,
				  span_of(rows[i].name, strlen(rows[i].name) + 1))
				  .p;
		r->endpoint =
			(char *)(uintptr_t)arena_copy(
				&l->out.arena,
				span_of(rows[i].endpoint, strlen(rows[i].endpoint) + 1))
				.p;
		r->boot = rows[i].boot;
		m->members[i] = r;
	}
}

void peer_welcome(struct peer *p)
{
	struct broker *b = p->peers->broker;
	struct link *l = &p->link;
	Gatepost__Welcome *w =
		link_add(l, GATEPOST__ITEM__BODY_WELCOME, &gatepost__welcome__descriptor);

	w->name = (char *)(uintptr_t)b->conf.name;
	w->boot = b->boot;
	w->number = p->number;
	w->credit_events = (uint64_t)b->conf.credit_events;
	w->credit_bytes = (uint64_t)b->conf.credit_bytes;
	w->members = arena_alloc(&l->out.arena, sizeof *w->members);
	gatepost__members__init(w->members);
	add_members(l, w->members, b->membership);
	link_enter(l, LINK_UP);
	log_info("link.up", S("edge", l->peer), I("number", p->number));
	w->store = arena_alloc(&l->out.arena, sizeof *w->store);
	gatepost__store__init(w->store);
	w->store->away = p->peers->store_is_away;
	if (b->draining)
		peer_tell_leaving(p);
}

void peer_tell_members(struct peer *p)
{
	add_members(&p->link,
		    link_add(&p->link, GATEPOST__ITEM__BODY_MEMBERS,
			     &gatepost__members__descriptor),
		    p->peers->broker->membership);
}

void peer_tell_store(struct peer *p)
{
	Gatepost__Store *m = link_add(&p->link, GATEPOST__ITEM__BODY_STORE,
				      &gatepost__store__descriptor);

	m->away = p->peers->store_is_away;
}

void peer_tell_leaving(struct peer *p)
{
	link_add(&p->link, GATEPOST__ITEM__BODY_LEAVING, &gatepost__leaving__descriptor);
}

void peer_resync(struct peer *p, uint64_t ticket)
{
	Gatepost__Resync *m = link_add(&p->link, GATEPOST__ITEM__BODY_RESYNC,
				       &gatepost__resync__descriptor);

	m->ticket = ticket;
}

Gatepost__Command *peer_command(struct peer *p, size_t bytes)
{
	struct link *l = &p->link;

	if (!window_has_room(&l->ahead))
		return NULL;
	window_take(&l->ahead, bytes);
	p->sent_items++;
	p->sent_bytes += bytes;
	return link_add(l, GATEPOST__ITEM__BODY_COMMAND, &gatepost__command__descriptor);
}

enum err peer_credit(struct peer *p, const Gatepost__Envelope *e)
{
	if (e->taken_items > p->sent_items || e->taken_bytes > p->sent_bytes)
		return ERR_MALFORMED;
	p->link.ahead.used_items = p->sent_items - e->taken_items;
	p->link.ahead.used_bytes = p->sent_bytes - e->taken_bytes;
	return OK;
}
