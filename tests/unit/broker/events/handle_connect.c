#include "broker/events/handle.h"

#include "base/mem.h"
#include "fake_clients.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

TestSuite(handle_connect, .init = fixture_start, .fini = fixture_stop);

static struct asker *const asker = &fixture.askers[0];

static void connect_again(bool again)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__CONNECT, 0);

	e.again = again;
	handle_connect(fixture_call(&e));
}

static void connect_now(void)
{
	connect_again(false);
}

static void expect_status(int status)
{
	cr_assert(eq(int, asker->last.kind, ANSWER_RESPONSE));
	cr_assert(eq(int, asker->last.status, status));
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

static void expect_retry(void)
{
	cr_assert(eq(int, asker->last.kind, ANSWER_RETRY));
	cr_assert(eq(sz, fake_store_pending(), 0));
}

/* ---- without an authorizer ---- */

Test(handle_connect, puts_the_row_then_asks_the_function_then_accepts)
{
	static const struct result_header h = {"Sec-WebSocket-Protocol", "chat"};
	const struct fake_asked *q;

	connect_now();
	q = fake_store_asked(PUT);
	cr_assert(eq(int, q->edge, EDGE));
	cr_assert(eq(str, (char *)q->boot, "00000000000000b7"));
	cr_assert(eq(str, (char *)q->stage, "dev"));
	cr_assert(eq(str, (char *)q->source_ip, "::1"));
	cr_assert(eq(sz, fake_function_waiting(), 0));
	fake_store_done(PUT, OK);
	cr_assert(eq(sz, asker->n, 0));
	fake_function_end(&(struct result){
		.kind = RESULT_OK, .status = 200, .headers = &h, .n_headers = 1});
	expect_status(200);
	cr_assert(eq(str, asker->last.headers, "Sec-WebSocket-Protocol=chat;"));
	cr_assert(eq(i64, metric_value(fixture.counts.connects), 1));
}

Test(handle_connect, without_a_route_accepts_once_the_row_is_stored)
{
	struct config *c = fixture_config();

	c->routes[0].key[1] = 'x';
	fixture_use(c);
	connect_now();
	fake_store_done(PUT, OK);
	expect_status(200);
}

Test(handle_connect, of_another_stage_is_forbidden_and_puts_no_row)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__CONNECT, 0);

	e.request = fixture_request("GET", "/prod");
	handle_connect(fixture_call(&e));
	expect_status(403);
	e.request = fixture_data("\x0a\x7f");
	handle_connect(fixture_call(&e));
	expect_status(403);
}

Test(handle_connect, with_a_context_that_cannot_be_read_is_an_internal_error)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__CONNECT, 0);

	e.context = fixture_data("\x12\x7f");
	handle_connect(fixture_call(&e));
	expect_status(500);
}

/* Whoever came before may have put the row: then only the same event again may tell. */
Test(handle_connect, without_a_store_is_refused_the_first_time_and_retried_after_that)
{
	fake_store_set_up(false);
	connect_again(false);
	expect_status(503);
	cr_assert(strstr(asker->last.headers, "Retry-After") != NULL);
	connect_again(true);
	expect_retry();
}

Test(handle_connect, is_answered_by_how_the_store_fails_to_put_its_row)
{
	static const struct {
		enum err e;
		int status, status_again; /* 0: retry */
	} rows[] = {
		{ERR_DENIED, 503, 503},
		{ERR_DOWN, 0, 0},
		{ERR_BUSY, 503, 0},
		{ERR_MALFORMED, 503, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int again = 0; again < 2; again++) {
			int status = again ? rows[i].status_again : rows[i].status;

			connect_again(again);
			fake_store_done(PUT, rows[i].e);
			if (status == 0)
				expect_retry();
			else
				expect_status(status);
		}
}

/* ---- refused by the function ---- */

Test(handle_connect,
     that_the_function_rejects_loses_its_row_before_the_client_is_answered)
{
	connect_now();
	fake_store_done(PUT, OK);
	fake_function_end(&(struct result){.kind = RESULT_OK,
					   .status = 401,
					   .has_body = true,
					   .body = span_str("no")});
	cr_assert(eq(sz, asker->n, 0));
	fake_store_done(REMOVE, OK);
	expect_status(401);
	cr_assert(eq(str, asker->last.body, "no"));
	cr_assert(eq(i64, metric_value(fixture.counts.refused), 1));
}

Test(handle_connect, that_is_rejected_without_a_body_gets_one)
{
	connect_now();
	fake_store_done(PUT, OK);
	fake_function_return(403);
	fake_store_done(REMOVE, ERR_NOTFOUND);
	expect_status(403);
	cr_assert(eq(str, asker->last.body, "{\"message\":\"Forbidden\"}"));
}

Test(handle_connect, whose_function_fails_is_refused_by_the_kind_of_that)
{
	static const struct {
		enum result_kind kind;
		int status;
	} rows[] = {{RESULT_FAILED, 502},
		    {RESULT_TIMEOUT, 504},
		    {RESULT_THROTTLED, 429},
		    {RESULT_UNREACHABLE, 503}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		connect_now();
		fake_store_done(PUT, OK);
		fake_function_fail(rows[i].kind);
		fake_store_done(REMOVE, OK);
		expect_status(rows[i].status);
	}
}

/* The row may stand: the function is asked again, and may reject it again. */
Test(handle_connect, whose_row_could_not_be_removed_is_retried)
{
	static const enum err errs[] = {ERR_DOWN, ERR_BUSY, ERR_MALFORMED};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		connect_now();
		fake_store_done(PUT, OK);
		fake_function_return(403);
		fake_store_done(REMOVE, errs[i]);
		expect_retry();
	}
}

/* The store never answers, and the process ends: the leak sanitizer sees to it. */
Test(handle_connect, that_is_freed_while_its_row_is_being_removed_leaves_nothing_behind)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__CONNECT, 0);
	struct call *c = fixture_call(&e);

	handle_connect(c);
	fake_store_done(PUT, OK);
	fake_function_return(403);
	call_free(c);
}

/* ---- its edge's link ends meanwhile: another broker has it now, and its row ---- */

static void expect_silence(void)
{
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, fake_store_pending(), 0), "the row is another broker's");
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

Test(handle_connect, of_a_link_that_ends_before_the_row_is_stored_invokes_no_function)
{
	static const enum err errs[] = {OK, ERR_DENIED, ERR_DOWN, ERR_BUSY};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		asker->is_lost = false;
		fixture.ended = 0;
		connect_now();
		asker->is_lost = true;
		fake_store_done(PUT, errs[i]);
		expect_silence();
	}
}

Test(handle_connect, of_a_link_that_ends_while_the_function_runs_leaves_the_row_alone)
{
	static const struct result results[] = {
		{.kind = RESULT_OK, .status = 200},
		{.kind = RESULT_OK, .status = 403},
		{.kind = RESULT_FAILED, .why = "x"},
	};

	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		asker->is_lost = false;
		fixture.ended = 0;
		connect_now();
		fake_store_done(PUT, OK);
		asker->is_lost = true;
		fake_function_end(&results[i]);
		expect_silence();
	}
}

/* ---- with an authorizer ---- */

static void use_authorizer(bool context)
{
	struct config *c = fixture_config();

	c->authorizers = xcalloc(1, sizeof *c->authorizers);
	c->authorizers[0] = (struct config_authorizer){
		.name = xstrdup("auth"), .sort = CONFIG_REQUEST, .function = 0};
	c->n_authorizers = 1;
	c->routes[0].authorizer = 0;
	c->context = context;
	fixture_use(c);
}

#define POLICY(effect)                                                                   \
	"{\"principalId\":\"me\",\"policyDocument\":{\"Statement\":[{\"Action\":"        \
	"\"execute-api:Invoke\",\"Effect\":\"" effect "\",\"Resource\":\"*\"}]},"        \
	"\"context\":{\"a\":\"b\"}}"

static void end_authorizer(const char *payload)
{
	cr_assert(eq(int, fake_function_form(), EVENT_AUTHORIZER));
	fake_function_end(&(struct result){
		.kind = RESULT_OK, .status = 200, .payload = span_str(payload)});
}

Test(handle_connect,
     that_the_authorizer_allows_has_its_context_in_the_event_and_the_answer)
{
	Gatepost__Context *x;
	struct span packed;

	use_authorizer(false);
	connect_now();
	cr_assert(eq(sz, fake_store_pending(), 0), "no row before the permission");
	end_authorizer(POLICY("Allow"));
	fake_store_done(PUT, OK);
	packed = fake_function_invocation()->context;
	x = gatepost__context__unpack(NULL, packed.n, packed.p);
	cr_assert(strstr((char *)x->authorizer.data, "\"principalId\":\"me\"") != NULL);
	cr_assert(eq(sz, x->request.len, 0));
	gatepost__context__free_unpacked(x, NULL);
	fake_function_return(200);
	expect_status(200);
	cr_assert(asker->last.has_context);
}

Test(handle_connect, keeps_the_head_of_the_upgrade_if_the_configuration_says_so)
{
	Gatepost__Context *x;
	struct span packed;

	use_authorizer(true);
	connect_now();
	end_authorizer(POLICY("Allow"));
	fake_store_done(PUT, OK);
	packed = fake_function_invocation()->context;
	x = gatepost__context__unpack(NULL, packed.n, packed.p);
	cr_assert(gt(sz, x->request.len, 0));
	gatepost__context__free_unpacked(x, NULL);
	fake_function_return(200);
}

Test(handle_connect, that_the_authorizer_denies_is_refused_and_puts_no_row)
{
	use_authorizer(false);
	connect_now();
	end_authorizer(POLICY("Deny"));
	expect_status(403);
	connect_now();
	fake_function_fail(RESULT_TIMEOUT);
	expect_status(500);
}

/* An earlier try may have been allowed, and put it. */
Test(handle_connect, that_is_denied_when_it_comes_again_has_its_row_removed_first)
{
	use_authorizer(false);
	connect_again(true);
	end_authorizer(POLICY("Deny"));
	cr_assert(eq(sz, asker->n, 0));
	fake_store_done(REMOVE, OK);
	expect_status(403);
	connect_again(true);
	end_authorizer(POLICY("Deny"));
	fake_store_done(REMOVE, ERR_DOWN);
	expect_retry();
}

Test(handle_connect, of_a_link_that_ends_while_the_authorizer_runs_puts_no_row)
{
	static const char *const policies[] = {POLICY("Allow"), POLICY("Deny")};

	use_authorizer(false);
	for (size_t i = 0; i < 2; i++) {
		asker->is_lost = false;
		fixture.ended = 0;
		connect_again(true);
		asker->is_lost = true;
		end_authorizer(policies[i]);
		expect_silence();
	}
}

/* ---- channels ---- */

static const struct action ack = {.kind = ACTION_FRAME,
				  .body = {(const uint8_t *)"ack", 3}};

/* Up to what $connect's function returns. */
static void return_from_connect(struct span channels, const char *user)
{
	connect_now();
	fake_store_done(PUT, OK);
	fake_function_end(&(struct result){.kind = RESULT_OK,
					   .status = 201,
					   .channels = channels,
					   .user = span_str(user)});
}

Test(handle_connect, subscribes_before_it_accepts)
{
	return_from_connect(span_str("[\"room:1\"]"), "");
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(strcmp(fake_clients_chosen(), "subscribe \"room:1\"; ") == 0);
	cr_assert(fake_clients_event()->is_trusted);
	cr_assert(eq(sz, fake_clients_event()->id.n, 0));
	fake_clients_answer(&ack, 1, NULL);
	cr_assert(eq(sz, asker->last.actions, 2));
	cr_assert(eq(str, asker->last.body, "ack"));
}

Test(handle_connect, whose_channels_cannot_be_is_refused_and_its_row_removed)
{
	static const struct failure unknown = {"unknown_namespace", "no", false};
	static const struct failure down = {"unavailable", "no", true};

	return_from_connect(span_str("[\"x:1\"]"), "");
	fake_clients_answer(&ack, 1, &unknown);
	fake_store_done(REMOVE, OK);
	expect_status(500);
	return_from_connect(span_str("[\"x:1\"]"), "");
	fake_clients_answer(&ack, 1, &down);
	fake_store_done(REMOVE, OK);
	expect_status(503);
	cr_assert(strstr(asker->last.headers, "Retry-After") != NULL);
}

/* The user in the context that the call has now. */
static bool is_user(const struct invocation *in, const char *user)
{
	Gatepost__Context *x =
		gatepost__context__unpack(NULL, in->context.n, in->context.p);
	bool is = span_is(span_of(x->user.data, x->user.len), user);

	gatepost__context__free_unpacked(x, NULL);
	return is;
}

Test(handle_connect, stores_the_user_that_the_function_returns)
{
	return_from_connect(span_str("[\"room:1\"]"), "u7");
	cr_assert(fake_clients_is_idle());
	fake_store_done(PUT, OK);
	cr_assert(is_user(fake_clients_event()->in, "u7"));
	fake_clients_answer(NULL, 0, NULL);
	expect_status(201);
	cr_assert(asker->last.has_context);
}

Test(handle_connect, whose_user_cannot_be_stored_is_retried)
{
	return_from_connect((struct span){0}, "u7");
	fake_store_done(PUT, ERR_DOWN);
	expect_retry();
}

Test(handle_connect, subscribes_to_the_channels_of_the_authorizer_first)
{
	use_authorizer(false);
	connect_now();
	end_authorizer(
		"{\"principalId\":\"me\",\"policyDocument\":{\"Statement\":[{\"Action\":"
		"\"execute-api:Invoke\",\"Effect\":\"Allow\",\"Resource\":\"*\"}]},"
		"\"context\":{\"channels\":\"[\\\"a\\\"]\"}}");
	fake_store_done(PUT, OK);
	fake_function_end(&(struct result){
		.kind = RESULT_OK, .status = 200, .channels = span_str("[\"b\"]")});
	cr_assert(strcmp(fake_clients_chosen(), "subscribe \"a\"; subscribe \"b\"; ") ==
			  0,
		  "%s", fake_clients_chosen());
	cr_assert(is_user(fake_clients_event()->in, "me"));
	fake_clients_answer(&ack, 1, NULL);
	cr_assert(eq(sz, asker->last.actions, 2));
}

Test(handle_connect, whose_function_names_another_user_is_not_the_principal_s_any_more)
{
	use_authorizer(false);
	connect_now();
	end_authorizer(POLICY("Allow"));
	fake_store_done(PUT, OK);
	fake_function_end(&(struct result){
		.kind = RESULT_OK, .status = 200, .user = span_str("you")});
	cr_assert(strcmp(fake_store_forgotten(), "me;") == 0, "%s",
		  fake_store_forgotten());
	fake_store_done(PUT, OK);
	expect_status(200);
}

Test(handle_connect, whose_authorizer_s_channels_are_no_list_is_refused)
{
	use_authorizer(false);
	connect_now();
	end_authorizer(
		"{\"principalId\":\"me\",\"policyDocument\":{\"Statement\":[{\"Action\":"
		"\"execute-api:Invoke\",\"Effect\":\"Allow\",\"Resource\":\"*\"}]},"
		"\"context\":{\"channels\":\"a,b\"}}");
	fake_store_done(PUT, OK);
	fake_function_return(200);
	fake_store_done(REMOVE, OK);
	expect_status(500);
}
