#include "broker/events/lane.h"

#include "bed.h"
#include "store/disconnects.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { DEEP = 10000, MOST = 16 };

static struct call *waits[MOST]; /* handled, not ended yet */
static size_t n_waits;
static char handled[128]; /* "0 1 2 " */
static size_t n_handled;
static uintptr_t lowest, highest; /* the stack */

TestSuite(lane, .init = bed_start, .fini = bed_stop);

/* A function that answers later. */
static void handle_later(struct call *c)
{
	cr_assert(lt(sz, n_waits, MOST));
	waits[n_waits++] = c;
	sprintf(handled + strlen(handled), "%d ", (int)c->seq);
}

/* One that answers before it returns. */
static void handle_now(struct call *c)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	lowest = n_handled == 0 || here < lowest ? here : lowest;
	highest = here > highest ? here : highest;
	n_handled++;
	call_end(c);
	if (n_handled % 1000 == 0) /* a batch that is full would be sent */
		bed_read(0);
}

static void handle_later_then_now(struct call *c)
{
	bed.handler = handle_now;
	handle_later(c);
}

static void end_first(void)
{
	struct call *c = waits[0];

	cr_assert(gt(sz, n_waits, 0));
	memmove(waits, waits + 1, --n_waits * sizeof *waits);
	call_end(c);
}

static void expect_handled(const char *want)
{
	cr_assert(eq(str, handled, (char *)(uintptr_t)want));
}

Test(lane, the_events_of_a_connection_are_handled_one_after_the_other)
{
	bed.handler = handle_later;
	for (uint64_t i = 0; i < 3; i++)
		bed_take(0, i);
	expect_handled("0 ");
	end_first();
	expect_handled("0 1 ");
	bed_take(0, 3);
	end_first();
	end_first();
	expect_handled("0 1 2 3 ");
	end_first();
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
	cr_assert(eq(sz, bed_read(0)->n_items, 4));
}

Test(lane, two_connections_do_not_wait_for_each_other)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	struct id other = id_make(7, 2, 5);

	bed.handler = handle_later;
	bed_take(0, 0);
	e.id = (ProtobufCBinaryData){.len = ID_BYTES, .data = other.b};
	e.seq = 5;
	bed_take_event(0, &e);
	expect_handled("0 5 ");
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 2));
	end_first();
	end_first();
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

Test(lane, answers_are_in_the_order_of_the_events)
{
	bed.handler = handle_now;
	for (uint64_t i = 0; i < 5; i++)
		bed_take(0, i);

	const Gatepost__Envelope *e = bed_read(0);

	cr_assert(eq(sz, e->n_items, 5));
	for (uint64_t i = 0; i < 5; i++)
		cr_assert(eq(u64, e->items[i]->answer->seq, i));
}

/* An event as its edge sends it again, by another link and under a new term. */
static void take_again(uint64_t seq)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.seq = seq;
	e.term = 3;
	e.again = true;
	e.kind = GATEPOST__EVENT__KIND__MESSAGE;
	bed_take_event(1, &e);
}

static void expect_one_answer_to_the_second_asker(uint64_t seq)
{
	cr_assert(eq(sz, bed_read(0)->n_items, 0));

	const Gatepost__Envelope *e = bed_read(1);

	cr_assert(eq(sz, e->n_items, 1));
	cr_assert(eq(u64, e->items[0]->answer->seq, seq));
	cr_assert(eq(u32, e->items[0]->answer->term, 3));
	cr_assert(eq(i64, metric_value(bed.broker.counts.repeated), 1));
}

Test(lane,
     an_event_that_comes_again_while_it_is_handled_is_answered_once_to_who_asked_last)
{
	bed.handler = handle_later;
	bed_take(0, 0);
	take_again(0);
	expect_handled("0 ");
	end_first();
	expect_handled("0 ");
	expect_one_answer_to_the_second_asker(0);
}

Test(lane, an_event_that_comes_again_while_it_waits_is_handled_once_and_in_its_place)
{
	bed.handler = handle_later;
	for (uint64_t i = 0; i < 3; i++)
		bed_take(0, i);
	take_again(1);
	end_first();
	bed_read(0);
	end_first();
	expect_handled("0 1 2 ");
	expect_one_answer_to_the_second_asker(1);
	end_first();
	expect_handled("0 1 2 ");
}

/* What has been answered is not remembered: the edge that asks has lost the answer. */
Test(lane, an_event_that_comes_again_after_its_answer_is_handled_again)
{
	bed.handler = handle_later;
	bed_take(0, 0);
	end_first();
	take_again(0);
	expect_handled("0 0 ");
	end_first();
}

Test(lane, an_event_of_an_edge_that_has_gone_is_dropped_unhandled)
{
	bed.handler = handle_later;
	bed_hang_up(0);
	bed_take(0, 0);
	expect_handled("");
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

Test(lane, events_that_waited_for_an_edge_that_has_gone_are_dropped_and_others_are_not)
{
	bed.handler = handle_later;
	bed_take(0, 0);
	bed_take(0, 1);
	bed_take(1, 2);
	bed_take(0, 3);
	bed_hang_up(0);
	end_first();
	expect_handled("0 2 ");
	end_first();
	expect_handled("0 2 ");
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
	cr_assert(eq(sz, bed_read(1)->n_items, 1));
}

Test(lane, an_event_that_waits_behind_dropped_ones_still_gets_followers)
{
	bed.handler = handle_later;
	bed_take(0, 0);
	bed_take(0, 1);
	bed_take(1, 2);
	bed_hang_up(0);
	end_first();
	bed_take(1, 3);
	bed_take(1, 4);
	end_first();
	end_first();
	end_first();
	expect_handled("0 2 3 4 ");
}

/* Its edge is dead: a disconnect that is owed has no link that could have ended. */
Test(lane, a_disconnect_that_is_owed_waits_for_the_events_before_it_and_needs_no_edge)
{
	struct id id = bed_id();
	char text[ID_TEXT];
	struct disconnect d = {.row = {.edge = BED_NUMBER}};

	d.row.id = span_str(id_text(&id, text));
	bed.handler = handle_later;
	bed_take(0, 0);
	lane_take(bed.broker.lanes, call_new_owed(&bed.broker, &d));
	bed_hang_up(0);
	expect_handled("0 ");
	end_first();
	expect_handled("0 -1 ");
	end_first();
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
	cr_assert(eq(sz, bed_said(1), 0));
}

/* Ten thousand frames on the stack would be megabytes. */
static void expect_a_flat_stack(void)
{
	cr_assert(eq(sz, n_handled, DEEP));
	cr_assert(lt(sz, highest - lowest, 4096));
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

Test(lane, a_deep_queue_does_not_recurse_when_it_can_go_on)
{
	bed.handler = handle_later_then_now;
	for (uint64_t i = 0; i <= DEEP; i++)
		bed_take(0, i);
	cr_assert(eq(sz, n_handled, 0));
	end_first();
	expect_a_flat_stack();
}

Test(lane, a_deep_queue_of_a_gone_edge_is_dropped_without_recursion)
{
	bed.handler = handle_later_then_now;
	for (uint64_t i = 0; i <= DEEP; i++)
		bed_take(0, i);
	bed_hang_up(0);
	end_first();
	cr_assert(eq(sz, n_handled, 0));
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

/* A walk along the queue for each of them would be billions of steps. */
Test(lane, an_event_costs_no_more_when_many_wait_before_it, .timeout = 20)
{
	bed.handler = handle_later_then_now;
	for (uint64_t i = 0; i < 20 * DEEP; i++)
		bed_take(0, i);
	bed_hang_up(0);
	end_first();
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

/* The leak sanitizer and bed_stop see to it. */
Test(lane, lanes_are_freed_with_all_that_waits_in_them)
{
	bed.handler = handle_later;
	for (uint64_t i = 0; i < 5; i++)
		bed_take(i % 2, i);
	lanes_free(NULL);
}
