#include "bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

ParameterizedTestParameters(websocket_event, refuses)
{
	static struct bed_row rows[] = {
		{"nothing", BED_EVENT "      - websocket:\n",
		 "5:9: functions.f.events[0].websocket: this is nothing; allowed: a "
		 "route, or a mapping with route\n"},
		{"no route", BED_EVENT "      - websocket: { authorizer: f }\n",
		 "5:20: functions.f.events[0].websocket: route is missing; allowed: "
		 "$connect, $disconnect, $default, or a name of your own\n"},
		{"an empty route", BED_EVENT "      - websocket: ''\n",
		 "5:21: functions.f.events[0].websocket: this is empty; allowed: a "
		 "text\n"},
		{"a route of AWS's kind that there is not",
		 BED_EVENT "      - websocket: $message\n",
		 "5:20: functions.f.events[0].websocket: the route \"$message\": of "
		 "those with a $ allowed: $connect, $disconnect, $default\n"},
		{"a key misspelt", BED_EVENT "      - websocket: { rout: a, route: a }\n",
		 "5:22: functions.f.events[0].websocket: there is no key \"rout\" (did "
		 "you mean route?); allowed: route, routeResponseSelectionExpression, "
		 "authorizer, concurrency\n"},
		{"a key that there is not",
		 BED_EVENT "      - websocket: { route: a, cors: true }\n",
		 "5:32: functions.f.events[0].websocket: there is no key \"cors\"; "
		 "allowed: route, routeResponseSelectionExpression, authorizer, "
		 "concurrency\n"},
		{"another response expression",
		 BED_EVENT "      - websocket: { route: a, "
			   "routeResponseSelectionExpression: $all }\n",
		 "5:66: "
		 "functions.f.events[0].websocket.routeResponseSelectionExpression: "
		 "\"$all\"; allowed: $default\n"},
		{"another concurrency",
		 BED_EVENT "      - websocket: { route: a, concurrency: 5 }\n",
		 "5:45: functions.f.events[0].websocket.concurrency: \"5\"; allowed: "
		 "serial or parallel\n"},
		{"a parallel $connect",
		 BED_EVENT
		 "      - websocket: { route: $connect, concurrency: parallel }\n",
		 "5:52: functions.f.events[0].websocket.concurrency: $connect is the "
		 "first or last event of its connection; allowed: serial\n"},
		{"an authorizer on another route",
		 BED_EVENT "      - websocket: { route: a, authorizer: f }\n",
		 "5:44: functions.f.events[0].websocket.authorizer: the route is a; "
		 "allowed: on $connect alone\n"},
		{"a list", BED_EVENT "      - websocket: [ a ]\n",
		 "5:20: functions.f.events[0].websocket: this is a list; allowed: a "
		 "route, or a mapping with route\n"},
		{"a key of 129 bytes",
		 BED_EVENT
		 "      - websocket: "
		 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
		 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\n",
		 "5:20: functions.f.events[0].websocket: the route has 129 bytes; "
		 "allowed: 1 to 128\n"},
	};
	return cr_make_param_array(struct bed_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bed_row *row, websocket_event, refuses)
{
	bed_check(row);
}

Test(websocket_event, has_a_short_form)
{
	struct bed b = {0};

	bed_read(&b, BED_EVENT "      - websocket: $connect\n"
			       "      - websocket: { route: $disconnect }\n"
			       "      - websocket: 42\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(ne(ptr, (void *)bed_route(&b, "$connect"), NULL));
	cr_expect(ne(ptr, (void *)bed_route(&b, "$disconnect"), NULL));
	cr_expect(ne(ptr, (void *)bed_route(&b, "42"), NULL));
	bed_close(&b);
}

Test(websocket_event, of_two_with_one_route_the_last_counts)
{
	struct bed b = {0};

	bed_read(&b, BED_ANY "  g:\n"
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
	bed_close(&b);
}
