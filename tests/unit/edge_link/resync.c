#include "edge/link/resync.h"

#include "fixture.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	links_start();
	links_up(B1, 1);
}

TestSuite(resync, .init = start, .fini = links_stop);

static void ask(uint64_t ticket)
{
	Gatepost__Resync *m = LINKS_ITEM(RESYNC, resync);

	m->ticket = ticket;
	links_post(B1);
	links_turn();
}

static const Gatepost__Roster *read(void)
{
	const Gatepost__Item *i = links_read(B1);

	cr_assert(i != NULL && i->body_case == GATEPOST__ITEM__BODY_ROSTER);
	return i->roster;
}

Test(resync, an_edge_without_connections_sends_one_item_without_rows)
{
	const Gatepost__Roster *m;

	ask(5);
	m = read();
	cr_assert(eq(sz, m->n_rows, 0));
	cr_assert(eq(u64, m->ticket, 5));
	cr_assert(m->last);
	cr_assert(links_read(B1) == NULL);
}

Test(resync, only_open_connections_have_a_row_with_their_id_and_context)
{
	struct lane *open;
	const Gatepost__Roster *m;

	links_lane();
	open = links_lane();
	open->is_open = true;
	links_lane();
	ask(5);
	m = read();
	cr_assert(eq(sz, m->n_rows, 1));
	cr_assert(eq(sz, m->rows[0]->id.len, ID_BYTES));
	cr_assert(eq(int, memcmp(m->rows[0]->id.data, open->id.b, ID_BYTES), 0));
	cr_assert(span_is(span_from(m->rows[0]->context), "ctx"));
	cr_assert(m->last);
}

Test(resync, many_rows_go_in_items_of_256_of_which_the_last_says_so)
{
	size_t rows = 0;

	for (int i = 0; i < 600; i++)
		links_lane()->is_open = true;
	ask(9);
	for (int i = 0; i < 3; i++) {
		const Gatepost__Roster *m = read();

		cr_assert(eq(u64, m->ticket, 9));
		cr_assert(eq(int, m->last, i == 2));
		cr_assert(le(sz, m->n_rows, ENVELOPE_ITEM_PARTS));
		rows += m->n_rows;
	}
	cr_assert(eq(sz, rows, 600));
	cr_assert(links_read(B1) == NULL);
}

/* 20 contexts of 100 KB: a broker reads no batch of 2 MB. */
Test(resync, rows_with_large_contexts_go_in_several_messages)
{
	size_t before, rows = 0;
	bool last = false;

	for (int i = 0; i < 20; i++) {
		struct lane *l = links_lane();

		l->is_open = true;
		blob_unref(l->context);
		l->context = blob_alloc(100 * 1000);
		memset(l->context->p, 'x', l->context->n);
	}
	before = fake_zsock_sent(B1);
	ask(9);
	cr_assert(ge(sz, fake_zsock_sent(B1), before + 2));
	while (!last) {
		const Gatepost__Roster *m = read();

		rows += m->n_rows;
		last = m->last;
	}
	cr_assert(eq(sz, rows, 20));
}

/* ---- connections come and go meanwhile ---- */

Test(resync, a_connection_that_was_asked_for_before_and_opens_later_is_sent_by_itself)
{
	struct lane *l = links_lane();
	const Gatepost__Roster *m;

	links_connect(l);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	ask(5);
	cr_assert(eq(sz, read()->n_rows, 0));
	links_answer(B1, l, 0);
	m = read();
	cr_assert(eq(u64, m->ticket, 0));
	cr_assert(eq(sz, m->n_rows, 1));
	cr_assert(not(m->last));
}

Test(resync, a_connection_that_comes_after_the_resync_is_not_sent_by_itself)
{
	struct lane *l;

	ask(5);
	read();
	l = links_lane();
	links_connect(l);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	links_answer(B1, l, 0);
	cr_assert(l->is_open);
	cr_assert(links_read(B1) == NULL);
}

Test(resync, a_message_that_was_sent_before_the_resync_brings_no_row)
{
	struct lane *l = links_lane();

	l->is_open = true;
	links_message(l, "x");
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	ask(5);
	cr_assert(eq(sz, read()->n_rows, 1));
	links_answer(B1, l, 0);
	cr_assert(links_read(B1) == NULL);
}

static void refuse(struct lane *l)
{
	l->is_open = false;
}

/* The fixture opens what is answered: here its client has gone in the same turn. */
Test(resync, a_connection_that_is_not_open_is_not_sent_by_itself)
{
	struct lane *l = links_lane();

	refuse(l);
	resync_send_one(edge.uplink, l, &edge.uplink->links->link);
	links_turn();
	cr_assert(links_read(B1) == NULL);
}

Test(resync, each_broker_that_asks_gets_all_rows)
{
	for (uint64_t ticket = 1; ticket <= 3; ticket++) {
		links_lane()->is_open = true;
		ask(ticket);

		const Gatepost__Roster *m = read();

		cr_assert(eq(sz, m->n_rows, ticket));
		cr_assert(eq(u64, m->ticket, ticket));
	}
}
