#include "broker/events/dispatch.h"

#include "broker/function/builtin.h"
#include "fake_edge_link.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct integration integrations[INTEGRATIONS];
static struct edge_link *edge;
static struct project *project;
static struct dispatch *dispatch;

static bool deliver(const struct disconnect *d)
{
	return dispatch_pending(dispatch, d);
}

static void start(void)
{
	fixture_start();
	integrations[CONFIG_BUILTIN] = builtin_integration();
	edge = fake_edge_link();
	project = project_new(
		&(struct project_conf){.default_handler = "builtin:reject"},
		&(struct project_uses){.routes = {.loop = fixture.loop,
						  .integrations = integrations,
						  .api_id = "abcdef1234",
						  .account = "123456789012"}});
	dispatch = dispatch_new(&(struct dispatch_uses){.store = fake_store(),
							.redelivery = fixture.redelivery,
							.project = project,
							.metrics = fixture.metrics});
	fixture.deliver = deliver;
}

static void stop(void)
{
	dispatch_free(dispatch);
	project_free(project);
	fake_edge_link_free(edge);
	fixture_stop();
}

TestSuite(dispatch, .init = start, .fini = stop);

static void event(Gatepost__Event__Kind kind, const char *body)
{
	Gatepost__Event e = fixture_event(kind, 9);

	e.term = 4;
	e.body = fixture_data(body);
	if (kind == GATEPOST__EVENT__KIND__HTTP)
		e.request = fixture_request("GET", "/dev/ping");
	dispatch_event(dispatch, edge, &e);
}

static const Gatepost__Answer *sent(void)
{
	const Gatepost__Envelope *e = fake_edge_link_read(edge);

	cr_assert(eq(sz, e->n_items, 1));
	cr_assert(eq(u32, e->items[0]->answer->term, 4));
	cr_assert(eq(u64, e->items[0]->answer->seq, 9));
	return e->items[0]->answer;
}

static bool is(ProtobufCBinaryData d, const char *text)
{
	return span_is(span_of(d.data, d.len), text);
}

Test(dispatch, takes_a_message_to_its_function_and_the_answer_to_the_edge)
{
	event(GATEPOST__EVENT__KIND__MESSAGE, "{\"action\":\"echo\"}");
	cr_assert(is(sent()->actions[0]->text, "{\"action\":\"echo\"}"));
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
}

Test(dispatch, takes_a_request_to_its_function_and_the_response_to_the_edge)
{
	event(GATEPOST__EVENT__KIND__HTTP, "");
	cr_assert(is(sent()->actions[0]->response->body, "PONG!"));
}

Test(dispatch, puts_a_row_with_the_boot_of_the_edge_before_it_accepts_a_connection)
{
	event(GATEPOST__EVENT__KIND__CONNECT, "");
	cr_assert(eq(sz, dispatch_lanes(dispatch), 1));
	cr_assert(eq(str, (char *)fake_store_asked(PUT)->boot, FAKE_EDGE_BOOT));
	fake_store_done(PUT, OK);
	cr_assert(eq(u32, sent()->actions[0]->response->status, 200));
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
}

Test(dispatch, handles_what_comes_behind_a_connect_after_it)
{
	event(GATEPOST__EVENT__KIND__CONNECT, "");
	event(GATEPOST__EVENT__KIND__MESSAGE, "{\"action\":\"echo\"}");
	cr_assert(eq(sz, fake_edge_link_read(edge)->n_items, 0));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, fake_edge_link_read(edge)->n_items, 2));
}

Test(dispatch, writes_a_disconnect_down_and_forgets_it_after_the_function)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	event(GATEPOST__EVENT__KIND__DISCONNECT, "");
	fake_store_begun(OK, &d);
	cr_assert(not(sent()->retry));
	fake_store_done(END, OK);
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
}

Test(dispatch, handles_a_pending_disconnect_without_an_edge)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	cr_assert(redelivery_claim(fixture.redelivery, EDGE));
	fake_store_claimed(OK, &d, 1);
	fake_store_done(END, OK);
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
	cr_assert(eq(sz, fake_edge_link_read(edge)->n_items, 0));
}

Test(dispatch, refuses_a_pending_disconnect_that_cannot_be_read)
{
	struct disconnect d = {.row = {.id = span_str("nonsense")}};

	cr_assert(not(dispatch_pending(dispatch, &d)));
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
}

Test(dispatch, drops_what_comes_of_a_link_that_has_ended)
{
	fake_edge_link_end(edge);
	event(GATEPOST__EVENT__KIND__CONNECT, "");
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(eq(sz, dispatch_lanes(dispatch), 0));
}

/* The leak sanitizer sees to it, and stop to the reference to the edge. */
Test(dispatch, is_freed_with_calls_whose_store_never_answered)
{
	event(GATEPOST__EVENT__KIND__CONNECT, "");
	event(GATEPOST__EVENT__KIND__MESSAGE, "x");
}
