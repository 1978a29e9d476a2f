#include "broker/cluster/resync.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

enum { ANSWER_MS = 10 * 1000 };

/* Edge 7 is linked, the store's memory is "c1". */
static void start(void)
{
	cluster_start();
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
}

TestSuite(resync, .init = start, .fini = cluster_stop);

static void check(const char *synced)
{
	resync_check(cluster.resync, 7, span_str(synced));
}

/* The ticket of the next item, which asks the edge for its connections; 0: nothing asks. */
static uint64_t ticket(void)
{
	const Gatepost__Item *i = cluster_read("e1");

	if (i == NULL)
		return 0;
	cr_assert(eq(int, i->body_case, GATEPOST__ITEM__BODY_RESYNC));
	return i->resync->ticket;
}

/* The edge sends a list with these many connections. */
static void list(uint64_t of, bool last, size_t n)
{
	struct batch *b = cluster_letter();
	Gatepost__Roster *m =
		batch_add(b, GATEPOST__ITEM__BODY_ROSTER, &gatepost__roster__descriptor);

	m->ticket = of;
	m->last = last;
	m->n_rows = n;
	m->rows = proto_arena_alloc(&b->arena, (n + 1) * sizeof *m->rows);
	for (size_t i = 0; i < n; i++) {
		struct id id = id_make(7, (uint32_t)i, i);

		m->rows[i] = proto_arena_alloc(&b->arena, sizeof **m->rows);
		gatepost__roster__row__init(m->rows[i]);
		m->rows[i]->id = batch_copy(b, id_span(&id));
	}
	cluster_post("e1");
}

static void beat(const char *id)
{
	cluster_run(BEAT_MS, "e1");
	cluster_beat(id, false);
}

/* ---- when an edge is asked ---- */

Test(resync, asks_an_edge_whose_rows_are_not_known_to_be_in_this_memory)
{
	check("c1");
	cr_assert(eq(u64, ticket(), 0));
	check("c0");
	cr_assert(eq(u64, ticket(), 1));
}

Test(resync, asks_an_edge_whose_rows_are_known_to_be_in_none)
{
	check("");
	cr_assert(eq(u64, ticket(), 1));
}

Test(resync, asks_once_and_again_when_the_edge_has_not_answered_in_time)
{
	check("");
	cr_assert(eq(u64, ticket(), 1));
	cluster_run(ANSWER_MS - 100, "e1");
	check("");
	cr_assert(eq(u64, ticket(), 0));
	cluster_run(200, "e1");
	check("");
	cr_assert(eq(u64, ticket(), 2));
}

Test(resync, asks_no_edge_without_a_link_and_none_before_the_first_beat)
{
	resync_check(cluster.resync, 8, span_str(""));
	cr_assert(eq(u64, ticket(), 0));
}

/* ---- a list ---- */

Test(resync, puts_all_that_the_edge_has_and_notes_it_and_reconciles)
{
	check("");
	list(ticket(), false, 2);
	cr_assert(eq(u16, fake_store_asked(PUT)->edge, 7));
	cr_assert(eq(sz, fake_store_asked(PUT)->n, 2));
	cr_assert(eq(str, (char *)fake_store_asked(PUT)->boot, "00000000000000e1"));
	cr_assert(eq(str, (char *)fake_store_asked(PUT)->text, "dev"));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
	list(1, true, 1);
	fake_store_done(PUT, OK);
	cr_assert(eq(str, (char *)fake_store_asked(SYNCED)->text, "c1"));
	cr_assert(eq(u16, fake_store_asked(SCAN)->edge, 7));
	fake_store_done(SYNCED, OK);
	cr_assert(eq(i64, cluster_metric("gatepost_broker_resyncs_total", NULL), 1));
}

Test(resync, waits_for_puts_that_are_answered_out_of_order)
{
	check("");
	list(ticket(), false, 2);
	list(1, true, 1);
	cr_assert(eq(sz, fake_store_waiting(PUT), 2));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 1));
}

Test(resync, notes_the_memory_that_the_list_was_asked_for)
{
	check("");
	beat("c2");
	list(ticket(), true, 1);
	fake_store_done(PUT, OK);
	cr_assert(eq(str, (char *)fake_store_asked(SYNCED)->text, "c1"));
}

Test(resync, leaves_out_connections_of_other_edges_and_contexts_that_cannot_be_read)
{
	struct batch *b = cluster_letter();
	struct id ours = id_make(7, 1, 1), foreign = id_make(8, 1, 1);
	Gatepost__Roster *m;

	check("");
	m = batch_add(b, GATEPOST__ITEM__BODY_ROSTER, &gatepost__roster__descriptor);
	m->ticket = ticket();
	m->last = true;
	m->n_rows = 3;
	m->rows = proto_arena_alloc(&b->arena, 3 * sizeof *m->rows);
	for (size_t i = 0; i < 3; i++) {
		m->rows[i] = proto_arena_alloc(&b->arena, sizeof **m->rows);
		gatepost__roster__row__init(m->rows[i]);
		m->rows[i]->id = batch_copy(b, id_span(i == 0 ? &foreign : &ours));
	}
	m->rows[2]->context = batch_copy(b, span_str("\xff\xff"));
	cluster_post("e1");
	cr_assert(eq(sz, fake_store_asked(PUT)->n, 1));
}

/* ---- every failure of the store while rows are put ---- */

struct failure {
	enum err e;
	bool is_late; /* of a row that came to be after the list */
};

static struct failure failures[] = {
	{ERR_DOWN, false}, {ERR_BUSY, false}, {ERR_DENIED, false}, {ERR_MALFORMED, false},
	{ERR_DOWN, true},  {ERR_BUSY, true},  {ERR_DENIED, true},  {ERR_MALFORMED, true},
};

ParameterizedTestParameters(resync, every_put_that_fails)
{
	return cr_make_param_array(struct failure, failures,
				   sizeof failures / sizeof *failures);
}

ParameterizedTest(struct failure *f, resync, every_put_that_fails)
{
	if (f->is_late) {
		list(0, false, 1);
		fake_store_done(PUT, f->e);
		check("c1"); /* the store is to forget that it knew them */
		cr_assert(eq(str, (char *)fake_store_asked(SYNCED)->text, ""));
		cr_assert(eq(u64, ticket(), 0));
		fake_store_done(SYNCED, OK);
	} else {
		check("");
		list(ticket(), true, 1);
		fake_store_done(PUT, f->e);
		cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
		cr_assert(eq(sz, fake_store_waiting(SCAN), 0));
		check("");
		cr_assert(eq(u64, ticket(), 0));
		cluster_run(1000, "e1");
	}
	check("");
	cr_assert(ticket() > 0);
}

/* ---- rows that may be missing whatever is noted ---- */

/* As if Redis had two masters, and this broker wrote to the one that lost. */
static void leave_behind(void)
{
	check("c1"); /* so that the edge is known here */
	cluster_run(BEAT_MS, "e1");
	fake_store_set_lost(loop_now(cluster.loop) - 100);
	cluster_beat_of_age("c2", 900);
}

Test(resync, of_a_broker_that_was_left_behind_doubts_what_is_noted)
{
	leave_behind();
	check("c2");
	cr_assert(eq(u64, ticket(), 0));
	cr_assert(eq(str, (char *)fake_store_asked(SYNCED)->text, ""));
	fake_store_done(SYNCED, OK);
	check("");
	cr_assert(eq(u64, ticket(), 1));
}

Test(resync, doubts_until_the_store_has_noted_it)
{
	leave_behind();
	check("c2");
	fake_store_done(SYNCED, ERR_DOWN);
	check("c2");
	fake_store_done(SYNCED, ERR_BUSY);
	check("c2");
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 1));
	cr_assert(eq(u64, ticket(), 0));
}

Test(resync, doubts_nothing_when_only_the_memory_changed)
{
	check("c1");
	beat("c2");
	check("c2");
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
	cr_assert(eq(u64, ticket(), 0));
}

/* ---- when it reconciles ---- */

Test(resync, reconciles_once_in_a_while)
{
	check("c1");
	cluster_run(RECONCILE_MS - 1000, "e1");
	check("c1");
	cr_assert(eq(sz, fake_store_waiting(SCAN), 0));
	cluster_run(1000, "e1");
	check("c1");
	cr_assert(eq(sz, fake_store_waiting(SCAN), 1));
	fake_store_rows(OK, NULL, 0, 0);
	check("c1");
	cr_assert(eq(sz, fake_store_waiting(SCAN), 0));
}

Test(resync, reconciles_only_edges_whose_owner_is_here)
{
	uint16_t elsewhere = 1;

	cluster_run(BEAT_MS, "e1");
	cluster_beat("c1", true);
	while (members_is_owner(cluster.members, elsewhere))
		elsewhere++;
	cluster_link("e2", 0xe2, elsewhere);
	resync_check(cluster.resync, elsewhere, span_str("c1"));
	cluster_run(2 * RECONCILE_MS, "e1 e2");
	resync_check(cluster.resync, elsewhere, span_str("c1"));
	cr_assert(eq(sz, fake_store_waiting(SCAN), 0));
}

/* Look at the edge for ms; when was it scanned? */
static int64_t until_scan(int64_t most)
{
	for (int64_t ms = 0; ms <= most; ms += 100) {
		check("c1");
		if (fake_store_waiting(SCAN) > 0)
			return ms;
		cluster_run(100, "e1");
	}
	return -1;
}

Test(resync, begins_again_soon_when_it_was_cut_short_and_later_each_time)
{
	check("c1");
	cr_assert(eq(i64, until_scan(RECONCILE_MS), RECONCILE_MS));
	fake_store_rows(ERR_DOWN, NULL, 0, 0);
	cr_assert(eq(i64, until_scan(RECONCILE_MS), 1000));
	fake_store_rows(ERR_DOWN, NULL, 0, 0);
	cr_assert(eq(i64, until_scan(RECONCILE_MS), 2000));
	fake_store_rows(ERR_BUSY, NULL, 0, 0);
	cr_assert(eq(i64, until_scan(RECONCILE_MS), 4000));
	fake_store_rows(OK, NULL, 0, 0);
	cr_assert(until_scan(2 * RECONCILE_MS) > 30000);
}

Test(resync, never_waits_longer_than_between_two_to_begin_again)
{
	int64_t ms = 0;

	check("c1");
	cr_assert(eq(i64, until_scan(RECONCILE_MS), RECONCILE_MS));
	for (int i = 0; i < 12; i++) {
		fake_store_rows(ERR_DOWN, NULL, 0, 0);
		ms = until_scan(2 * RECONCILE_MS);
	}
	cr_assert(eq(i64, ms, RECONCILE_MS));
}

/* ---- presence ---- */

/* The edge sends one connection, which is present in a channel. */
static void list_member(uint64_t of)
{
	struct batch *b = cluster_letter();
	Gatepost__Roster *m =
		batch_add(b, GATEPOST__ITEM__BODY_ROSTER, &gatepost__roster__descriptor);
	struct id id = id_make(7, 1, 1);

	m->ticket = of;
	m->last = true;
	m->n_rows = 1;
	m->rows = proto_arena_alloc(&b->arena, sizeof *m->rows);
	m->rows[0] = proto_arena_alloc(&b->arena, sizeof **m->rows);
	gatepost__roster__row__init(m->rows[0]);
	m->rows[0]->id = batch_copy(b, id_span(&id));
	m->rows[0]->n_memberships = 1;
	m->rows[0]->memberships =
		proto_arena_alloc(&b->arena, sizeof *m->rows[0]->memberships);
	m->rows[0]->memberships[0] =
		proto_arena_alloc(&b->arena, sizeof *m->rows[0]->memberships[0]);
	gatepost__membership__init(m->rows[0]->memberships[0]);
	m->rows[0]->memberships[0]->channel = batch_copy(b, span_str("room:1"));
	m->rows[0]->memberships[0]->member = batch_copy(b, span_str("{}"));
	cluster_post("e1");
}

Test(resync, is_done_only_when_the_memberships_are_written_too)
{
	check("");
	list_member(ticket());
	cr_assert(eq(sz, cluster.memberships, 1));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
	cr_assert(eq(sz, cluster.reconciled, 0));
	cluster.written(cluster.written_arg, OK);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 1));
	cr_assert(eq(sz, cluster.reconciled, 1));
}

Test(resync, is_asked_for_again_when_a_membership_was_not_written)
{
	check("");
	list_member(ticket());
	fake_store_done(PUT, OK);
	cluster.written(cluster.written_arg, ERR_DOWN);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
	cluster_run(1100, "e1");
	check("");
	cr_assert(eq(u64, ticket(), 2));
}
