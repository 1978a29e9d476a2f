#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(identity_source, refuses)
{
	static struct fixture_row rows[] = {
		{"an HTTP API's form",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "identitySource: $request.header.Auth } }\n",
		 "5:78: functions.f.events[0].websocket.authorizer.identitySource: "
		 "\"$request.header.Auth\"; allowed: route.request.header.NAME, "
		 "route.request.querystring.NAME, route.request.cookie.NAME, "
		 "route.request.subprotocol\n"},
		{"a header without a name",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "identitySource: route.request.header. } }\n",
		 "5:78: functions.f.events[0].websocket.authorizer.identitySource: "
		 "\"route.request.header.\"; allowed: route.request.header.NAME, "
		 "route.request.querystring.NAME, route.request.cookie.NAME, "
		 "route.request.subprotocol\n"},
		{"stage variables",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "identitySource: [ stageVariables.a ] } }\n",
		 "5:80: functions.f.events[0].websocket.authorizer.identitySource[0]: "
		 "\"stageVariables.a\"; allowed: route.request.header.NAME, "
		 "route.request.querystring.NAME, route.request.cookie.NAME, "
		 "route.request.subprotocol\n"},
		{"a mapping",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "identitySource: { a: b } } }\n",
		 "5:78: functions.f.events[0].websocket.authorizer.identitySource: this "
		 "is a mapping; allowed: a text or a list of texts\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, identity_source, refuses)
{
	fixture_check(row);
}

Test(identity_source, is_the_header_that_serverless_takes_when_there_is_none)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT
		     "      - websocket: { route: $connect, authorizer: f }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->authorizers[0].n_identity, 1));
	cr_assert(eq(str, b.config->authorizers[0].identity[0],
		     "route.request.header.Auth"));
	fixture_close(&b);
}

Test(identity_source, may_be_an_empty_list)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT
		     "      - websocket: { route: $connect, authorizer: { name: f, "
		     "identitySource: [] } }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->authorizers[0].n_identity, 0));
	fixture_close(&b);
}
