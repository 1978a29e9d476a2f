#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(functions, refuses)
{
	static struct fixture_row rows[] = {
		{"a text", "functions: all\n",
		 "1:12: functions: this is a text; allowed: a mapping or a list of "
		 "mappings\n"},
		{"none in it", "functions: {}\n",
		 "1:1: functions: none of them serves a websocket, http or httpApi "
		 "event: there is nothing to do\n"},
		{"null", "functions:\n",
		 "1:1: functions is missing; allowed: functions: { NAME: { handler: …, "
		 "events: [ … ] } }\n"},
		{"a function that is a text",
		 "functions:\n"
		 "  f: handler.main\n",
		 "2:6: functions.f: this is a text; allowed: a mapping with handler and "
		 "events\n"},
		{"a function that is nothing", FIXTURE_FUNCTION,
		 "2:3: functions.f: this is nothing; allowed: a mapping with handler and "
		 "events\n"},
		{"two of one name in a list",
		 "functions:\n"
		 "  - f: { handler: builtin:echo, events: [ { websocket: a } ] }\n"
		 "  - f: { handler: builtin:echo }\n",
		 "3:8: functions.f: there are two functions of this name\n"},
		{"none that serves us",
		 "functions:\n"
		 "  f: { handler: a.b, events: [ { schedule: rate(1 day) } ] }\n",
		 "1:1: functions: none of them serves a websocket, http or httpApi "
		 "event: there is nothing to do\n"},
		{"events as a mapping",
		 FIXTURE_FUNCTION "    handler: builtin:echo\n"
				  "    events: { websocket: a }\n",
		 "4:13: functions.f.events: this is a mapping; allowed: a list\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, functions, refuses)
{
	fixture_check(row);
}

Test(functions, ignores_what_serves_nobody_in_whatever_language)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY "  job:\n"
				     "    handler: com.example.Job\n"
				     "    runtime: java17\n"
				     "    timeout: forever\n"
				     "    events: [ { schedule: rate(1 day) } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_functions, 1));
	cr_assert(eq(str, b.infos,
		     "10:15: functions.job.events[0]: ignored: schedule\n"
		     "7:5: functions.job: ignored: it serves no websocket, http, "
		     "httpApi or channel "
		     "event, and authorizes nobody\n"));
	fixture_close(&b);
}

Test(functions, may_be_a_list_of_mappings)
{
	struct fixture b = {0};

	fixture_read(
		&b, "functions:\n"
		    "  - a: { handler: builtin:echo, events: [ { websocket: a } ] }\n"
		    "    b: { handler: builtin:ping, events: [ { websocket: b } ] }\n"
		    "  - c: { handler: builtin:reject, events: [ { websocket: c } ] }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, fixture_function(&b, "a")->handler, "builtin:echo"));
	cr_expect(eq(str, fixture_function(&b, "c")->handler, "builtin:reject"));
	cr_expect(eq(sz, fixture_route(&b, "c")->function, 2));
	fixture_close(&b);
}

/* The first function is left out, so that all numbers change. */
Test(functions, keeps_routes_and_authorizers_with_their_functions_when_one_is_left_out)
{
	struct fixture b = {0};

	fixture_read(&b, "functions:\n"
			 "  idle: { handler: x.y }\n"
			 "  auth: { handler: builtin:connect }\n"
			 "  f:\n"
			 "    handler: builtin:echo\n"
			 "    events:\n"
			 "      - websocket: { route: $connect, authorizer: auth }\n"
			 "      - http: GET a\n");
	cr_assert(eq(str, b.errors, ""));
	const struct config *c = b.config;
	cr_assert(eq(sz, c->n_functions, 2));
	cr_expect(eq(str, c->functions[c->routes[0].function].name, "f"));
	cr_expect(eq(str, c->functions[c->http[0].function].name, "f"));
	cr_expect(eq(str, c->functions[c->authorizers[0].function].name, "auth"));
	fixture_close(&b);
}
