#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

ParameterizedTestParameters(websocket_event, refuses)
{
	static struct fixture_row rows[] = {
		{"nothing", FIXTURE_EVENT "      - websocket:\n",
		 "5:9: functions.f.events[0].websocket: this is nothing; allowed: a "
		 "route, or a mapping with route\n"},
		{"no route", FIXTURE_EVENT "      - websocket: { authorizer: f }\n",
		 "5:20: functions.f.events[0].websocket: route is missing; allowed: "
		 "$connect, $disconnect, $default, or a name of your own\n"},
		{"an empty route", FIXTURE_EVENT "      - websocket: ''\n",
		 "5:21: functions.f.events[0].websocket: this is empty; allowed: a "
		 "text\n"},
		{"a route of AWS's kind that there is not",
		 FIXTURE_EVENT "      - websocket: $message\n",
		 "5:20: functions.f.events[0].websocket: the route \"$message\": of "
		 "those with a $ allowed: $connect, $disconnect, $default\n"},
		{"a key misspelt",
		 FIXTURE_EVENT "      - websocket: { rout: a, route: a }\n",
		 "5:22: functions.f.events[0].websocket: there is no key \"rout\" (did "
		 "you mean route?); allowed: route, routeResponseSelectionExpression, "
		 "authorizer, concurrency\n"},
		{"a key that there is not",
		 FIXTURE_EVENT "      - websocket: { route: a, cors: true }\n",
		 "5:32: functions.f.events[0].websocket: there is no key \"cors\"; "
		 "allowed: route, routeResponseSelectionExpression, authorizer, "
		 "concurrency\n"},
		{"another response expression",
		 FIXTURE_EVENT "      - websocket: { route: a, "
			       "routeResponseSelectionExpression: $all }\n",
		 "5:66: "
		 "functions.f.events[0].websocket.routeResponseSelectionExpression: "
		 "\"$all\"; allowed: $default\n"},
		{"another concurrency",
		 FIXTURE_EVENT "      - websocket: { route: a, concurrency: 5 }\n",
		 "5:45: functions.f.events[0].websocket.concurrency: \"5\"; allowed: "
		 "serial or parallel\n"},
		{"a parallel $connect",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, concurrency: parallel }\n",
		 "5:52: functions.f.events[0].websocket.concurrency: $connect is the "
		 "first or last event of its connection; allowed: serial\n"},
		{"an authorizer on another route",
		 FIXTURE_EVENT "      - websocket: { route: a, authorizer: f }\n",
		 "5:44: functions.f.events[0].websocket.authorizer: the route is a; "
		 "allowed: on $connect alone\n"},
		{"a list", FIXTURE_EVENT "      - websocket: [ a ]\n",
		 "5:20: functions.f.events[0].websocket: this is a list; allowed: a "
		 "route, or a mapping with route\n"},
		{"a key of 129 bytes",
		 FIXTURE_EVENT
		 "      - websocket: "
		 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
		 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\n",
		 "5:20: functions.f.events[0].websocket: the route has 129 bytes; "
		 "allowed: 1 to 128\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, websocket_event, refuses)
{
	fixture_check(row);
}

Test(websocket_event, has_a_short_form)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT "      - websocket: $connect\n"
				       "      - websocket: { route: $disconnect }\n"
				       "      - websocket: 42\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(ne(ptr, (void *)fixture_route(&b, "$connect"), NULL));
	cr_expect(ne(ptr, (void *)fixture_route(&b, "$disconnect"), NULL));
	cr_expect(ne(ptr, (void *)fixture_route(&b, "42"), NULL));
	fixture_close(&b);
}

Test(websocket_event, of_two_with_one_route_the_last_counts)
{
	struct fixture b = {0};

	fixture_read(&b,
		     FIXTURE_ANY "  g:\n"
				 "    handler: builtin:ping\n"
				 "    events: [ { websocket: { route: a, "
				 "routeResponseSelectionExpression: $default } } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_routes, 1));
	cr_expect(eq(str, b.config->functions[b.config->routes[0].function].name, "g"));
	cr_expect(b.config->routes[0].two_way);
	cr_expect(eq(sz, b.config->n_functions, 1), "f serves nobody any more");
	cr_expect(ne(ptr,
		     strstr(b.infos, "8:28: functions.g.events[0].websocket: the route a "
				     "is that of f in line 5 too: this one counts"),
		     NULL),
		  "%s", b.infos);
	fixture_close(&b);
}
