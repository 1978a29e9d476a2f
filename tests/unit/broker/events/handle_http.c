#include "broker/events/handle.h"

#include "base/mem.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

TestSuite(handle_http, .init = fixture_start, .fini = fixture_stop);

static struct asker *const asker = &fixture.askers[0];

static void request(const char *method, const char *path)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__HTTP, 9);

	e.request = fixture_request(method, path);
	handle_http(fixture_call(&e));
}

#define UPGRADE   "{\"message\":\"This is a WebSocket address: upgrade\"}"
#define NOT_FOUND "{\"message\":\"Not Found\"}"

static void expect(const char *method, const char *path, int status, const char *body)
{
	request(method, path);
	cr_assert(eq(int, asker->last.status, status), "%s %s", method, path);
	cr_assert(eq(str, asker->last.body, (char *)(uintptr_t)body), "%s %s", method,
		  path);
}

Test(handle_http, a_request_reaches_the_function_of_its_route_with_its_path)
{
	static const struct result_header h = {"A", "1"};
	const struct invocation *in;

	request("GET", "/dev/ping");
	in = fake_function_invocation();
	cr_assert(eq(str, (char *)(uintptr_t)in->route->key, "GET /ping"));
	cr_assert(eq(str, (char *)(uintptr_t)in->path, "/ping"));
	fake_function_end(&(struct result){.kind = RESULT_OK,
					   .status = 201,
					   .body = span_str("PONG!"),
					   .headers = &h,
					   .n_headers = 1});
	cr_assert(eq(int, asker->last.status, 201));
	cr_assert(eq(str, asker->last.body, "PONG!"));
	cr_assert(eq(str, asker->last.headers, "A=1;"));
	cr_assert(eq(i64, metric_value(fixture.counts.requests), 1));
}

Test(handle_http, the_stage_itself_needs_an_upgrade)
{
	expect("GET", "/dev", 426, UPGRADE);
	expect("GET", "/dev/", 426, UPGRADE);
}

Test(handle_http, a_route_for_the_root_of_the_stage_wins_over_the_upgrade)
{
	struct config *config = fixture_config();

	free(config->http[0].path);
	config->http[0].path = xstrdup("/");
	config->http[0].function = 1; /* builtin:echo */
	fixture_use(config);
	expect("GET", "/dev", 200, "");
	expect("GET", "/dev/", 200, "");
	expect("POST", "/dev", 426, UPGRADE);
}

Test(handle_http, anything_else_is_not_found)
{
	expect("GET", "/", 404, NOT_FOUND);
	expect("GET", "/ping", 404, NOT_FOUND);
	expect("GET", "/prod/ping", 404, NOT_FOUND);
	expect("POST", "/dev/ping", 404, NOT_FOUND);
	expect("GET", "", 404, NOT_FOUND);
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

Test(handle_http, a_request_that_cannot_be_read_is_an_internal_error)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__HTTP, 9);

	e.request = fixture_data("\x0a\x7f");
	handle_http(fixture_call(&e));
	cr_assert(eq(int, asker->last.status, 500));
}

Test(handle_http, each_kind_of_failure_has_its_status)
{
	static const struct {
		enum result_kind kind;
		int status;
	} rows[] = {{RESULT_FAILED, 502},
		    {RESULT_TIMEOUT, 504},
		    {RESULT_THROTTLED, 429},
		    {RESULT_UNREACHABLE, 503}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		request("GET", "/dev/ping");
		fake_function_fail(rows[i].kind);
		cr_assert(eq(int, asker->last.status, rows[i].status));
	}
}

Test(handle_http, an_asker_that_is_lost_meanwhile_gets_nothing_and_the_call_ends)
{
	request("GET", "/dev/ping");
	asker->is_lost = true;
	fake_function_return(200);
	cr_assert(eq(sz, asker->n, 0));
	cr_assert(eq(sz, fixture.ended, 1));
}
