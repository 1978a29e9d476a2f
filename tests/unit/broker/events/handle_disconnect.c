#include "broker/events/handle.h"

#include "fake_clients.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(handle_disconnect, .init = fixture_start, .fini = fixture_stop);

static struct asker *const asker = &fixture.askers[0];

static void disconnect(void)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__DISCONNECT, 9);

	e.code = 1001;
	e.reason = fixture_data("bye");
	e.time_ms = 77;
	handle_disconnect(fixture_call(&e));
}

/* The store has written it down, as the edge reported it. */
static void begun(void)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	d.code = 1001;
	d.tries = 0;
	fake_store_begun(OK, &d);
}

static void expect_end(enum answer_kind kind)
{
	cr_assert(eq(sz, asker->n, 1));
	cr_assert(eq(int, asker->last.kind, kind));
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

/* No claim is left that would be kept alive. */
static void expect_no_claim(void)
{
	fake_loop_run(fixture.loop, CLAIM_MS);
	cr_assert(eq(sz, fake_store_waiting(HOLD), 0));
}

static void use_without_route(void)
{
	struct config *c = fixture_config();

	c->routes[1].key[1] = 'x';
	fixture_use(c);
}

/* ---- from an edge ---- */

Test(handle_disconnect, is_written_down_then_acknowledged_then_given_to_the_function)
{
	const struct fake_asked *q;

	disconnect();
	q = fake_store_asked(BEGIN);
	cr_assert(eq(int, q->edge, EDGE));
	cr_assert(eq(i64, q->ms, CLAIM_MS));
	cr_assert(eq(i64, q->time_ms, 77));
	cr_assert(eq(int, q->code, 1001));
	cr_assert(eq(str, (char *)q->text, "bye"));
	cr_assert(eq(str, (char *)q->stage, "dev"));
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(sz, fake_function_waiting(), 0));
	begun();
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
	cr_assert(eq(sz, asker->open, 0));
	fake_function_return(200);
	cr_assert(eq(sz, fixture.ended, 0));
	fake_store_done(END, OK);
	expect_end(ANSWER_DONE);
	expect_no_claim();
	cr_assert(eq(i64, metric_value(fixture.counts.disconnects), 1));
}

/* The function has it, whatever the store says of that. */
Test(handle_disconnect, ends_whatever_the_store_answers_after_the_function)
{
	static const enum err errs[] = {OK, ERR_NOTFOUND, ERR_DOWN, ERR_BUSY};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		asker->n = fixture.ended = 0;
		disconnect();
		begun();
		fake_function_return(500);
		fake_store_done(END, errs[i]);
		expect_end(ANSWER_DONE);
	}
}

Test(handle_disconnect, gives_the_function_what_was_written_down_first)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	disconnect();
	fake_store_begun(OK, &d);
	cr_assert(eq(int, fake_function_invocation()->code, 1006));
	cr_assert(eq(i64, fake_function_invocation()->time_ms, 5));
	cr_assert(span_is(fake_function_invocation()->body, "gone"));
	fake_function_return(200);
}

Test(handle_disconnect, that_another_broker_handles_is_done_here)
{
	disconnect();
	fake_store_begun(ERR_CLAIMED, NULL);
	expect_end(ANSWER_DONE);
	expect_no_claim();
}

Test(handle_disconnect, that_could_not_be_written_down_is_retried)
{
	static const enum err errs[] = {ERR_DOWN, ERR_BUSY, ERR_MALFORMED};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		asker->n = fixture.ended = 0;
		disconnect();
		fake_store_begun(errs[i], NULL);
		expect_end(ANSWER_RETRY);
	}
	expect_no_claim();
}

Test(handle_disconnect, without_a_store_is_retried)
{
	fake_store_set_up(false);
	disconnect();
	expect_end(ANSWER_RETRY);
	cr_assert(eq(i64, metric_value(fixture.counts.retried), 1));
	cr_assert(eq(i64, metric_value(fixture.counts.disconnects), 0));
}

/* Its edge has asked another broker meanwhile, which is at it or finds it pending. */
Test(handle_disconnect, of_a_link_that_ends_while_it_is_written_down_is_left_to_others)
{
	disconnect();
	asker->is_lost = true;
	begun();
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, fake_function_waiting(), 0));
	expect_no_claim();
}

Test(handle_disconnect, with_a_context_that_cannot_be_read_ends_at_once)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__DISCONNECT, 9);

	e.context = fixture_data("\x12\x7f");
	handle_disconnect(fixture_call(&e));
	expect_end(ANSWER_DONE);
	expect_no_claim();
}

Test(handle_disconnect, without_room_is_written_down_unclaimed_and_given_to_no_function)
{
	struct id id = fixture_id();

	while (redelivery_has_capacity(fixture.redelivery))
		redelivery_keep_claim(fixture.redelivery, &id);
	disconnect();
	cr_assert(eq(i64, fake_store_asked(BEGIN)->ms, 0));
	begun();
	expect_end(ANSWER_DONE);
}

/* ---- without a route ---- */

Test(handle_disconnect, without_a_route_removes_the_row)
{
	static const struct {
		enum err e;
		enum answer_kind kind;
	} rows[] = {{OK, ANSWER_DONE},
		    {ERR_NOTFOUND, ANSWER_DONE},
		    {ERR_DOWN, ANSWER_RETRY},
		    {ERR_BUSY, ANSWER_RETRY}};

	use_without_route();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		asker->n = fixture.ended = 0;
		disconnect();
		cr_assert(eq(int, fake_store_asked(REMOVE)->edge, EDGE));
		cr_assert(eq(sz, asker->n, 0));
		fake_store_done(REMOVE, rows[i].e);
		expect_end(rows[i].kind);
	}
}

Test(handle_disconnect, that_is_pending_without_a_route_removes_what_is_pending)
{
	use_without_route();
	handle_disconnect(fixture_pending());
	fake_store_done(REMOVE, OK);
	cr_assert(eq(sz, fixture.ended, 1));
	expect_no_claim();
}

/* ---- pending ---- */

Test(handle_disconnect, that_is_pending_invokes_the_function_and_answers_no_edge)
{
	handle_disconnect(fixture_pending());
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(eq(int, fake_function_invocation()->code, 1006));
	fake_function_return(200);
	fake_store_done(END, OK);
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(i64, metric_value(fixture.counts.disconnects), 0));
	expect_no_claim();
}

Test(handle_disconnect, that_is_pending_without_a_store_keeps_no_claim)
{
	fake_store_set_up(false);
	handle_disconnect(fixture_pending());
	cr_assert(eq(sz, fixture.ended, 1));
	fake_store_set_up(true);
	expect_no_claim();
}

/* Its claim has expired: another may be at it. */
Test(handle_disconnect, that_waited_while_this_broker_was_stopped_is_left_to_others)
{
	struct call *c = fixture_pending();

	fake_loop_stop_for(CLAIM_MS);
	handle_disconnect(c);
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

/* ---- its function fails ---- */

Test(handle_disconnect, whose_function_fails_in_any_way_is_due_again_later)
{
	static const enum result_kind kinds[] = {RESULT_FAILED, RESULT_TIMEOUT,
						 RESULT_THROTTLED, RESULT_UNREACHABLE};
	const struct fake_asked *q;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		asker->n = fixture.ended = 0;
		disconnect();
		begun();
		fake_function_fail(kinds[i]);
		q = fake_store_asked(LATER);
		cr_assert(eq(int, q->tries, 1));
		cr_assert(eq(int, q->code, 1001));
		cr_assert(eq(str, (char *)q->source_ip, "::1"));
		cr_assert(eq(str, (char *)q->text, "the fake failed"));
		fake_store_done(LATER, OK);
		expect_end(ANSWER_DONE);
	}
	expect_no_claim();
}

Test(handle_disconnect, whose_last_try_fails_is_a_dead_letter)
{
	handle_disconnect(fixture_pending()); /* two have failed */
	fake_function_fail(RESULT_FAILED);
	cr_assert(eq(sz, fake_store_waiting(LATER), 0));
	cr_assert(eq(int, fake_store_asked(PARK)->tries, TRIES));
	cr_assert(eq(i64, fake_store_asked(PARK)->ms, DEAD_LETTERS));
	fake_store_done(PARK, OK);
	cr_assert(eq(sz, fixture.ended, 1));
}

static int64_t dropped(void)
{
	return metric_value(metric_counter(
		fixture.metrics, "gatepost_broker_disconnects_dropped_total", NULL, ""));
}

Test(handle_disconnect, ends_whatever_the_store_answers_after_a_failure)
{
	static const enum err errs[] = {OK, ERR_TOOBIG, ERR_DOWN, ERR_BUSY};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		fixture.ended = 0;
		handle_disconnect(fixture_pending());
		fake_function_fail(RESULT_FAILED);
		fake_store_done(PARK, errs[i]);
		cr_assert(eq(sz, fixture.ended, 1));
		cr_assert(eq(i64, dropped(), i >= 1));
	}
	expect_no_claim();
}

/* The story: its context was read before it was asked whose it is, and was never freed (chaos, seed 3017). */
Test(handle_disconnect, that_failed_while_this_broker_was_stopped_is_left_to_others)
{
	handle_disconnect(fixture_pending());
	fake_loop_stop_for(CLAIM_MS);
	fake_function_fail(RESULT_FAILED);
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, fake_store_waiting(LATER) + fake_store_waiting(PARK), 0));
}

/* ---- channels ---- */

static void disconnect_of_two_channels(void)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__DISCONNECT, 9);
	ProtobufCBinaryData channels[2];

	channels[0] = fixture_data("room:1");
	channels[1] = fixture_data("room:2");
	e.channels = channels;
	e.n_channels = 2;
	handle_disconnect(fixture_call(&e));
	cr_assert(strcmp(fake_clients_leaves(), "room:1;room:2;") == 0, "%s",
		  fake_clients_leaves());
}

Test(handle_disconnect,
     leaves_the_presence_of_its_channels_before_anything_is_written_down)
{
	disconnect_of_two_channels();
	fake_clients_left(NULL);
	cr_assert(eq(sz, fake_store_pending(), 0));
	fake_clients_left(NULL);
	begun();
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
	fake_function_return(200);
	fake_store_done(END, OK);
	expect_end(ANSWER_DONE);
}

Test(handle_disconnect,
     that_cannot_leave_the_presence_of_a_channel_is_retried_once_all_have_answered)
{
	static const struct failure down = {"unavailable", "not now", true};

	disconnect_of_two_channels();
	fake_clients_left(&down);
	cr_assert(eq(sz, asker->n, 0));
	fake_clients_left(NULL);
	expect_end(ANSWER_RETRY);
}

Test(handle_disconnect, without_a_route_leaves_the_presence_of_its_channels_too)
{
	use_without_route();
	disconnect_of_two_channels();
	fake_clients_left(NULL);
	fake_clients_left(NULL);
	fake_store_done(REMOVE, OK);
	expect_end(ANSWER_DONE);
}
