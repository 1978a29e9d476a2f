#include "broker/channels/delivery/receipt.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct outcome out;

static void start(void)
{
	channels_start();
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_link("e2", 0xe2, 8, "chat");
	channels_link("e3", 0xe3, 9, "");
}

TestSuite(receipt, .init = start, .fini = channels_stop);

static void publish_with_receipt(void)
{
	struct publication q = publication_to(&chat, "chat");

	q.receipt = true;
	publish(channels_publishers(channels), &q, on_published, &out);
}

static uint64_t ticket_of(const char *edge)
{
	const Gatepost__Deliver *d = channels_deliver(edge);

	cr_assert(d != NULL);
	return d->ticket;
}

static void outcome(const char *from, uint64_t ticket, uint32_t reached)
{
	Gatepost__Outcome *o = batch_add(cluster_letter(), GATEPOST__ITEM__BODY_OUTCOME,
					 &gatepost__outcome__descriptor);

	o->ticket = ticket;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	o->reached = reached;
	cluster_post(from);
}

Test(receipt, counts_what_each_edge_has_reached)
{
	uint64_t ticket;

	publish_with_receipt();
	ticket = ticket_of("e1");
	cr_assert(ne(u64, ticket, 0));
	cr_assert(eq(u64, ticket_of("e2"), ticket));
	outcome("e1", ticket, 3);
	cr_assert(eq(sz, out.calls, 0));
	outcome("e2", ticket, 4);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(u32, out.edges, 2));
	cr_assert(eq(u32, out.connections, 7));
}

Test(receipt, counts_no_edge_that_reached_nobody)
{
	uint64_t ticket;

	publish_with_receipt();
	ticket = ticket_of("e1");
	outcome("e1", ticket, 0);
	outcome("e2", ticket, 1);
	cr_assert(eq(u32, out.edges, 1));
	cr_assert(eq(u32, out.connections, 1));
}

Test(receipt, is_given_after_two_seconds_with_what_is_known)
{
	uint64_t ticket;

	publish_with_receipt();
	ticket = ticket_of("e1");
	outcome("e1", ticket, 3);
	channels_run(1950, "e1 e2 e3", false);
	cr_assert(eq(sz, out.calls, 0));
	channels_run(50, "e1 e2 e3", false);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(not(out.is_failed));
	cr_assert(eq(u32, out.edges, 1));
	cr_assert(eq(u32, out.connections, 3));
	outcome("e2", ticket, 4); /* too late */
	cr_assert(eq(sz, out.calls, 1));
}

Test(receipt, does_not_wait_for_an_edge_whose_link_has_ended)
{
	publish_with_receipt();
	outcome("e1", ticket_of("e1"), 3);
	cluster_hello("e2b", 0xe2, 8);
	cr_assert(eq(sz, out.calls, 0), "from inside the end of the link");
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(u32, out.connections, 3));
}

Test(receipt, ignores_other_edges_and_second_answers)
{
	uint64_t ticket;

	publish_with_receipt();
	ticket = ticket_of("e1");
	outcome("e3", ticket, 9);
	outcome("e1", ticket, 3);
	outcome("e1", ticket, 3);
	outcome("e2", ticket + 1, 9);
	cr_assert(eq(sz, out.calls, 0));
	outcome("e2", ticket, 1);
	cr_assert(eq(u32, out.connections, 4));
}

Test(receipt, of_a_channel_that_no_edge_carries_is_given_at_once)
{
	struct publication q = publication_to(&chat, "chat:empty");

	q.receipt = true;
	publish(channels_publishers(channels), &q, on_published, &out);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(u32, out.edges, 0));
}

Test(receipt, that_is_awaited_at_the_end_is_freed)
{
	publish_with_receipt();
	cr_assert(eq(sz, out.calls, 0));
}

Test(receipt, leaves_outcomes_of_commands_to_others)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.ticket = 1;
	cr_assert(not(channels_outcome(channels, edges_find(cluster.edges, 7), &o)));
}
