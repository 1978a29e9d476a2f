#include "broker/edges_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "broker/members.h"

#include <stdlib.h>

struct edge_link *edge_link_new(struct edges *ps, struct span from,
				const Gatepost__Hello *h)
{
	const struct broker_conf *conf = &ps->broker->conf;
	/* Once its lease is over, others may give it up: nothing that it says counts from then on. */
	int64_t silence_ms =
		conf->silence_ms < conf->lease_ms ? conf->silence_ms : conf->lease_ms;
	struct link_timing timing = {conf->heartbeat_ms, silence_ms};
	struct edge_link *p = xcalloc(1, sizeof *p);

	link_init(&p->link, ps->z, from, timing, loop_now(ps->broker->loop));
	p->edges = ps;
	p->refs = 1;
	p->boot = h->boot;
	snprintf(p->boot_text, sizeof p->boot_text, "%016llx",
		 (unsigned long long)h->boot);
	snprintf(p->link.peer, sizeof p->link.peer, "%s", h->name);
	p->link.ahead =
		(struct window){.items = h->credit_items, .bytes = h->credit_bytes};
	link_enter(&p->link, LINK_GREETING);
	map_put(ps->by_route, edge_link_route(p), p);
	p->number = (uint16_t)h->number;
	if (h->number == 0)
		snprintf(p->cluster, sizeof p->cluster, "%s",
			 members_cluster(ps->broker->members));
	return p;
}

void edge_link_drop(struct edge_link *p, const char *why)
{
	struct edges *ps = p->edges;

	if (p->is_gone)
		return;
	if (p->link.state == LINK_UP)
		log_info("link.down", S("edge", p->link.peer), S("why", why));
	map_remove(ps->by_route, edge_link_route(p));
	link_enter(&p->link, LINK_DOWN);
	link_close(&p->link);
	p->is_gone = true;
	commands_lost(ps->broker->commands, p);
	edge_link_unref(p);
}

struct edge_link *edge_link_ref(struct edge_link *p)
{
	p->refs++;
	return p;
}

void edge_link_unref(struct edge_link *p)
{
	if (--p->refs == 0)
		free(p);
}

struct span edge_link_route(const struct edge_link *p)
{
	return span_of(p->link.to, p->link.to_n);
}

struct link *edge_link_out(struct edge_link *p)
{
	return p->is_gone ? NULL : &p->link;
}

bool edge_link_is_live(struct edge_link *p)
{
	edges_look_at_clock(p->edges);
	return !p->is_gone;
}

uint16_t edge_link_number(const struct edge_link *p)
{
	return p->number;
}

const char *edge_link_boot(const struct edge_link *p)
{
	return p->boot_text;
}

/* ---- what it is told ---- */

static void add_members(struct link *l, Gatepost__Members *m, const struct members *ms)
{
	size_t n;
	const struct members_row *rows = members_rows(ms, &n);

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

void edge_link_welcome(struct edge_link *p)
{
	struct broker *b = p->edges->broker;
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
	add_members(l, w->members, b->members);
	link_enter(l, LINK_UP);
	log_info("link.up", S("edge", l->peer), I("number", p->number));
	w->store = arena_alloc(&l->out.arena, sizeof *w->store);
	gatepost__store__init(w->store);
	w->store->away = p->edges->store_is_away;
	if (b->draining)
		edge_link_tell_leaving(p);
}

void edge_link_tell_members(struct edge_link *p)
{
	add_members(&p->link,
		    link_add(&p->link, GATEPOST__ITEM__BODY_MEMBERS,
			     &gatepost__members__descriptor),
		    p->edges->broker->members);
}

void edge_link_tell_store(struct edge_link *p)
{
	Gatepost__Store *m = link_add(&p->link, GATEPOST__ITEM__BODY_STORE,
				      &gatepost__store__descriptor);

	m->away = p->edges->store_is_away;
}

void edge_link_tell_leaving(struct edge_link *p)
{
	link_add(&p->link, GATEPOST__ITEM__BODY_LEAVING, &gatepost__leaving__descriptor);
}

void edge_link_ask_resync(struct edge_link *p, uint64_t ticket)
{
	Gatepost__Resync *m = link_add(&p->link, GATEPOST__ITEM__BODY_RESYNC,
				       &gatepost__resync__descriptor);

	m->ticket = ticket;
}

Gatepost__Command *edge_link_command(struct edge_link *p, size_t bytes)
{
	struct link *l = &p->link;

	if (!window_has_room(&l->ahead))
		return NULL;
	window_take(&l->ahead, bytes);
	p->sent_items++;
	p->sent_bytes += bytes;
	return link_add(l, GATEPOST__ITEM__BODY_COMMAND, &gatepost__command__descriptor);
}

enum err edge_link_credit(struct edge_link *p, const Gatepost__Envelope *e)
{
	if (e->taken_items > p->sent_items || e->taken_bytes > p->sent_bytes)
		return ERR_MALFORMED;
	p->link.ahead.used_items = p->sent_items - e->taken_items;
	p->link.ahead.used_bytes = p->sent_bytes - e->taken_bytes;
	return OK;
}
