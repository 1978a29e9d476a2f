#include "broker/cluster/reaper.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

enum {
	TURN_MS = 200, /* within that a broker looks again at an edge whose home it is */
	SURE_MS = 300,
	UNTOLD_MS = 10 * 60 * 1000,
};

static const uint16_t seven = 7;

/* The store knows edge 7, and has been there for a lease's time: edges may be given up. */
static void start(void)
{
	cluster_start();
	cluster_beat("c1", false);
	cluster_run(LEASE_MS, "");
	cluster_beat("c1", false);
	fake_store_list(OK, &seven, 1);
	cluster_run(100, "");
}

TestSuite(reaper, .init = start, .fini = cluster_stop);

static struct edge_state state(bool held, int64_t rows, int64_t pending)
{
	return (struct edge_state){
		.held = held,
		.rows = rows,
		.pending = pending,
		.due = pending > 0,
		.synced = span_str("c1"),
		.boot = span_str("00000000000000e1"),
	};
}

/* Answer all looks with s for ms, or until something else is asked; the lists and beats stay as they are. */
static bool look(struct edge_state s, int64_t ms, enum fake_question until)
{
	for (int64_t t = 0; t <= ms; t += 100) {
		if (fake_store_waiting(BEAT) > 0)
			cluster_beat("c1", false);
		if (fake_store_waiting(LIST) > 0)
			fake_store_list(OK, &seven, 1);
		if (fake_store_waiting(LOOK) > 0)
			fake_store_state(OK, &s);
		if (fake_store_waiting(until) > 0)
			return true;
		cluster_run(100, "");
	}
	return false;
}

static int64_t reaped(void)
{
	return cluster_metric("gatepost_broker_edges_reaped_total", NULL);
}

/* ---- an edge in every state ---- */

struct row {
	char why[60];
	bool held;
	int64_t rows, pending;
	bool is_reaped, is_forgotten, is_due;
};

static struct row rows[] = {
	{"alive", true, 0, 0, false, false, false},
	{"alive, with connections", true, 3, 0, false, false, false},
	{"alive, and owes", true, 3, 2, false, false, true},
	{"dead, with connections", false, 3, 0, true, false, false},
	{"dead, with connections, and owes", false, 3, 2, true, false, true},
	{"dead, and owes", false, 0, 2, false, false, true},
	{"dead, and owes nothing", false, 0, 0, false, true, false},
};

ParameterizedTestParameters(reaper, an_edge_in_every_state)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, reaper, an_edge_in_every_state)
{
	struct edge_state s = state(r->held, r->rows, r->pending);

	cr_assert(eq(int, look(s, 2000, r->is_forgotten ? FORGET : REAP),
		     r->is_reaped || r->is_forgotten),
		  "%s", r->why);
	cr_assert(eq(sz, fake_store_waiting(REAP), r->is_reaped));
	cr_assert(eq(sz, fake_store_waiting(FORGET), r->is_forgotten));
	cr_assert(eq(int, cluster.due > 0, r->is_due));
	if (r->is_due)
		cr_assert(eq(u16, cluster.due_edge, 7));
}

/* ---- when it is sure ---- */

Test(reaper, gives_nothing_up_before_a_lease_was_seen_to_be_over_for_a_while)
{
	struct edge_state s = state(false, 3, 0);

	fake_store_state(OK, &s);
	cr_assert(eq(sz, fake_store_waiting(REAP), 0));
	cr_assert(not(look(s, SURE_MS - 100, REAP)));
	cr_assert(look(s, 200, REAP));
}

Test(reaper, begins_to_count_anew_when_the_edge_was_alive_in_between)
{
	struct edge_state dead = state(false, 3, 0), alive = state(true, 3, 0);

	fake_store_state(OK, &dead);
	cluster_run(SURE_MS + 100, "");
	fake_store_state(OK, &alive);
	cluster_run(TURN_MS, "");
	fake_store_state(OK, &dead);
	cr_assert(eq(sz, fake_store_waiting(REAP), 0));
}

Test(reaper, gives_nothing_up_for_a_lease_after_the_store_came_back)
{
	reaper_wait(cluster.reaper);
	cr_assert(not(look(state(false, 3, 0), LEASE_MS - 200, REAP)));
	cr_assert(look(state(false, 3, 0), SURE_MS + 500, REAP));
}

Test(reaper, gives_nothing_up_for_a_lease_after_the_store_has_changed)
{
	struct edge_state s = state(false, 3, 0);

	cluster_run(BEAT_MS, "");
	cluster_beat("c2", false);
	s.synced = span_str("c2");
	for (int i = 0; i < LEASE_MS / 100 - 2; i++) {
		if (fake_store_waiting(LOOK) > 0)
			fake_store_state(OK, &s);
		cr_assert(eq(sz, fake_store_waiting(REAP), 0));
		cluster_run(100, "");
	}
}

Test(reaper, gives_nothing_up_for_a_lease_after_this_process_was_stopped)
{
	struct edge_state s = state(false, 3, 0);

	fake_store_state(OK, &s);
	fake_loop_stop_for(LEASE_MS);
	cr_assert(not(look(s, LEASE_MS - 500, REAP)));
	cr_assert(look(s, SURE_MS + 1000, REAP));
}

Test(reaper, does_not_give_up_an_edge_that_is_linked_here)
{
	struct edge_state s = state(false, 3, 0);

	cluster_link("e1", 0xe1, 7);
	for (int i = 0; i < 10; i++) {
		if (fake_store_waiting(LOOK) > 0)
			fake_store_state(OK, &s);
		cluster_run(TURN_MS, "e1");
	}
	cr_assert(eq(sz, fake_store_waiting(REAP), 0));
}

Test(reaper, waits_a_lease_for_an_edge_whose_rows_redis_has_lost)
{
	struct edge_state s = state(false, 3, 0);

	s.synced = span_str("c0");
	cr_assert(not(look(s, LEASE_MS - 500, REAP)));
	cr_assert(look(s, 1500, REAP));
}

Test(reaper, does_not_wait_for_rows_after_a_restart_of_redis)
{
	struct edge_state s = state(false, 3, 0);

	s.synced = span_str("c1.5"); /* the same memory, with another ending */
	cr_assert(look(s, 1000, REAP));
}

Test(reaper, keeps_the_number_of_an_edge_whose_rows_redis_has_lost_for_ten_minutes)
{
	struct edge_state s = state(false, 0, 0);

	s.synced = span_str("");
	cr_assert(not(look(s, UNTOLD_MS - 1000, FORGET)));
	cr_assert(look(s, 2000, FORGET));
}

/* ---- every failure of the store at each step ---- */

static const enum err errs[] = {ERR_DOWN, ERR_BUSY, ERR_MALFORMED};

enum { ERRS = sizeof errs / sizeof *errs };

Test(reaper, lists_the_edges_again_when_a_list_failed)
{
	for (size_t i = 0; i < ERRS; i++) {
		cluster_run(600, "");
		fake_store_list(errs[i], NULL, 0);
	}
	cluster_run(600, "");
	cr_assert(eq(sz, fake_store_waiting(LIST), 1));
	cr_assert(eq(sz, fake_store_waiting(LOOK),
		     1)); /* what is known is still looked at */
}

Test(reaper, looks_again_when_a_look_failed)
{
	for (size_t i = 0; i < ERRS; i++) {
		fake_store_state(errs[i], NULL);
		cluster_run(TURN_MS + 100, "");
		cr_assert(eq(sz, fake_store_waiting(LOOK), 1));
	}
	cr_assert(eq(sz, cluster.due, 0));
}

Test(reaper, reaps_again_and_counts_one_death_when_a_reap_had_no_answer)
{
	struct edge_state s = state(false, 3, 0);

	for (size_t i = 0; i < ERRS; i++) {
		cr_assert(look(s, 1000, REAP));
		fake_store_reaped(errs[i], NULL);
	}
	cr_assert(look(s, 1000, REAP));
	/* It was done the first time, but nobody knew: */
	fake_store_reaped(OK, &(struct edge_reaped){.n = 0, .left = 0, .first = false});
	cr_assert(eq(i64, reaped(), 1));
	cr_assert(look(s, 1000, REAP));
	fake_store_reaped(OK, &(struct edge_reaped){.n = 1, .left = 0, .first = false});
	cr_assert(eq(i64, reaped(), 1));
}

Test(reaper, does_not_count_the_death_of_an_edge_that_came_back_in_time)
{
	cr_assert(look(state(false, 3, 0), 1000, REAP));
	fake_store_reaped(ERR_DENIED, NULL);
	cr_assert(not(look(state(true, 3, 0), 1000, REAP)));
	cr_assert(eq(i64, reaped(), 0));
}

Test(reaper, tries_again_to_forget_an_edge)
{
	static const enum err all[] = {ERR_DOWN, ERR_BUSY, ERR_DENIED, OK};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		cr_assert(look(state(false, 0, 0), 2000, FORGET));
		fake_store_done(FORGET, all[i]);
	}
}

/* ---- the steps of a reap ---- */

Test(reaper, reaps_in_steps_until_no_row_is_left_and_fences_the_boot)
{
	struct edge_reaped got = {.n = 500,
				  .left = 700,
				  .boot = span_str("00000000000000e1"),
				  .first = true};

	cr_assert(look(state(false, 1200, 0), 1000, REAP));
	cr_assert(eq(sz, fake_store_asked(REAP)->n, 500));
	fake_store_reaped(OK, &got);
	cr_assert(fences_contain(cluster.fences, 7, "00000000000000e1"));
	got.left = 200;
	got.first = false;
	fake_store_reaped(OK, &got);
	got.n = 200;
	got.left = 0;
	fake_store_reaped(OK, &got);
	cr_assert(eq(sz, fake_store_waiting(REAP), 0));
	cr_assert(eq(i64, reaped(), 1));
	cr_assert(
		eq(i64, cluster_metric("gatepost_broker_rows_reaped_total", NULL), 1200));
}

Test(reaper, fences_a_boot_that_another_broker_reaped)
{
	struct edge_state s = state(false, 0, 1);

	s.given_up = true;
	fake_store_state(OK, &s);
	cr_assert(fences_contain(cluster.fences, 7, "00000000000000e1"));
}

Test(reaper, asks_again_at_once_when_what_is_due_cannot_be_claimed_now)
{
	struct edge_state s = state(true, 0, 1);

	cluster.is_full = true;
	fake_store_state(OK, &s);
	cluster_run(100, "");
	cr_assert(eq(sz, fake_store_waiting(LOOK), 1));
	cluster.is_full = false;
	fake_store_state(OK, &s);
	cluster_run(100, "");
	cr_assert(eq(sz, fake_store_waiting(LOOK), 0));
	cr_assert(eq(sz, cluster.due, 2));
}

Test(reaper, asks_a_live_edge_for_its_rows_when_they_are_in_no_memory)
{
	struct edge_state s = state(true, 0, 0);

	cluster_link("e1", 0xe1, 7);
	s.synced = span_str("");
	fake_store_state(OK, &s);
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_RESYNC));
}

/* ---- when it does not look ---- */

Test(reaper, looks_at_nothing_while_the_store_is_down)
{
	struct edge_state s = state(true, 0, 0);

	fake_store_state(OK, &s);
	if (fake_store_waiting(LIST) > 0)
		fake_store_list(OK, &seven, 1);
	fake_store_set_up(false);
	cluster_run(3000, "");
	cr_assert(eq(sz, fake_store_waiting(LOOK), 0));
	cr_assert(eq(sz, fake_store_waiting(LIST), 0));
}

Test(reaper, that_was_stopped_neither_looks_nor_begins_with_what_it_hears)
{
	struct edge_state s = state(true, 0, 1);

	reaper_stop(cluster.reaper);
	fake_store_state(OK, &s);
	cluster_run(3000, "");
	cr_assert(eq(sz, cluster.due, 0));
	cr_assert(eq(sz, fake_store_waiting(LOOK), 0));
}

Test(reaper, looks_no_more_at_an_edge_that_is_not_listed)
{
	struct edge_state s = state(true, 0, 0);

	fake_store_state(OK, &s);
	cluster_run(500, "");
	if (fake_store_waiting(LOOK) > 0)
		fake_store_state(OK, &s);
	fake_store_list(OK, NULL, 0);
	cluster_run(3000, "");
	cr_assert(eq(sz, fake_store_waiting(LOOK), 0));
}

Test(reaper, looks_less_often_at_edges_whose_owner_is_elsewhere)
{
	struct edge_state s = state(true, 0, 0);
	uint16_t elsewhere = 1;
	size_t looks = 0;

	cluster_run(BEAT_MS, "");
	cluster_beat("c1", true);
	while (members_is_owner(cluster.members, elsewhere))
		elsewhere++;
	fake_store_state(OK, &s); /* edge 7 */
	fake_store_list(OK, &elsewhere, 1);
	for (int i = 0; i < 30; i++) {
		cluster_run(100, "");
		while (fake_store_waiting(LOOK) > 0) {
			looks += fake_store_asked(LOOK)->edge == elsewhere;
			fake_store_state(OK, &s);
		}
	}
	cr_assert(looks >= 3 && looks <= 4);
}

/* ---- presence ---- */

Test(reaper, removes_the_presence_of_a_dead_edge_once_it_has_no_rows)
{
	struct edge_state s = state(false, 0, 0);

	s.present = true;
	cr_assert(not(look(s, SURE_MS + 2 * TURN_MS, FORGET)));
	cr_assert(gt(sz, cluster.present, 0));
}

Test(reaper, leaves_the_presence_of_a_live_edge_and_of_one_that_still_has_rows)
{
	struct edge_state s = state(true, 0, 0);

	s.present = true;
	look(s, SURE_MS + 2 * TURN_MS, FORGET);
	s.held = false;
	s.rows = 3;
	cr_assert(look(s, SURE_MS + 2 * TURN_MS, REAP));
	cr_assert(eq(sz, cluster.present, 0));
}
