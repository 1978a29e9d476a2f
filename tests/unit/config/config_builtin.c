#include "fixture.h"

#include "config/channels.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

Test(config_builtin, runs_the_tutorial)
{
	struct fixture b = {
		.config = config_builtin("dev", CONFIG_SELECTION, "builtin:reject")};

	cr_assert(eq(sz, b.config->n_functions, 7));
	cr_expect(eq(sz, b.config->n_routes, 10));
	cr_expect(eq(str, fixture_function(&b, "reject")->handler, "builtin:reject"));
	cr_expect(not(fixture_route(&b, "$connect")->two_way));
	cr_expect(fixture_route(&b, "$default")->two_way);
	cr_expect(fixture_route(&b, "echo")->two_way);
	cr_expect(eq(str, b.config->http[0].path, "/ping"));
	cr_expect(eq(str, b.config->functions[b.config->http[0].function].name, "ping"));
	cr_expect(not(b.config->http[0].is_outside));
	cr_expect(eq(str, b.config->http[1].path, "/"));
	cr_expect(b.config->http[1].is_outside);
	cr_expect(eq(ptr, b.config->file, NULL));
	fixture_close(&b);
}

Test(config_builtin, has_one_function_for_two_routes_that_echo)
{
	struct fixture b = {
		.config = config_builtin("dev", CONFIG_SELECTION, "builtin:echo")};

	cr_assert(eq(sz, b.config->n_functions, 6));
	cr_assert(eq(sz, fixture_route(&b, "$default")->function,
		     fixture_route(&b, "echo")->function));
	fixture_close(&b);
}

Test(config_builtin, lets_anyone_subscribe_and_publish_in_the_namespace_default)
{
	struct fixture b = {
		.config = config_builtin("dev", CONFIG_SELECTION, "builtin:reject")};
	const struct config_namespace *ns = config_namespace(b.config, span_str("lobby"));
	const struct config_route *route = fixture_route(&b, "subscribe");

	cr_assert(ne(ptr, (void *)ns, NULL));
	cr_expect(eq(int, ns->subscribe.rule, CHANNEL_ANYONE));
	cr_expect(eq(int, ns->publish.rule, CHANNEL_ANYONE));
	cr_expect(eq(i64, ns->history.size, 100));
	cr_expect(ns->presence.members);
	cr_assert(ne(ptr, (void *)route, NULL));
	cr_expect(eq(str, b.config->functions[route->function].handler,
		     "builtin:channels"));
	cr_expect(eq(ptr, (void *)config_namespace(b.config, span_str("room:1")), NULL));
	fixture_close(&b);
}
