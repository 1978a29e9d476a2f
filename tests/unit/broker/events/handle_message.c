#include "broker/events/handle.h"

#include "fake_clients.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(handle_message, .init = fixture_start, .fini = fixture_stop);

static struct asker *const asker = &fixture.askers[0];

static void message(const char *body, bool binary)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, 9);

	e.body = fixture_data(body);
	e.binary = binary;
	handle_message(fixture_call(&e));
}

Test(handle_message, a_message_reaches_the_function_of_its_route)
{
	message("{\"action\":\"say\"}", false);
	cr_assert(eq(str, (char *)(uintptr_t)fake_function_invocation()->route->key,
		     "say"));
	cr_assert(eq(int, fake_function_form(), EVENT_PROXY));
	cr_assert(eq(sz, asker->n, 0));
	fake_function_return(200);
	cr_assert(eq(sz, asker->n, 1));
	cr_assert(eq(i64, metric_value(fixture.counts.messages), 1));
}

Test(handle_message, an_echo_comes_back_with_the_same_bytes_before_the_handler_returns)
{
	message("{ \"action\" : \"echo\", \"n\":1.0 }", false);
	cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
	cr_assert(eq(str, asker->last.body, "{ \"action\" : \"echo\", \"n\":1.0 }"));
	cr_assert(not(asker->last.binary));
	cr_assert(eq(sz, fixture.ended, 1));
}

static const struct result with_body = {.kind = RESULT_OK,
					.status = 200,
					.has_body = true,
					.body = {.p = (const uint8_t *)"hi", .n = 2}};

Test(handle_message, the_result_of_a_two_way_route_is_the_clients_answer)
{
	message("{\"action\":\"say\"}", false);
	fake_function_end(&with_body);
	cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
	cr_assert(eq(str, asker->last.body, "hi"));
}

Test(handle_message, the_result_of_a_one_way_route_is_dropped)
{
	message("hello", false);
	fake_function_end(&with_body);
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
}

Test(handle_message, a_result_without_a_body_sends_nothing)
{
	message("{\"action\":\"say\"}", false);
	fake_function_return(200);
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
}

static const struct {
	enum result_kind kind;
	const char *message;
} failures[] = {
	{RESULT_FAILED, "Internal server error"},
	{RESULT_TIMEOUT, "Endpoint request timed out"},
	{RESULT_THROTTLED, "Too Many Requests"},
	{RESULT_UNREACHABLE, "Internal server error"},
};

Test(handle_message, each_kind_of_failure_is_an_error_frame_on_routes_of_both_ways)
{
	static const char *const bodies[] = {"{\"action\":\"say\"}", "hello"};

	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		for (size_t k = 0; k < 2; k++) {
			char want[100];

			message(bodies[k], false);
			fake_function_fail(failures[i].kind);
			snprintf(want, sizeof want, "{\"message\": \"%s\",",
				 failures[i].message);
			cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
			cr_assert(
				eq(int, strncmp(asker->last.body, want, strlen(want)), 0),
				"%s", asker->last.body);
		}
}

Test(handle_message, without_a_route_it_is_forbidden_and_no_function_runs)
{
	struct config *c = fixture_config();

	c->routes[2].key[1] = 'x'; /* there is no $default any more */
	fixture_use(c);
	message("hello", false);
	cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
	cr_assert(strstr(asker->last.body, "\"Forbidden\"") != NULL);
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

Test(handle_message, a_binary_one_closes_with_1003_unless_its_function_takes_that)
{
	struct config *c;

	message("bytes", true);
	cr_assert(eq(int, asker->last.kind, ANSWER_CLOSE));
	cr_assert(eq(int, asker->last.code, 1003));
	cr_assert(eq(sz, fake_function_waiting(), 0));
	c = fixture_config();
	c->binary = true;
	fixture_use(c);
	message("bytes", true);
	cr_assert(fake_function_invocation()->binary);
	fake_function_return(200);
	c = fixture_config();
	c->routes[2].function = 1; /* $default is builtin:echo */
	c->routes[2].two_way = true;
	fixture_use(c);
	message("bytes", true);
	cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
	cr_assert(asker->last.binary);
}

Test(handle_message, an_asker_that_is_lost_meanwhile_gets_nothing_and_the_call_ends)
{
	message("{\"action\":\"say\"}", false);
	asker->is_lost = true;
	fake_function_end(&with_body);
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(sz, fixture.ended, 1));
}

/* ---- channels ---- */

static const struct action ack = {.kind = ACTION_FRAME,
				  .body = {(const uint8_t *)"ack", 3}};

Test(handle_message, actions_on_channels_reach_no_function)
{
	message("{\"action\":\"publish\"}", false);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	cr_assert(span_is(fake_clients_event()->in->body, "{\"action\":\"publish\"}"));
	cr_assert(not(fake_clients_event()->is_trusted));
	fake_clients_answer(&ack, 1, NULL);
	cr_assert(eq(str, asker->last.body, "ack"), "though the route is one-way");
}

Test(handle_message, a_binary_one_for_channels_is_not_closed)
{
	message("[{\"action\":\"publish\"}]", false);
	fake_clients_answer(NULL, 0, NULL);
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
}

static const struct result choice = {
	.kind = RESULT_OK,
	.status = 200,
	.has_body = true,
	.body = {(const uint8_t *)"hi", 2},
	.subscribe = {(const uint8_t *)"[\"room:1\", {\"channel\":\"b\"}]", 27},
	.publish = {(const uint8_t *)"[{\"channel\":\"c\",\"data\":1}]", 26},
};

Test(handle_message, what_a_function_chooses_of_channels_is_done_behind_its_body)
{
	message("{\"action\":\"say\",\"id\":7}", false);
	fake_function_end(&choice);
	cr_assert(strcmp(fake_clients_chosen(),
			 "subscribe \"room:1\"; subscribe {\"channel\":\"b\"}; publish "
			 "{\"channel\":\"c\",\"data\":1}; ") == 0,
		  "%s", fake_clients_chosen());
	cr_assert(fake_clients_event()->is_trusted);
	cr_assert(span_is(fake_clients_event()->id, "7"));
	cr_assert(eq(sz, asker->n, 0));
	fake_clients_answer(&ack, 1, NULL);
	cr_assert(eq(sz, asker->last.actions, 2));
	cr_assert(eq(str, asker->last.body, "ack"));
}

Test(handle_message, a_one_way_function_may_choose_too)
{
	message("hello", false);
	fake_function_end(&choice);
	cr_assert(eq(sz, fake_clients_event()->id.n, 0));
	fake_clients_answer(&ack, 1, NULL);
	cr_assert(eq(sz, asker->last.actions, 1));
	cr_assert(eq(str, asker->last.body, "ack"));
}

Test(handle_message, empty_lists_are_no_choice)
{
	struct result r = choice;

	r.subscribe = r.publish = span_str("[]");
	message("{\"action\":\"say\"}", false);
	fake_function_end(&r);
	cr_assert(fake_clients_is_idle());
	cr_assert(eq(str, asker->last.body, "hi"));
}
