#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(function_keys, refuses)
{
	static struct fixture_row rows[] = {
		{"no handler", FIXTURE_FUNCTION "    events: [ { websocket: a } ]\n",
		 "3:5: functions.f: handler is missing; allowed: module.function, "
		 "http://…, https://…, builtin:…\n"},
		{"an image",
		 FIXTURE_FUNCTION "    image: chat\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:5: functions.f: handler is missing (run the image yourself, and give "
		 "its URL); allowed: module.function, http://…, https://…, builtin:…\n"},
		{"a handler that is a list",
		 FIXTURE_FUNCTION "    handler: [ a ]\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: this is a list; allowed: a text\n"},
		{"a handler without a function",
		 FIXTURE_FUNCTION "    handler: main\n"
				  "    runtime: python3.11\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: \"main\"; allowed: module.function, "
		 "http://…, https://…, builtin:…\n"},
		{"a handler with a blank",
		 FIXTURE_FUNCTION "    handler: a b.c\n"
				  "    runtime: python3.11\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: \"a b.c\"; allowed: module.function, "
		 "http://…, https://…, builtin:…\n"},
		{"a builtin misspelt",
		 FIXTURE_FUNCTION "    handler: builtin:eco\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: there is no builtin:eco (did you mean "
		 "echo?); allowed: builtin:connect, builtin:disconnect, builtin:reject, "
		 "builtin:echo, builtin:ping, builtin:channels\n"},
		{"a builtin that there is not",
		 FIXTURE_FUNCTION "    handler: builtin:teapot\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: there is no builtin:teapot; allowed: "
		 "builtin:connect, builtin:disconnect, builtin:reject, builtin:echo, "
		 "builtin:ping, builtin:channels\n"},
		{"an URL without a host",
		 FIXTURE_FUNCTION "    handler: http:///path\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: \"http:///path\"; allowed: http://HOST… or "
		 "https://HOST…\n"},
		{"an URL of another kind",
		 FIXTURE_FUNCTION "    handler: ftp://host/\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:14: functions.f.handler: \"ftp://host/\"; allowed: http://HOST… or "
		 "https://HOST…\n"},
		{"a runtime that is not run",
		 FIXTURE_FUNCTION "    handler: a.b\n"
				  "    runtime: java17\n"
				  "    events: [ { websocket: a } ]\n",
		 "4:14: functions.f: the runtime \"java17\" is not run here; allowed: "
		 "python3.11, python3.12, …, nodejs18.x, nodejs20.x, … or a handler that "
		 "is a URL\n"},
		{"the second Python",
		 FIXTURE_FUNCTION "    handler: a.b\n"
				  "    runtime: python2.7\n"
				  "    events: [ { websocket: a } ]\n",
		 "4:14: functions.f: the runtime \"python2.7\" is not run here; allowed: "
		 "python3.11, python3.12, …, nodejs18.x, nodejs20.x, … or a handler that "
		 "is a URL\n"},
		{"a handler of CloudFormation's",
		 FIXTURE_FUNCTION "    handler: !Sub a.b\n"
				  "    events: [ { websocket: a } ]\n",
		 "3:19: functions.f.handler: !Sub is for CloudFormation, which is not "
		 "asked here; allowed: a text\n"},
		{"a timeout of 15 minutes and 1 second",
		 FIXTURE_FUNCTION "    handler: builtin:echo\n"
				  "    timeout: 901\n"
				  "    events: [ { websocket: a } ]\n",
		 "4:14: functions.f.timeout: \"901\"; allowed: 1 to 900 seconds\n"},
		{"a timeout of 0",
		 FIXTURE_FUNCTION "    handler: builtin:echo\n"
				  "    timeout: 0\n"
				  "    events: [ { websocket: a } ]\n",
		 "4:14: functions.f.timeout: \"0\"; allowed: 1 to 900 seconds\n"},
		{"a timeout in words",
		 FIXTURE_FUNCTION "    handler: builtin:echo\n"
				  "    timeout: 6s\n"
				  "    events: [ { websocket: a } ]\n",
		 "4:14: functions.f.timeout: \"6s\"; allowed: 1 to 900 seconds\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, function_keys, refuses)
{
	fixture_check(row);
}

Test(function_keys, takes_node_when_no_runtime_is_given)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_FUNCTION
		     "    handler: src/a.b\n    events: [ { websocket: a } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, fixture_function(&b, "f")->runtime, "nodejs20.x"));
	cr_expect(
		eq(str, b.infos, "3:5: functions.f: runtime is not given: nodejs20.x\n"));
	fixture_close(&b);
}

Test(function_keys, takes_a_runtime_of_its_own)
{
	struct fixture b = {0};

	fixture_read(&b, "provider: { runtime: go1.x }\n" FIXTURE_FUNCTION
			 "    handler: a.b\n    runtime: python3.13\n    events: [ { "
			 "websocket: a } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, fixture_function(&b, "f")->runtime, "python3.13"));
	fixture_close(&b);
}

Test(function_keys, needs_no_runtime_for_an_url)
{
	struct fixture b = {0};

	fixture_read(
		&b, "provider: { runtime: go1.x }\n" FIXTURE_FUNCTION
		    "    handler: https://[::1]:9000/2015-03-31/functions/f/invocations\n"
		    "    events: [ { websocket: a } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(ptr, fixture_function(&b, "f")->runtime, NULL));
	cr_expect(eq(i64, fixture_function(&b, "f")->workers, 0));
	fixture_close(&b);
}

Test(function_keys, cuts_a_timeout_to_what_the_gateway_waits)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_FUNCTION "    handler: builtin:echo\n    timeout: 30\n"
					  "    events: [ { websocket: a } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(i64, fixture_function(&b, "f")->timeout_ms, 29000));
	cr_expect(ne(str, b.infos, ""));
	fixture_close(&b);
}
