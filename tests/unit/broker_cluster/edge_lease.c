#include "broker/cluster/edges_internal.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

enum { AGAIN_MS = 600 }; /* between two questions for a number, and a tick */

TestSuite(edge_lease, .init = cluster_start, .fini = cluster_stop);

/* ---- every answer of the store to the question for a number ---- */

enum then {
	WELCOME,     /* with the number */
	ANY_AT_ONCE, /* another number is asked for */
	SAME_LATER,  /* the same is asked once more */
};

struct row {
	uint16_t had; /* the number in Hello; 0: none */
	enum err e;
	enum then then;
	size_t beats; /* that the other brokers are asked for */
};

static struct row rows[] = {
	{0, OK, WELCOME, 0},
	{0, ERR_UNKNOWN, SAME_LATER, 1},
	{0, ERR_DENIED, ANY_AT_ONCE, 0},
	{0, ERR_NOTFOUND, SAME_LATER, 0},
	{0, ERR_DOWN, SAME_LATER, 0},
	{0, ERR_BUSY, SAME_LATER, 0},
	{0, ERR_MALFORMED, SAME_LATER, 0},
	{7, OK, WELCOME, 0},
	{7, ERR_UNKNOWN, SAME_LATER, 1},
	{7, ERR_DENIED, ANY_AT_ONCE, 0},
	{7, ERR_DOWN, WELCOME, 0}, /* without the store it keeps what it has served on */
	{7, ERR_BUSY, WELCOME, 0},
	{7, ERR_MALFORMED, WELCOME, 0},
};

ParameterizedTestParameters(edge_lease, every_answer_to_the_question_for_a_number)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, edge_lease, every_answer_to_the_question_for_a_number)
{
	const Gatepost__Item *i;

	cluster_beat("c1", false);
	cluster_hello("e1", 0xe1, r->had);
	cr_assert(eq(u16, fake_store_asked(TAKE)->edge, r->had));
	cr_assert(eq(str, (char *)fake_store_asked(TAKE)->boot, "00000000000000e1"));
	cr_assert(eq(i64, fake_store_asked(TAKE)->ms, LEASE_MS));
	fake_store_number(r->e, r->e == OK ? 7 : 0);
	cr_assert(eq(sz, fake_store_waiting(BEAT), r->beats));
	cr_assert(eq(sz, fake_store_waiting(TAKE), r->then == ANY_AT_ONCE));
	i = cluster_read("e1");
	if (r->then == WELCOME) {
		cr_assert(i != NULL && i->body_case == GATEPOST__ITEM__BODY_WELCOME);
		cr_assert(eq(u32, i->welcome->number, 7));
		return;
	}
	cr_assert(i == NULL);
	cr_assert(eq(sz, cluster.gone, 0));
	cluster_run(AGAIN_MS, "e1");
	cr_assert(eq(sz, fake_store_waiting(TAKE), 1));
	cr_assert(eq(u16, fake_store_asked(TAKE)->edge,
		     r->then == ANY_AT_ONCE ? 0 : r->had));
	cr_assert(not(fake_store_asked(TAKE)->sure));
}

Test(edge_lease, an_unknown_number_is_accepted_once_all_brokers_had_two_beats)
{
	cluster_hello("e1", 0xe1, 7);
	fake_store_number(ERR_UNKNOWN, 0);
	for (int64_t ms = 0; ms < 2 * BEAT_MS; ms += AGAIN_MS) {
		cluster_run(AGAIN_MS, "e1");
		cr_assert(eq(int, fake_store_asked(TAKE)->sure,
			     ms + AGAIN_MS >= 2 * BEAT_MS));
		fake_store_number(ERR_UNKNOWN, 0);
	}
}

Test(edge_lease, rows_of_a_new_edge_are_known_to_be_in_the_memory_that_gave_its_number)
{
	cluster_beat("c1", false);
	cluster_hello("e1", 0xe1, 0);
	fake_store_number(OK, 7);
	cr_assert(eq(u16, fake_store_asked(SYNCED)->edge, 7));
	cr_assert(eq(str, (char *)fake_store_asked(SYNCED)->text, "c1"));
	fake_store_done(SYNCED, ERR_DOWN);
	cr_assert(eq(sz, cluster.gone, 0));
}

Test(edge_lease, rows_of_an_edge_that_had_a_number_are_not)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	cr_assert(eq(sz, fake_store_waiting(SYNCED), 0));
}

Test(edge_lease, an_edge_whose_lease_expired_gets_another_number_and_the_store_has_it)
{
	fences_add(cluster.fences, 7, span_str("00000000000000e1"));
	cluster_hello("e1", 0xe1, 7);
	cr_assert(eq(u16, fake_store_asked(TAKE)->edge, 0));
	cr_assert(eq(u16, fake_store_asked(FENCE)->edge, 7));
	cr_assert(eq(str, (char *)fake_store_asked(FENCE)->boot, "00000000000000e1"));
	fake_store_done(FENCE, ERR_DOWN);
	fake_store_number(ERR_DOWN, 0);
	cr_assert(cluster_read("e1") == NULL); /* not on the number that it had */
	cluster_run(AGAIN_MS, "e1");
	cr_assert(eq(u16, fake_store_asked(FENCE)->edge, 7));
	cr_assert(eq(u16, fake_store_asked(TAKE)->edge, 0));
}

/* ---- an answer that comes late ---- */

Test(edge_lease, a_number_that_comes_after_the_end_of_the_link_is_no_welcome)
{
	cluster_hello("e1", 0xe1, 7);
	cluster_run(SILENCE_MS + 200, "");
	cr_assert(eq(sz, cluster.gone, 1));
	fake_store_number(OK, 7);
	cr_assert(cluster_read("e1") == NULL);
	cr_assert(edges_find(cluster.edges, 7) == NULL);
}

Test(edge_lease, a_renewal_that_is_answered_after_the_end_of_the_link_changes_nothing)
{
	cluster_link("e1", 0xe1, 7);
	cluster_run(LEASE_MS / 4 + 200, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 1));
	cluster_run(SILENCE_MS + 200, "");
	cr_assert(eq(sz, cluster.gone, 1));
	fake_store_done(RENEW, ERR_NOTFOUND);
	cr_assert(cluster_read("e1") == NULL);
}

Test(edge_lease, questions_that_are_never_answered_leak_nothing)
{
	cluster_link("e2", 0xe2, 8);
	cluster_hello("e1", 0xe1, 7);
	cluster_run(LEASE_MS / 4 + 200, "e1 e2");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 1));
	cr_assert(eq(sz, fake_store_waiting(TAKE), 1));
	cluster_free_edges();
}

/* ---- every answer of the store to a renewal ---- */

struct renewal {
	enum err e;
	bool ends;       /* the link */
	int64_t next_ms; /* the next renewal comes within */
};

static struct renewal renewals[] = {
	{OK, false, LEASE_MS / 4 + 100}, {ERR_DOWN, false, 200},  {ERR_BUSY, false, 200},
	{ERR_MALFORMED, false, 200},     {ERR_NOTFOUND, true, 0}, {ERR_DENIED, true, 0},
};

ParameterizedTestParameters(edge_lease, every_answer_to_a_renewal)
{
	return cr_make_param_array(struct renewal, renewals,
				   sizeof renewals / sizeof *renewals);
}

ParameterizedTest(struct renewal *r, edge_lease, every_answer_to_a_renewal)
{
	cluster_link("e1", 0xe1, 7);
	cluster_run(LEASE_MS / 4 - 100, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 0));
	cluster_run(300, "e1");
	cr_assert(eq(u16, fake_store_asked(RENEW)->edge, 7));
	fake_store_done(RENEW, r->e);
	cr_assert(eq(sz, cluster.gone, r->ends));
	if (r->ends) {
		cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_REFUSAL));
		cr_assert(edges_find(cluster.edges, 7) == NULL);
		return;
	}
	cluster_run(r->next_ms - 200, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 0));
	cluster_run(200, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 1));
}

Test(edge_lease, a_renewal_counts_from_the_last_word_of_the_edge)
{
	cluster_link("e1", 0xe1, 7);
	cluster_run(LEASE_MS / 4, "");
	cr_assert(eq(i64, fake_store_asked(RENEW)->ms, LEASE_MS - LEASE_MS / 4));
}

Test(edge_lease, of_an_edge_that_leaves_is_not_renewed)
{
	cluster_link("e1", 0xe1, 7);
	batch_add(cluster_letter(), GATEPOST__ITEM__BODY_LEAVING,
		  &gatepost__leaving__descriptor);
	cluster_post("e1");
	cluster_run(LEASE_MS, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 0));
	cr_assert(edges_find(cluster.edges, 7) != NULL);
}

Test(edge_lease, of_an_edge_that_a_broker_reaped_meanwhile_ends_its_link)
{
	cluster_link("e1", 0xe1, 7);
	fences_add(cluster.fences, 7, span_str("00000000000000e1"));
	cluster_run(200, "e1");
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(eq(int, cluster_read_kind("e1"), GATEPOST__ITEM__BODY_REFUSAL));
}

Test(edge_lease, all_are_renewed_at_once_when_the_store_may_have_lost_them)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	cluster_run(BEAT_MS, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 0));
	cluster_beat("c2", false);
	cluster_run(200, "e1");
	cr_assert(eq(sz, fake_store_waiting(RENEW), 1));
}
