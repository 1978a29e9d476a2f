#include "bed.h"

#include "base/mem.h"
#include "broker/events/handle.h"
#include "broker/events/lane.h"
#include "broker/events/redelivery.h"
#include "broker/cluster/edges.h"
#include "broker/function/route.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

struct bed bed;
static struct arena arena;

struct edge_link {
	struct link link;
	unsigned refs;
	bool is_gone;
};

/* ---- in place of broker/cluster/edges.c and broker/events/handle.c ---- */

struct link *edge_link_out(struct edge_link *p)
{
	return p->is_gone ? NULL : &p->link;
}

bool edge_link_is_live(struct edge_link *p)
{
	return !p->is_gone;
}

bool edges_were_stopped(struct edges *p, int64_t since_ms)
{
	(void)p;
	(void)since_ms;
	return false;
}

uint16_t edge_link_number(const struct edge_link *p)
{
	(void)p;
	return BED_NUMBER;
}

const char *edge_link_boot(const struct edge_link *p)
{
	(void)p;
	return BED_BOOT;
}

struct edge_link *edge_link_ref(struct edge_link *p)
{
	p->refs++;
	return p;
}

void edge_link_unref(struct edge_link *p)
{
	if (--p->refs > 0)
		return;
	if (!p->is_gone)
		link_close(&p->link);
	free(p);
}

void handle(struct call *c)
{
	bed.handler(c);
}

/* ---- the bed ---- */

void bed_start(void)
{
	struct broker *b = &bed.broker;

	b->metrics = metrics_new();
	b->counts.refused = metric_counter(b->metrics, "refused_total", NULL, "refused");
	b->counts.retried = metric_counter(b->metrics, "retried_total", NULL, "retried");
	b->counts.repeated =
		metric_counter(b->metrics, "repeated_total", NULL, "repeated");
	b->lanes = lanes_new();
	bed_use(config_builtin("dev", CONFIG_SELECTION, "builtin:reject"));
	arena_init(&arena);
	for (int i = 0; i < BED_EDGES; i++) {
		struct edge_link *p = bed.edges[i] = xcalloc(1, sizeof *p);

		link_init(&p->link, NULL, span_str("edge"), (struct link_timing){1, 1},
			  0);
		p->refs = 1;
	}
}

void bed_use(struct config *config)
{
	routes_unref(bed.broker.routes);
	bed.broker.routes = routes_new(&bed.broker, config);
	cr_assert(bed.broker.routes != NULL);
}

void bed_stop(void)
{
	lanes_free(bed.broker.lanes);
	routes_unref(bed.broker.routes);
	owed_free(bed.broker.owed);
	loop_free(bed.broker.loop); /* what was put off until now is done by that */
	metrics_free(bed.broker.metrics);
	for (int i = 0; i < BED_EDGES; i++) {
		cr_assert(eq(u32, bed.edges[i]->refs, 1), "a call is left over");
		edge_link_unref(bed.edges[i]);
	}
	arena_close(&arena);
}

struct id bed_id(void)
{
	return id_make(BED_NUMBER, 1, 99);
}

void bed_take(int edge, uint64_t seq)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.seq = seq;
	e.kind = GATEPOST__EVENT__KIND__MESSAGE;
	bed_take_event(edge, &e);
}

void bed_take_event(int edge, Gatepost__Event *e)
{
	struct id id = bed_id();

	if (e->id.len == 0)
		e->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = id.b};
	lane_take(bed.broker.lanes, call_new(&bed.broker, bed.edges[edge], e));
}

void bed_hang_up(int edge)
{
	bed.edges[edge]->is_gone = true;
	link_close(&bed.edges[edge]->link);
}

size_t bed_said(int edge)
{
	return bed.edges[edge]->link.out.n;
}

const Gatepost__Envelope *bed_read(int edge)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT, *e = NULL;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	arena_reset(&arena);
	batch_pack(&bed.edges[edge]->link.out, &head, &m);
	cr_assert(
		eq(int,
		   envelope_read(span_of(zmq_msg_data(&m), zmq_msg_size(&m)), &arena, &e),
		   OK));
	zmq_msg_close(&m);
	return e;
}
