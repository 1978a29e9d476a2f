#include "broker/cluster/edges.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

TestSuite(edges, .init = cluster_start, .fini = cluster_stop);

/* ---- every state of a link × everything that may come ---- */

enum state { STRANGER, GREETING, UP };
enum speech {
	HEARTBEAT,
	HELLO,
	EVENT,
	FOREIGN_EVENT, /* of another edge's connection */
	OUTCOME,
	ROSTER,
	LEAVING,
	INTEREST,
	GAP,
	WELCOME, /* what only a broker says */
	GARBAGE,
	OLD_VERSION,
};

struct row {
	enum state state;
	enum speech speech;
	char refused
		[40]; /* the reason that the edge is given; empty: it is not refused */
	bool ends;    /* its link */
	size_t events, outcomes, resyncs, channels;
};

static struct row rows[] = {
	{STRANGER, HEARTBEAT, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, EVENT, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, FOREIGN_EVENT, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, OUTCOME, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, ROSTER, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, LEAVING, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, INTEREST, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, GAP, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, WELCOME, "Hello must come first", false, 0, 0, 0, 0},
	{STRANGER, HELLO, "", false, 0, 0, 0, 0},
	{STRANGER, GARBAGE, "that was no envelope", false, 0, 0, 0, 0},
	{STRANGER, OLD_VERSION, "protocol version mismatch", false, 0, 0, 0, 0},
	{GREETING, HEARTBEAT, "", false, 0, 0, 0, 0},
	{GREETING, HELLO, "", false, 0, 0, 0, 0},
	{GREETING, EVENT, "", false, 0, 0, 0, 0},
	{GREETING, FOREIGN_EVENT, "", false, 0, 0, 0, 0},
	{GREETING, OUTCOME, "", false, 0, 1, 0, 0},
	{GREETING, ROSTER, "", false, 0, 0, 0, 0},
	{GREETING, LEAVING, "", false, 0, 0, 0, 0},
	{GREETING, INTEREST, "", false, 0, 0, 0, 0},
	{GREETING, GAP, "", false, 0, 0, 0, 0},
	{GREETING, WELCOME, "only brokers send this message", true, 0, 0, 0, 0},
	{GREETING, GARBAGE, "that was no envelope", true, 0, 0, 0, 0},
	{GREETING, OLD_VERSION, "protocol version mismatch", true, 0, 0, 0, 0},
	{UP, HEARTBEAT, "", false, 0, 0, 0, 0},
	{UP, HELLO, "", false, 0, 0, 0, 0},
	{UP, EVENT, "", false, 1, 0, 0, 0},
	{UP, FOREIGN_EVENT, "connection belongs to another edge", true, 0, 0, 0, 0},
	{UP, OUTCOME, "", false, 0, 1, 0, 0},
	{UP, ROSTER, "", false, 0, 0, 1, 0},
	{UP, LEAVING, "", false, 0, 0, 0, 0},
	{UP, INTEREST, "", false, 0, 0, 0, 1},
	{UP, GAP, "", false, 0, 0, 0, 1},
	{UP, WELCOME, "only brokers send this message", true, 0, 0, 0, 0},
	{UP, GARBAGE, "that was no envelope", true, 0, 0, 0, 0},
	{UP, OLD_VERSION, "protocol version mismatch", true, 0, 0, 0, 0},
};

static void *item(Gatepost__Item__BodyCase what, const ProtobufCMessageDescriptor *d)
{
	return batch_add(cluster_letter(), what, d);
}

static void say_old_version(void)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	zmq_msg_t m;

	head.version = 999;
	batch_pack(cluster_letter(), &head, &m);
	fake_router_receive("e1", &m);
}

static void say_outcome(void)
{
	Gatepost__Outcome *o =
		item(GATEPOST__ITEM__BODY_OUTCOME, &gatepost__outcome__descriptor);

	o->ticket = 77;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	cluster_post("e1");
}

static void say_interest(void)
{
	Gatepost__Interest *m =
		item(GATEPOST__ITEM__BODY_INTEREST, &gatepost__interest__descriptor);

	m->serial = 1;
	cluster_post("e1");
}

static void say_gap(void)
{
	struct batch *b = cluster_letter();
	Gatepost__Gap *g = item(GATEPOST__ITEM__BODY_GAP, &gatepost__gap__descriptor);

	g->channel = batch_copy(b, span_str("room:1"));
	g->position = proto_arena_alloc(&b->arena, sizeof *g->position);
	gatepost__position__init(g->position);
	g->position->epoch = batch_copy(b, span_str("0001a"));
	cluster_post("e1");
}

static void say_welcome(void)
{
	Gatepost__Welcome *w =
		item(GATEPOST__ITEM__BODY_WELCOME, &gatepost__welcome__descriptor);

	w->boot = 1;
	w->number = 1;
	w->members = proto_arena_alloc(&cluster_letter()->arena, sizeof *w->members);
	gatepost__members__init(w->members);
	cluster_post("e1");
}

static void say(enum speech speech)
{
	struct id ours = id_make(7, 1, 99), foreign = id_make(8, 1, 99);

	switch (speech) {
	case HEARTBEAT: cluster_post("e1"); return;
	case HELLO: cluster_hello("e1", 0xe1, 7); return;
	case EVENT: cluster_event("e1", &ours); return;
	case FOREIGN_EVENT: cluster_event("e1", &foreign); return;
	case OUTCOME: say_outcome(); return;
	case ROSTER:
		item(GATEPOST__ITEM__BODY_ROSTER, &gatepost__roster__descriptor);
		cluster_post("e1");
		return;
	case LEAVING:
		item(GATEPOST__ITEM__BODY_LEAVING, &gatepost__leaving__descriptor);
		cluster_post("e1");
		return;
	case INTEREST: say_interest(); return;
	case GAP: say_gap(); return;
	case WELCOME: say_welcome(); return;
	case GARBAGE: cluster_garbage("e1"); return;
	case OLD_VERSION: say_old_version(); return;
	}
}

ParameterizedTestParameters(edges, every_state_and_item)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, edges, every_state_and_item)
{
	const Gatepost__Item *i;

	if (r->state >= GREETING)
		cluster_hello("e1", 0xe1, 7);
	if (r->state == UP) {
		fake_store_number(OK, 7);
		cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_WELCOME));
	}
	say(r->speech);
	i = cluster_read("e1");
	if (r->refused[0] == '\0') {
		cr_assert(i == NULL);
	} else {
		cr_assert(i != NULL && i->body_case == GATEPOST__ITEM__BODY_REFUSAL);
		cr_assert(eq(str, i->refusal->reason, r->refused));
	}
	cr_assert(eq(sz, cluster.gone, r->ends));
	cr_assert(eq(sz, cluster.events, r->events));
	cr_assert(eq(sz, cluster.outcomes, r->outcomes));
	cr_assert(eq(sz, cluster.resyncs, r->resyncs));
	cr_assert(eq(sz, cluster.interests + cluster.gaps, r->channels));
	cr_assert(eq(sz, cluster.ups, r->state == UP));
	cr_assert(eq(i64, edges_count(cluster.edges), r->state == UP && !r->ends));
}

Test(edges, items_behind_the_one_that_ends_a_link_are_not_read)
{
	struct id foreign = id_make(8, 1, 99), ours = id_make(7, 1, 99);
	Gatepost__Event *e;

	cluster_link("e1", 0xe1, 7);
	e = item(GATEPOST__ITEM__BODY_EVENT, &gatepost__event__descriptor);
	e->kind = GATEPOST__EVENT__KIND__MESSAGE;
	e->id = batch_copy(cluster_letter(), id_span(&foreign));
	cluster_event("e1", &ours);
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(eq(sz, cluster.events, 0));
}

/* ---- the start ---- */

Test(edges, cannot_be_had_where_nothing_can_be_bound)
{
	fake_router_bind_fails();
	cr_assert(edges_new(&(struct edges_conf){.bind = "tcp://127.0.0.1:7400"},
			    &(struct edges_uses){.loop = cluster.loop,
						 .members = cluster.members},
			    &(struct edges_callbacks){0}, NULL) == NULL);
}

/* ---- which link ---- */

Test(edges, a_second_life_of_an_edge_ends_its_first_link)
{
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e1b", 0xe1, 7);
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(edges_find(cluster.edges, 7) == NULL);
	fake_store_number(OK, 7);
	cr_assert(edges_find(cluster.edges, 7) != NULL);
	cr_assert(eq(i64, edges_count(cluster.edges), 1));
}

/* ---- the ends of a link ---- */

Test(edges, silence_ends_a_link_and_heartbeats_keep_it)
{
	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 8);
	cluster_run(SILENCE_MS + 200, "e2");
	cr_assert(edges_find(cluster.edges, 7) == NULL);
	cr_assert(edges_find(cluster.edges, 8) != NULL);
	cr_assert(eq(sz, cluster.gone, 1));
}

Test(edges, a_link_sends_heartbeats_when_it_has_nothing_else_to_send)
{
	size_t before;

	cluster_link("e1", 0xe1, 7);
	before = fake_router_sent("e1");
	cluster_run(3 * HEARTBEAT_MS, "e1");
	cr_assert(eq(sz, fake_router_sent("e1") - before, 3));
}

Test(edges, a_link_that_takes_nothing_ends_and_is_counted)
{
	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 8);
	fake_router_fail("e1", ERR_BUSY);
	cluster_run(HEARTBEAT_MS, "e1 e2");
	cr_assert(edges_find(cluster.edges, 7) == NULL);
	cr_assert(edges_find(cluster.edges, 8) != NULL);
	cr_assert(eq(i64, cluster_metric("gatepost_broker_links_full_total", NULL), 1));
}

Test(edges, a_link_whose_other_end_is_closed_ends_and_is_not_counted_as_full)
{
	cluster_link("e1", 0xe1, 7);
	fake_router_fail("e1", ERR_DOWN);
	cluster_run(HEARTBEAT_MS, "e1");
	cr_assert(edges_find(cluster.edges, 7) == NULL);
	cr_assert(eq(i64, cluster_metric("gatepost_broker_links_full_total", NULL), 0));
}

Test(edges, all_links_end_once_this_process_was_stopped_for_a_quarter_of_the_lease)
{
	struct edge_link *edge = edge_link_ref(cluster_link("e1", 0xe1, 7));
	int64_t before = loop_now(cluster.loop);

	fake_loop_stop_for(LEASE_MS / 4);
	cr_assert(edge_link_is_live(edge));
	cr_assert(not(edges_were_suspended(cluster.edges, before)));
	fake_loop_stop_for(200);
	cr_assert(not(edge_link_is_live(edge)));
	cr_assert(edge_link_out(edge) == NULL);
	cr_assert(edges_were_suspended(cluster.edges, before));
	cr_assert(not(edges_were_suspended(cluster.edges, loop_now(cluster.loop) + 1)));
	edge_link_unref(edge);
}

Test(edges, an_event_that_waited_while_this_process_was_stopped_is_not_passed_on)
{
	struct id id = id_make(7, 1, 99);

	cluster_link("e1", 0xe1, 7);
	fake_loop_stop_for(LEASE_MS / 4 + 200);
	cluster_event("e1", &id);
	cr_assert(eq(sz, cluster.events, 0));
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_REFUSAL));
}

Test(edges, their_end_is_the_end_of_all_links)
{
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e2", 0xe2, 0);
	cluster_free_edges();
	cr_assert(eq(sz, cluster.gone, 2));
}

/* ---- what all are told ---- */

Test(edges, that_are_up_get_members_when_brokers_join_or_leave_and_others_do_not)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e2", 0xe2, 0);
	cluster_run(BEAT_MS, "e1 e2");
	cluster_beat("c1", false);
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY__NOT_SET));
	cluster_run(BEAT_MS, "e1 e2");
	cluster_beat("c1", true);
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_MEMBERS));
	cr_assert(eq(int, cluster_read_kind("e2"), GATEPOST__ITEM__BODY__NOT_SET));
}

Test(edges, get_one_message_when_the_store_goes_down_and_one_when_it_is_up)
{
	const Gatepost__Item *i;

	cluster_link("e1", 0xe1, 7);
	fake_store_set_up(false);
	cluster_run(500, "e1");
	i = cluster_read("e1");
	cr_assert(i->body_case == GATEPOST__ITEM__BODY_STORE && i->store->away);
	cr_assert(cluster_read("e1") == NULL);
	fake_store_set_up(true);
	cluster_run(500, "e1");
	i = cluster_read("e1");
	cr_assert(i->body_case == GATEPOST__ITEM__BODY_STORE && !i->store->away);
	cr_assert(cluster_read("e1") == NULL);
}

Test(edges, are_asked_for_no_new_lanes_also_those_that_link_later)
{
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e2", 0xe2, 0);
	edges_leave(cluster.edges);
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_LEAVING));
	cr_assert(eq(int, cluster_read_kind("e2"), GATEPOST__ITEM__BODY__NOT_SET));
	fake_store_number(OK, 8);
	cr_assert(eq(int, cluster_read_kind("e2"), GATEPOST__ITEM__BODY_WELCOME));
	cr_assert(eq(int, cluster_read_kind("e2"), GATEPOST__ITEM__BODY_LEAVING));
}
