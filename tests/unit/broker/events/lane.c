#include "broker/events/lane.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

enum { DEEP = 10000, MOST = 16 };

static struct call *waits[MOST]; /* handled, not ended yet */
static size_t n_waits;
static char handled[128]; /* "0 1 2 " */
static size_t n_handled;
static uintptr_t lowest, highest; /* the stack */

static struct lanes *lanes;
static void (*handler)(struct call *c); /* what is done with every call */

static void handle(struct call *c)
{
	handler(c);
}

static void start(void)
{
	fixture_start();
	lanes = lanes_new(fixture.metrics, handle);
}

static void stop(void)
{
	lanes_free(lanes);
	fixture_stop();
}

TestSuite(lane, .init = start, .fini = stop);

static struct asker *const first = &fixture.askers[0], *const second = &fixture.askers[1];

static void enqueue_event(int asker, const Gatepost__Event *e)
{
	lane_enqueue(lanes, call_new(&fixture.counts, fixture.routes,
				     fixture_sink(asker, e->term), e));
}

static void enqueue(int asker, uint64_t seq)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, seq);

	enqueue_event(asker, &e);
}

/* A function that answers later. */
static void handle_later(struct call *c)
{
	cr_assert(lt(sz, n_waits, MOST));
	waits[n_waits++] = c;
	sprintf(handled + strlen(handled), "%d ", (int)c->in.seq);
}

/* One that answers before it returns. */
static void handle_now(struct call *c)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	lowest = n_handled == 0 || here < lowest ? here : lowest;
	highest = here > highest ? here : highest;
	n_handled++;
	call_end(c);
}

static void handle_later_then_now(struct call *c)
{
	handler = handle_now;
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
	handler = handle_later;
	for (uint64_t i = 0; i < 3; i++)
		enqueue(0, i);
	expect_handled("0 ");
	end_first();
	expect_handled("0 1 ");
	enqueue(0, 3);
	end_first();
	end_first();
	expect_handled("0 1 2 3 ");
	end_first();
	cr_assert(eq(sz, lanes_size(lanes), 0));
	cr_assert(eq(sz, first->n, 4));
}

Test(lane, two_connections_do_not_wait_for_each_other)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, 5);
	struct id other = id_make(EDGE, 2, 5);

	handler = handle_later;
	enqueue(0, 0);
	e.id = (ProtobufCBinaryData){.len = ID_BYTES, .data = other.b};
	enqueue_event(0, &e);
	expect_handled("0 5 ");
	cr_assert(eq(sz, lanes_size(lanes), 2));
	end_first();
	end_first();
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

Test(lane, answers_are_in_the_order_of_the_events)
{
	handler = handle_now;
	for (uint64_t i = 0; i < 5; i++) {
		enqueue(0, i);
		cr_assert(eq(u64, first->last.seq, i));
	}
	cr_assert(eq(sz, first->n, 5));
}

static void enqueue_parallel(uint64_t seq)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, seq);
	struct call *c =
		call_new(&fixture.counts, fixture.routes, fixture_sink(0, 0), &e);

	c->turn.is_parallel = true;
	lane_enqueue(lanes, c);
}

/* 0 alone, then 1 and 2 beside each other, then 3 alone, then 4. */
Test(lane, parallel_events_run_beside_each_other_and_wait_for_those_that_are_not)
{
	handler = handle_later;
	enqueue(0, 0);
	enqueue_parallel(1);
	enqueue_parallel(2);
	enqueue(0, 3);
	enqueue_parallel(4);
	expect_handled("0 ");
	end_first();
	expect_handled("0 1 2 ");
	end_first();
	expect_handled("0 1 2 ");
	end_first();
	expect_handled("0 1 2 3 ");
	end_first();
	expect_handled("0 1 2 3 4 ");
	end_first();
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

Test(lane, a_parallel_event_that_ends_first_is_answered_first)
{
	struct call *c;

	handler = handle_later;
	enqueue_parallel(1);
	enqueue_parallel(2);
	c = waits[1];
	n_waits--;
	call_end(c);
	cr_assert(eq(u64, first->last.seq, 2));
	end_first();
	cr_assert(eq(u64, first->last.seq, 1));
}

/* An event as its edge sends it again, by another link and under a new term. */
static void enqueue_again(uint64_t seq)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, seq);

	e.term = 3;
	e.again = true;
	enqueue_event(1, &e);
}

static void expect_one_answer_to_the_second_asker(uint64_t seq, size_t before)
{
	cr_assert(eq(sz, first->n, before));
	cr_assert(eq(sz, second->n, 1));
	cr_assert(eq(u64, second->last.seq, seq));
	cr_assert(eq(u32, second->last.term, 3));
	cr_assert(
		eq(i64,
		   metric_value(metric_counter(
			   fixture.metrics, "gatepost_broker_repeated_total", NULL, "")),
		   1));
}

Test(lane,
     an_event_that_comes_again_while_it_is_handled_is_answered_once_to_who_asked_last)
{
	handler = handle_later;
	enqueue(0, 0);
	enqueue_again(0);
	expect_handled("0 ");
	end_first();
	expect_handled("0 ");
	expect_one_answer_to_the_second_asker(0, 0);
}

Test(lane, an_event_that_comes_again_while_it_waits_is_handled_once_and_in_its_place)
{
	handler = handle_later;
	for (uint64_t i = 0; i < 3; i++)
		enqueue(0, i);
	enqueue_again(1);
	end_first();
	end_first();
	expect_handled("0 1 2 ");
	expect_one_answer_to_the_second_asker(1, 1);
	end_first();
	expect_handled("0 1 2 ");
}

/* What has been answered is not remembered: the edge that asks has lost the answer. */
Test(lane, an_event_that_comes_again_after_its_answer_is_handled_again)
{
	handler = handle_later;
	enqueue(0, 0);
	end_first();
	enqueue_again(0);
	expect_handled("0 0 ");
	end_first();
}

Test(lane, an_event_of_a_lost_edge_is_dropped_unhandled)
{
	handler = handle_later;
	first->is_lost = true;
	enqueue(0, 0);
	expect_handled("");
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

Test(lane, events_that_waited_for_an_edge_that_has_gone_are_dropped_and_others_are_not)
{
	handler = handle_later;
	enqueue(0, 0);
	enqueue(0, 1);
	enqueue(1, 2);
	enqueue(0, 3);
	first->is_lost = true;
	end_first();
	expect_handled("0 2 ");
	end_first();
	expect_handled("0 2 ");
	cr_assert(eq(sz, lanes_size(lanes), 0));
	cr_assert(eq(sz, second->n, 1));
}

Test(lane, an_event_that_waits_behind_dropped_ones_still_gets_followers)
{
	handler = handle_later;
	enqueue(0, 0);
	enqueue(0, 1);
	enqueue(1, 2);
	first->is_lost = true;
	end_first();
	enqueue(1, 3);
	enqueue(1, 4);
	end_first();
	end_first();
	end_first();
	expect_handled("0 2 3 4 ");
}

/* Its edge is dead: a pending disconnect has no link that could have ended. */
Test(lane, a_pending_disconnect_waits_for_the_events_before_it_and_needs_no_edge)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	handler = handle_later;
	enqueue(0, 0);
	lane_enqueue(lanes, call_new_pending(&fixture.counts, fixture.routes, &d));
	first->is_lost = true;
	expect_handled("0 ");
	end_first();
	expect_handled("0 -1 ");
	end_first();
	cr_assert(eq(sz, lanes_size(lanes), 0));
	cr_assert(eq(sz, second->n, 0));
}

/* Ten thousand frames on the stack would be megabytes. */
static void expect_a_flat_stack(void)
{
	cr_assert(eq(sz, n_handled, DEEP));
	cr_assert(lt(sz, highest - lowest, 4096));
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

Test(lane, a_deep_queue_does_not_recurse_when_it_can_go_on)
{
	handler = handle_later_then_now;
	for (uint64_t i = 0; i <= DEEP; i++)
		enqueue(0, i);
	cr_assert(eq(sz, n_handled, 0));
	end_first();
	expect_a_flat_stack();
}

Test(lane, a_deep_queue_of_a_gone_edge_is_dropped_without_recursion)
{
	handler = handle_later_then_now;
	for (uint64_t i = 0; i <= DEEP; i++)
		enqueue(0, i);
	first->is_lost = true;
	end_first();
	cr_assert(eq(sz, n_handled, 0));
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

/* A walk along the queue for each of them would be billions of steps. */
Test(lane, an_event_costs_no_more_when_many_wait_before_it, .timeout = 20)
{
	handler = handle_later_then_now;
	for (uint64_t i = 0; i < 20 * DEEP; i++)
		enqueue(0, i);
	first->is_lost = true;
	end_first();
	cr_assert(eq(sz, lanes_size(lanes), 0));
}

/* The leak sanitizer and fixture_stop see to it. */
Test(lane, lanes_are_freed_with_all_that_waits_in_them)
{
	handler = handle_later;
	for (uint64_t i = 0; i < 5; i++)
		enqueue((int)(i % 2), i);
	lanes_free(NULL);
}
