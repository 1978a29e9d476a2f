#include "fixture.h"

#include "base/mem.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture cluster;
static struct batch letter;
static const char *other_edges = ""; /* linked to broker-1 */

static void on_up(void *arg, struct edge_link *edge)
{
	(void)arg;
	cluster.ups++;
	if (cluster.on.up != NULL)
		cluster.on.up(arg, edge);
}

static void on_interest(void *arg, struct edge_link *from, const Gatepost__Interest *m)
{
	(void)arg;
	cluster.interests++;
	if (cluster.on.interest != NULL)
		cluster.on.interest(arg, from, m);
}

static void on_gap(void *arg, struct edge_link *from, const Gatepost__Gap *g)
{
	(void)arg;
	cluster.gaps++;
	if (cluster.on.gap != NULL)
		cluster.on.gap(arg, from, g);
}

static void on_event(void *arg, struct edge_link *from, const Gatepost__Event *e)
{
	(void)arg;
	(void)from;
	(void)e;
	cluster.events++;
}

static void on_outcome(void *arg, struct edge_link *from, const Gatepost__Outcome *o)
{
	(void)arg;
	cluster.outcomes++;
	if (cluster.on.outcome != NULL)
		cluster.on.outcome(arg, from, o);
	commands_outcome(cluster.commands, from, o);
}

static void on_resync(void *arg, struct edge_link *from, const Gatepost__Roster *m)
{
	(void)arg;
	cluster.resyncs++;
	resync_receive(cluster.resync, from, m);
}

static void on_gone(void *arg, struct edge_link *edge)
{
	(void)arg;
	cluster.gone++;
	if (cluster.on.gone != NULL)
		cluster.on.gone(arg, edge);
	commands_lost(cluster.commands, edge);
}

static bool on_due(void *arg, uint16_t edge)
{
	(void)arg;
	cluster.due++;
	cluster.due_edge = edge;
	return !cluster.is_full;
}

static void on_present(void *arg, uint16_t edge)
{
	(void)arg;
	(void)edge;
	cluster.present++;
}

static void put_memberships(void *arg, const Gatepost__Roster__Row *row,
			    store_done_fn *fn, void *fn_arg)
{
	(void)arg;
	cluster.memberships += row->n_memberships;
	cluster.written = fn;
	cluster.written_arg = fn_arg;
}

static void reconcile_presence(void *arg, uint16_t edge)
{
	(void)arg;
	(void)edge;
	cluster.reconciled++;
}

static const char *stage(void *arg)
{
	(void)arg;
	return "dev";
}

static void flush(void *arg)
{
	(void)arg;
	if (cluster.edges != NULL)
		edges_flush(cluster.edges);
}

void cluster_start(void)
{
	struct fixture *c = &cluster;
	struct store *st = fake_store();

	batch_init(&letter);
	c->loop = loop_new();
	c->metrics = metrics_new();
	c->members = members_new(c->loop, st,
				 &(struct members_conf){.name = "broker-0",
							.boot = BROKER_BOOT,
							.member_ms = MEMBER_MS});
	c->fences = fences_new(st, c->members);
	c->edges = edges_new(&(struct edges_conf){.name = "broker-0",
						  .boot = BROKER_BOOT,
						  .bind = "tcp://127.0.0.1:*",
						  .heartbeat_ms = HEARTBEAT_MS,
						  .silence_ms = SILENCE_MS,
						  .lease_ms = LEASE_MS,
						  .credit_events = 100,
						  .credit_bytes = 1000},
			     &(struct edges_uses){.loop = c->loop,
						  .store = st,
						  .members = c->members,
						  .fences = c->fences,
						  .metrics = c->metrics},
			     &(struct edges_callbacks){.up = on_up,
						       .event = on_event,
						       .outcome = on_outcome,
						       .resync = on_resync,
						       .interest = on_interest,
						       .gap = on_gap,
						       .gone = on_gone},
			     NULL);
	c->commands = commands_new(c->loop, st, c->edges, c->metrics, COMMAND_MS);
	c->resync = resync_new(RECONCILE_MS,
			       &(struct resync_uses){.loop = c->loop,
						     .store = st,
						     .members = c->members,
						     .edges = c->edges,
						     .commands = c->commands,
						     .metrics = c->metrics,
						     .stage = stage,
						     .memberships = put_memberships,
						     .reconcile = reconcile_presence});
	c->reaper = reaper_new(LEASE_MS, &(struct reaper_uses){.loop = c->loop,
							       .store = st,
							       .members = c->members,
							       .fences = c->fences,
							       .edges = c->edges,
							       .resync = c->resync,
							       .metrics = c->metrics,
							       .due = on_due,
							       .present = on_present});
	loop_at_turn_end(c->loop, flush, NULL);
	members_start(c->members, edges_endpoint(c->edges));
}

void cluster_free_edges(void)
{
	edges_free(cluster.edges);
	cluster.edges = NULL;
}

void cluster_stop(void)
{
	struct fixture *c = &cluster;

	edges_free(c->edges);
	fake_store_close();
	reaper_free(c->reaper);
	resync_free(c->resync);
	commands_free(c->commands);
	fences_free(c->fences);
	members_free(c->members);
	loop_free(c->loop);
	metrics_free(c->metrics);
	fake_router_close();
	batch_close(&letter);
}

static void view(const char *id, size_t n, int64_t age_ms)
{
	struct member all[] = {
		{.name = span_str("broker-0"),
		 .boot = span_str("00000000000000b0"),
		 .endpoint = span_str("tcp://127.0.0.1:7400")},
		{.name = span_str("broker-1"),
		 .boot = span_str("00000000000000b1"),
		 .endpoint = span_str("tcp://127.0.0.1:7401"),
		 .edges = span_str(other_edges)},
	};

	fake_store_view(OK, &(struct members_view){.members = all,
						   .n = n,
						   .cluster = span_str(id),
						   .age_ms = age_ms});
}

void cluster_set_linked(const char *edges)
{
	other_edges = edges;
}

void cluster_beat(const char *id, bool with_other)
{
	view(id, with_other ? 2 : 1, 0);
}

void cluster_beat_of_age(const char *id, int64_t age_ms)
{
	view(id, 1, age_ms);
}

void cluster_run(int64_t ms, const char *edges)
{
	while (ms > 0) {
		int64_t step = ms < HEARTBEAT_MS ? ms : HEARTBEAT_MS;
		char names[64], *rest = names, *name;

		snprintf(names, sizeof names, "%s", edges);
		while ((name = strsep(&rest, " ")) != NULL)
			if (*name != '\0')
				cluster_post(name);
		fake_loop_run(cluster.loop, step);
		ms -= step;
	}
}

struct batch *cluster_letter(void)
{
	return &letter;
}

void cluster_post_taken(const char *from, uint64_t items, uint64_t bytes)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	head.taken_items = items;
	head.taken_bytes = bytes;
	batch_pack(&letter, &head, &m);
	fake_router_receive(from, &m);
}

void cluster_post(const char *from)
{
	cluster_post_taken(from, 0, 0);
}

void cluster_garbage(const char *from)
{
	zmq_msg_t m;

	zmq_msg_init_size(&m, 3);
	memcpy(zmq_msg_data(&m), "\xff\xff\xff", 3);
	fake_router_receive(from, &m);
}

void cluster_hello(const char *from, uint64_t boot, uint16_t number)
{
	Gatepost__Hello *h = batch_add(&letter, GATEPOST__ITEM__BODY_HELLO,
				       &gatepost__hello__descriptor);

	h->name = "edge";
	h->boot = boot;
	h->number = number;
	h->credit_items = 4;
	h->credit_bytes = 1000;
	cluster_post(from);
}

void cluster_event(const char *from, const struct id *id)
{
	Gatepost__Event *e = batch_add(&letter, GATEPOST__ITEM__BODY_EVENT,
				       &gatepost__event__descriptor);

	e->kind = GATEPOST__EVENT__KIND__MESSAGE;
	e->id = batch_copy(&letter, id_span(id));
	cluster_post(from);
}

struct edge_link *cluster_link(const char *from, uint64_t boot, uint16_t number)
{
	cluster_hello(from, boot, number);
	fake_store_number(OK, number);
	cr_assert(eq(int, cluster_read_kind(from), GATEPOST__ITEM__BODY_WELCOME));
	return edges_find(cluster.edges, number);
}

const Gatepost__Item *cluster_read(const char *to)
{
	flush(NULL);
	return fake_router_read(to);
}

Gatepost__Item__BodyCase cluster_read_kind(const char *to)
{
	const Gatepost__Item *i = cluster_read(to);

	return i != NULL ? i->body_case : GATEPOST__ITEM__BODY__NOT_SET;
}

const Gatepost__Command *cluster_read_command(const char *to)
{
	const Gatepost__Item *i = cluster_read(to);

	cr_assert(i != NULL && i->body_case == GATEPOST__ITEM__BODY_COMMAND);
	return i->command;
}

int64_t cluster_metric(const char *name, const char *labels)
{
	return metric_value(metric_counter(cluster.metrics, name, labels, ""));
}
