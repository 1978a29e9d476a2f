#include "broker/events/choose.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(choose, .init = fixture_start, .fini = fixture_stop);

static void expect_message(const char *body, bool binary, const char *key, bool parallel)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__MESSAGE, 1);
	struct call *c;

	e.body = fixture_data(body);
	e.binary = binary;
	c = fixture_call(&e);
	cr_assert(eq(str, (char *)(uintptr_t)c->in.route->key, (char *)(uintptr_t)key),
		  "%s", body);
	cr_assert(eq(int, c->turn.is_parallel, parallel), "%s", body);
	call_end(c);
}

Test(choose, a_message_has_the_route_of_its_body_and_may_be_parallel_by_that)
{
	expect_message("{\"action\":\"say\"}", false, "say", false);
	expect_message("{\"action\":\"par\"}", false, "par", true);
	expect_message("{\"action\":\"par\"}", true, "$default", false);
	expect_message("{\"action\":\"none\"}", false, "$default", false);
	expect_message("hello", false, "$default", false);
}

Test(choose, connects_and_disconnects_have_the_routes_of_that_name_and_are_not_parallel)
{
	static const struct {
		Gatepost__Event__Kind kind;
		const char *key;
	} rows[] = {{GATEPOST__EVENT__KIND__CONNECT, "$connect"},
		    {GATEPOST__EVENT__KIND__DISCONNECT, "$disconnect"}};

	for (size_t i = 0; i < 2; i++) {
		Gatepost__Event e = fixture_event(rows[i].kind, 1);
		struct call *c = fixture_call(&e);

		cr_assert(eq(str, (char *)(uintptr_t)c->in.route->key,
			     (char *)(uintptr_t)rows[i].key));
		cr_assert(not(c->turn.is_parallel));
		call_end(c);
	}
}

Test(choose, a_request_has_its_route_and_the_path_below_the_stage)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__HTTP, 1);
	struct call *c;

	e.request = fixture_request("GET", "/dev/ping");
	c = fixture_call(&e);
	cr_assert(eq(str, (char *)(uintptr_t)c->in.route->key, "GET /ping"));
	cr_assert(eq(str, c->http.path, "/ping"));
	call_end(c);
	e.request = fixture_request("GET", "/other/ping");
	c = fixture_call(&e);
	cr_assert(c->http.route == NULL && c->in.route == NULL);
	call_end(c);
}

Test(choose, a_request_outside_of_the_stage_has_a_route_of_there_alone)
{
	struct config *config = fixture_config();
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__HTTP, 1);
	struct call *c;

	config->http[0].is_outside = true;
	fixture_use(config);
	e.request = fixture_request("GET", "/ping");
	c = fixture_call(&e);
	cr_assert(eq(str, (char *)(uintptr_t)c->in.route->key, "GET /ping"));
	cr_assert(eq(str, c->http.path, "/ping"));
	call_end(c);
	e.request = fixture_request("GET", "/dev/ping");
	c = fixture_call(&e);
	cr_assert(c->http.route == NULL && c->in.route == NULL);
	call_end(c);
}

Test(choose, without_routes_each_kind_has_none)
{
	static const Gatepost__Event__Kind kinds[] = {
		GATEPOST__EVENT__KIND__CONNECT, GATEPOST__EVENT__KIND__MESSAGE,
		GATEPOST__EVENT__KIND__DISCONNECT, GATEPOST__EVENT__KIND__HTTP};
	struct config *config = fixture_config();

	for (size_t i = 0; i < config->n_routes; i++)
		config->routes[i].key[0] = '\1';
	fixture_use(config);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		Gatepost__Event e = fixture_event(kinds[i], 1);
		struct call *c = fixture_call(&e);

		cr_assert(c->in.route == NULL);
		call_end(c);
	}
}
