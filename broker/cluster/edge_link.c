#include "broker/cluster/edges_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "proto/envelope.h"

#include <stdio.h>
#include <stdlib.h>

struct edge_link *edge_link_new(struct edges *edges, struct span from,
				const Gatepost__Hello *h)
{
	const struct edges_conf *conf = &edges->conf;
	/* Once its lease has expired, others may reap it: its messages do not count from then on. */
	int64_t silence_ms =
		conf->silence_ms < conf->lease_ms ? conf->silence_ms : conf->lease_ms;
	struct link_timing timing = {conf->heartbeat_ms, silence_ms};
	struct edge_link *edge = xcalloc(1, sizeof *edge);

	link_init(&edge->link, edges->z, from, timing, loop_now(edges->uses.loop));
	edge->edges = edges;
	edge->refs = 1;
	edge->boot = h->boot;
	snprintf(edge->boot_text, sizeof edge->boot_text, "%016llx",
		 (unsigned long long)h->boot);
	snprintf(edge->link.peer, sizeof edge->link.peer, "%s", h->name);
	edge->link.ahead =
		(struct window){.items = h->credit_items, .bytes = h->credit_bytes};
	link_set_state(&edge->link, LINK_GREETING);
	map_put(edges->by_route, edge_link_route(edge), edge);
	edge->number = (uint16_t)h->number;
	if (h->number == 0)
		snprintf(edge->cluster, sizeof edge->cluster, "%s",
			 members_cluster(edges->uses.members));
	return edge;
}

static struct span number_of(const struct edge_link *edge)
{
	return span_of(&edge->number, sizeof edge->number);
}

/* The newest with this number is found from now on. */
static void enter_number(struct edge_link *edge)
{
	edge->older = map_put(edge->edges->by_number, number_of(edge), edge);
	members_link(edge->edges->uses.members, edge->number, true);
}

/* Those of the number that are older stay, and the newest of them is found, if edge was. */
static void leave_number(struct edge_link *edge)
{
	struct map *by_number = edge->edges->by_number;
	struct edge_link *newest = map_find(by_number, number_of(edge)), *l = newest;

	if (newest == edge && edge->older == NULL) {
		map_remove(by_number, number_of(edge));
		members_link(edge->edges->uses.members, edge->number, false);
	} else if (newest == edge) {
		map_put(by_number, number_of(edge->older), edge->older);
	} else {
		while (l->older != edge)
			l = l->older;
		l->older = edge->older;
	}
}

void edge_link_drop(struct edge_link *edge, const char *why)
{
	struct edges *edges = edge->edges;

	if (edge->is_gone)
		return;
	if (edge->link.state == LINK_UP) {
		log_info("link.down", S("edge", edge->link.peer), S("why", why));
		leave_number(edge);
	}
	map_remove(edges->by_route, edge_link_route(edge));
	link_set_state(&edge->link, LINK_DOWN);
	link_close(&edge->link);
	edge->is_gone = true;
	edges->on.gone(edges->arg, edge);
	edge_link_unref(edge);
}

struct edge_link *edge_link_ref(struct edge_link *edge)
{
	edge->refs++;
	return edge;
}

void edge_link_unref(struct edge_link *edge)
{
	if (--edge->refs == 0)
		free(edge);
}

struct span edge_link_route(const struct edge_link *edge)
{
	return span_of(edge->link.to, edge->link.to_n);
}

struct link *edge_link_out(struct edge_link *edge)
{
	return edge->is_gone ? NULL : &edge->link;
}

bool edge_link_is_live(struct edge_link *edge)
{
	edges_check_clock(edge->edges);
	return !edge->is_gone;
}

uint16_t edge_link_number(const struct edge_link *edge)
{
	return edge->number;
}

const char *edge_link_boot(const struct edge_link *edge)
{
	return edge->boot_text;
}

/* ---- messages to the edge ---- */

static void add_members(struct link *l, Gatepost__Members *m, const struct members *ms)
{
	size_t n;
	const struct members_row *rows = members_rows(ms, &n);

	if (n > ENVELOPE_ITEM_PARTS) {
		log_warn_flood("members.too_many", I("rows", n),
			       I("most", ENVELOPE_ITEM_PARTS),
			       S("hint", "remove foreign rows from the hash of members"));
		n = ENVELOPE_ITEM_PARTS;
	}
	m->members = proto_arena_alloc(&l->out.arena, n * sizeof *m->members);
	m->n_members = n;
	for (size_t i = 0; i < n; i++) {
		Gatepost__Members__Member *r =
			proto_arena_alloc(&l->out.arena, sizeof *r);

		gatepost__members__member__init(r);
		r->name = (char *)(uintptr_t)proto_arena_copy(
				  &l->out.arena,
				  span_of(rows[i].name, strlen(rows[i].name) + 1))
				  .p;
		r->endpoint =
			(char *)(uintptr_t)proto_arena_copy(
				&l->out.arena,
				span_of(rows[i].endpoint, strlen(rows[i].endpoint) + 1))
				.p;
		r->boot = rows[i].boot;
		m->members[i] = r;
	}
}

void edge_link_welcome(struct edge_link *edge)
{
	const struct edges *edges = edge->edges;
	struct link *l = &edge->link;
	Gatepost__Welcome *w =
		link_add(l, GATEPOST__ITEM__BODY_WELCOME, &gatepost__welcome__descriptor);

	w->name = (char *)(uintptr_t)edges->conf.name;
	w->boot = edges->conf.boot;
	w->number = edge->number;
	w->beat_ms = (uint32_t)members_beat_ms(edges->uses.members);
	w->credit_events = (uint64_t)edges->conf.credit_events;
	w->credit_bytes = (uint64_t)edges->conf.credit_bytes;
	w->members = proto_arena_alloc(&l->out.arena, sizeof *w->members);
	gatepost__members__init(w->members);
	add_members(l, w->members, edges->uses.members);
	link_set_state(l, LINK_UP);
	enter_number(edge);
	log_info("link.up", S("edge", l->peer), I("number", edge->number));
	w->store = proto_arena_alloc(&l->out.arena, sizeof *w->store);
	gatepost__store__init(w->store);
	w->store->away = edges->store_is_down;
	if (edges->is_leaving)
		edge_link_send_leaving(edge);
	edges->on.up(edges->arg, edge);
}

void edge_link_send_members(struct edge_link *edge)
{
	add_members(&edge->link,
		    link_add(&edge->link, GATEPOST__ITEM__BODY_MEMBERS,
			     &gatepost__members__descriptor),
		    edge->edges->uses.members);
}

void edge_link_send_store(struct edge_link *edge)
{
	Gatepost__Store *m = link_add(&edge->link, GATEPOST__ITEM__BODY_STORE,
				      &gatepost__store__descriptor);

	m->away = edge->edges->store_is_down;
}

void edge_link_send_leaving(struct edge_link *edge)
{
	link_add(&edge->link, GATEPOST__ITEM__BODY_LEAVING,
		 &gatepost__leaving__descriptor);
}

void edge_link_ask_resync(struct edge_link *edge, uint64_t ticket)
{
	Gatepost__Resync *m = link_add(&edge->link, GATEPOST__ITEM__BODY_RESYNC,
				       &gatepost__resync__descriptor);

	m->ticket = ticket;
}

bool edge_link_has_credit(const struct edge_link *edge)
{
	return window_has_credit(&edge->link.ahead);
}

/* An item that costs credit. */
static void *add_paid(struct edge_link *edge, size_t bytes, Gatepost__Item__BodyCase what,
		      const ProtobufCMessageDescriptor *d)
{
	if (!edge_link_has_credit(edge))
		return NULL;
	window_spend(&edge->link.ahead, bytes);
	edge->sent_items++;
	edge->sent_bytes += bytes;
	return link_add(&edge->link, what, d);
}

Gatepost__Command *edge_link_command(struct edge_link *edge, size_t bytes)
{
	return add_paid(edge, bytes, GATEPOST__ITEM__BODY_COMMAND,
			&gatepost__command__descriptor);
}

Gatepost__Deliver *edge_link_deliver(struct edge_link *edge, size_t bytes)
{
	return add_paid(edge, bytes, GATEPOST__ITEM__BODY_DELIVER,
			&gatepost__deliver__descriptor);
}

void edge_link_confirm(struct edge_link *edge, uint64_t serial)
{
	Gatepost__Confirmation *m =
		link_add(&edge->link, GATEPOST__ITEM__BODY_CONFIRMATION,
			 &gatepost__confirmation__descriptor);

	m->serial = serial;
}

Gatepost__Fill *edge_link_fill(struct edge_link *edge)
{
	return link_add(&edge->link, GATEPOST__ITEM__BODY_FILL,
			&gatepost__fill__descriptor);
}

enum err edge_link_credit(struct edge_link *edge, const Gatepost__Envelope *e)
{
	if (e->taken_items == 0) /* as before */
		return OK;
	if (e->taken_items > edge->sent_items || e->taken_bytes > edge->sent_bytes)
		return ERR_MALFORMED;
	edge->link.ahead.used_items = edge->sent_items - e->taken_items;
	edge->link.ahead.used_bytes = edge->sent_bytes - e->taken_bytes;
	return OK;
}
