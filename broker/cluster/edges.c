#include "broker/cluster/edges_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/envelope.h"
#include "proto/id.h"

#include <errno.h>
#include <stdlib.h>

enum { TICK_MS = 100 };

static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void receive(struct edge_link *edge, const Gatepost__Item *i);
static struct edge_link *on_hello(struct edges *edges, struct span from,
				  const Gatepost__Envelope *e);
static void tick(void *arg);
static void send_members(void *arg);
static void renew_all(void *arg, bool left_behind);

static int64_t ask_count(void *arg)
{
	return edges_count(arg);
}

static int64_t ask_connections(void *arg)
{
	const struct edges *edges = arg;

	return zsock_peers(edges->z);
}

static void count(struct edges *edges)
{
	struct metrics *m = edges->uses.metrics;

	edges->full = metric_counter(m, "gatepost_broker_links_full_total", NULL,
				     "Links closed since ZeroMQ's queue was full");
	metric_asked_gauge(m, "gatepost_broker_edges", NULL, "Edges linked", ask_count,
			   edges);
	metric_asked_gauge(m, "gatepost_broker_link_connections", NULL,
			   "Connections to --bind, whether or not an edge has said Hello",
			   ask_connections, edges);
}

struct edges *edges_new(const struct edges_conf *conf, const struct edges_uses *uses,
			const struct edges_callbacks *on, void *arg)
{
	struct edges *edges = xcalloc(1, sizeof *edges);

	edges->conf = *conf;
	edges->uses = *uses;
	edges->on = *on;
	edges->arg = arg;
	edges->by_route = map_new();
	edges->by_number = map_new();
	LIST_INIT(&edges->asking);
	proto_arena_init(&edges->arena);
	edges->z = zsock_new(uses->loop, uses->zctx, ZMQ_ROUTER, on_message, edges);
	if (conf->silence_ms > ZSOCK_SILENCE_MS)
		zsock_silence(edges->z, (int)conf->silence_ms);
	if (zsock_bind(edges->z, conf->bind) != OK) {
		log_error("bind.failed", S("bind", conf->bind),
			  S("why", zmq_strerror(errno)),
			  S("hint",
			    "set --bind to a free endpoint, such as tcp://0.0.0.0:7400"));
		edges_free(edges);
		return NULL;
	}
	count(edges);
	members_watch(uses->members,
		      &(struct members_watcher){.changed = send_members,
						.store_changed = renew_all},
		      edges);
	edges->ticked_ms = loop_now(uses->loop);
	edges->timer = timer_new(uses->loop, tick, edges);
	timer_every(edges->timer, TICK_MS);
	return edges;
}

void edges_free(struct edges *edges)
{
	struct edge_link *edge;

	if (edges == NULL)
		return;
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		edge_link_drop(edge, "broker is shutting down");
	edge_lease_abandon(edges);
	timer_free(edges->timer);
	zsock_free(edges->z);
	map_free(edges->by_route);
	map_free(edges->by_number);
	proto_arena_close(&edges->arena);
	free(edges);
}

const char *edges_endpoint(const struct edges *edges)
{
	const char *told = edges->conf.advertise;

	return told != NULL ? told : zsock_endpoint(edges->z);
}

struct edge_link *edges_find(const struct edges *edges, uint16_t number)
{
	return map_find(edges->by_number, span_of(&number, sizeof number));
}

void edges_each(const struct edges *edges, edges_fn *fn, void *arg)
{
	struct edge_link *edge;

	for (size_t at = 0; (edge = map_next(edges->by_number, &at)) != NULL;)
		fn(arg, edge->number, edge->link.peer);
}

int64_t edges_count(const struct edges *edges)
{
	struct edge_link *edge;
	int64_t n = 0;

	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		n += edge->link.state == LINK_UP;
	return n;
}

/* ---- what comes in ---- */

static void receive_all(struct edge_link *edge, const Gatepost__Envelope *e)
{
	link_heard(&edge->link, loop_now(edge->edges->uses.loop));
	for (size_t i = 0; i < e->n_items && !edge->is_gone; i++)
		receive(edge, e->items[i]);
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	struct edges *edges = arg;
	Gatepost__Envelope *e = NULL;
	struct edge_link *edge;
	enum err err;

	edges_check_clock(edges);
	edge = map_find(edges->by_route, from);
	err = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)),
			    &edges->arena, &e);
	if (err == OK && edge != NULL)
		err = edge_link_credit(edge, e);
	if (err == ERR_DENIED) {
		log_error("link.version", I("theirs", e->version),
			  I("ours", LINK_VERSION),
			  S("hint", "run the same version of edge and broker"));
		edges_refuse(edges, from, "protocol version mismatch");
	} else if (err != OK) {
		log_warn_flood("link.malformed", S("edge", edge ? edge->link.peer : "?"));
		edges_refuse(edges, from, ENVELOPE_UNREADABLE);
	} else if (edge == NULL) {
		edge = on_hello(edges, from, e);
	}
	if (edge != NULL) {
		edge_link_ref(edge); /* its message may end the link */
		if (err != OK)
			edge_link_drop(edge, "protocol error");
		else
			receive_all(edge, e);
		edge_link_unref(edge);
	}
	proto_arena_reset(&edges->arena);
}

/* An edge with another number than the one known here reconnects, which repairs it. */
static void receive_event(struct edge_link *edge, const Gatepost__Event *e)
{
	struct edges *edges = edge->edges;
	struct id id;

	if (id_from(span_from(e->id), &id) == OK && id_edge(&id) == edge->number) {
		edges->on.event(edges->arg, edge, e);
		return;
	}
	edges_refuse(edges, edge_link_route(edge), "connection belongs to another edge");
	edge_link_drop(edge, "edge sent an event of another edge's connection");
}

/* All messages of an edge. */
static void receive(struct edge_link *edge, const Gatepost__Item *i)
{
	struct edges *edges = edge->edges;

	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_HELLO: return; /* on_hello has seen it */
	case GATEPOST__ITEM__BODY_EVENT:
		if (edge->link.state == LINK_UP)
			receive_event(edge, i->event);
		return;
	case GATEPOST__ITEM__BODY_OUTCOME:
		edges->on.outcome(edges->arg, edge, i->outcome);
		return;
	case GATEPOST__ITEM__BODY_ROSTER:
		/* Before it is up, its number is only a claim. */
		if (edge->link.state == LINK_UP)
			edges->on.resync(edges->arg, edge, i->roster);
		return;
	case GATEPOST__ITEM__BODY_INTEREST:
		if (edge->link.state == LINK_UP)
			edges->on.interest(edges->arg, edge, i->interest);
		return;
	case GATEPOST__ITEM__BODY_GAP:
		if (edge->link.state == LINK_UP)
			edges->on.gap(edges->arg, edge, i->gap);
		return;
	case GATEPOST__ITEM__BODY_LEAVING: edge->is_leaving = true; return;
	default:
		edges_refuse(edges, edge_link_route(edge),
			     "only brokers send this message");
		edge_link_drop(edge, "edge sent a message that only brokers send");
	}
}

/* A second life of the edge, or of its link, ends the first. */
static void drop_older(struct edges *edges, uint64_t boot)
{
	struct edge_link *edge;

	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		if (edge->boot == boot)
			edge_link_drop(edge, "edge reconnected");
}

static struct edge_link *on_hello(struct edges *edges, struct span from,
				  const Gatepost__Envelope *e)
{
	const Gatepost__Hello *h;
	struct edge_link *edge;

	if (e->n_items == 0 || e->items[0]->body_case != GATEPOST__ITEM__BODY_HELLO) {
		/* It outlived a broker of this endpoint. */
		log_info_flood("link.refused", S("why", "message before Hello"));
		edges_refuse(edges, from, "Hello must come first");
		return NULL;
	}
	h = e->items[0]->hello;
	drop_older(edges, h->boot);
	edge = edge_link_new(edges, from, h);
	edge_lease_acquire(edge, edge->number);
	return edge;
}

void edges_refuse(struct edges *edges, struct span to, const char *why)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	struct batch b;
	zmq_msg_t m;
	Gatepost__Refusal *r;

	batch_init(&b);
	r = batch_add(&b, GATEPOST__ITEM__BODY_REFUSAL, &gatepost__refusal__descriptor);
	r->version = LINK_VERSION;
	r->reason = (char *)(uintptr_t)why;
	head.version = LINK_VERSION;
	batch_pack(&b, &head, &m);
	batch_close(&b);
	(void)zsock_send(edges->z, to, &m); /* a peer that has gone needs no answer */
}

/* ---- time ---- */

void edges_check_clock(struct edges *edges)
{
	/* By the clock itself: the loop's time stands still within a turn. */
	int64_t late = clock_ms() - edges->ticked_ms;
	struct edge_link *edge;

	if (late <= edges->conf.lease_ms / 4)
		return;
	log_warn("broker.stopped", I("ms", late),
		 S("why", "process was suspended: its edges reconnect"));
	edges->ticked_ms += late;
	edges->stopped_ms = edges->ticked_ms;
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		edge_link_drop(edge, "broker process was suspended");
}

bool edges_were_suspended(struct edges *edges, int64_t since_ms)
{
	edges_check_clock(edges);
	return edges->stopped_ms >= since_ms;
}

/* Tell edges whether this broker reaches the store: they prefer brokers that do. */
static void check_store(struct edges *edges)
{
	bool down = !store_is_up(edges->uses.store);
	struct edge_link *edge;

	if (down == edges->store_is_down)
		return;
	edges->store_is_down = down;
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		if (edge->link.state == LINK_UP)
			edge_link_send_store(edge);
}

static void tick(void *arg)
{
	struct edges *edges = arg;
	int64_t now = loop_now(edges->uses.loop);
	struct edge_link *edge;

	edges_check_clock(edges);
	edges->ticked_ms = now;
	check_store(edges);
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;) {
		if (link_is_silent(&edge->link, now))
			edge_link_drop(edge, "silence");
		else
			edge_lease_tick(edge, now);
	}
}

/* ---- messages to all edges ---- */

static void send_members(void *arg)
{
	struct edges *edges = arg;
	struct edge_link *edge;

	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		if (edge->link.state == LINK_UP)
			edge_link_send_members(edge);
}

void edges_leave(struct edges *edges)
{
	struct edge_link *edge;

	edges->is_leaving = true;
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		if (edge->link.state == LINK_UP)
			edge_link_send_leaving(edge);
}

/* The store may have lost their leases. */
static void renew_all(void *arg, bool left_behind)
{
	struct edges *edges = arg;
	struct edge_link *edge;

	(void)left_behind;
	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		edge->lease_ms = 0; /* the next tick finds it due */
}

void edges_flush(void *arg)
{
	struct edges *edges = arg;
	int64_t now = loop_now(edges->uses.loop);
	struct edge_link *edge;

	for (size_t at = 0; (edge = map_next(edges->by_route, &at)) != NULL;)
		switch ((int)link_flush(&edge->link, now)) {
		case OK: break;
		case ERR_DOWN: edge_link_drop(edge, "peer closed the link"); break;
		default:
			metric_add(edges->full, 1);
			edge_link_drop(edge, "peer does not read");
		}
}
