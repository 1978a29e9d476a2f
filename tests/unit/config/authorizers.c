#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(authorizers, refuses)
{
	static struct fixture_row rows[] = {
		{"a name that nobody has",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: nobody }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: there is no "
		 "\"nobody\"; allowed: the name of a function of this file, or of one of "
		 "gatepost.authorizers\n"},
		{"a name misspelt",
		 "functions:\n"
		 "  authorize:\n"
		 "    handler: builtin:echo\n"
		 "    events: [ { websocket: { route: $connect, authorizer: authorise } "
		 "} ]\n",
		 "4:59: functions.authorize.events[0].websocket.authorizer: there is no "
		 "\"authorise\" (did you mean authorize?); allowed: the name of a "
		 "function of this file, or of one of gatepost.authorizers\n"},
		{"an arn of somebody else's",
		 FIXTURE_EVENT "      - websocket: { route: $connect, authorizer: "
			       "'arn:aws:lambda:us-east-1:1:function:other' }\n",
		 "5:52: functions.f.events[0].websocket.authorizer: \"other\" is no "
		 "function of this file; only those can be authorizers here\n"},
		{"an arn that CloudFormation knows",
		 FIXTURE_EVENT "      - websocket: { route: $connect, authorizer: { arn: "
			       "!GetAtt Auth.Arn } }\n",
		 "5:66: functions.f.events[0].websocket.authorizer.arn: !GetAtt is for "
		 "CloudFormation, which is not asked here; allowed: a text\n"},
		{"an arn that CloudFormation knows, in long",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { arn: { "
		 "'Fn::GetAtt': [ A, Arn ] } } }\n",
		 "5:58: functions.f.events[0].websocket.authorizer.arn: Fn::GetAtt is "
		 "for CloudFormation, which is not asked here; allowed: a text\n"},
		{"a reference in the place of a name",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: !Ref Auth }\n",
		 "5:56: functions.f.events[0].websocket.authorizer: !Ref is for "
		 "CloudFormation, which is not asked here; allowed: a text\n"},
		{"neither name nor arn",
		 FIXTURE_EVENT "      - websocket: { route: $connect, authorizer: { "
			       "identitySource: route.request.header.A } }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: name and arn are "
		 "missing; allowed: name or arn\n"},
		{"both name and arn",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "arn: 'arn:f' } }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: name and arn are "
		 "both there; allowed: name or arn\n"},
		{"a key that there is not",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: f, "
		 "resultTtlInSeconds: 0 } }\n",
		 "5:62: functions.f.events[0].websocket.authorizer: there is no key "
		 "\"resultTtlInSeconds\"; allowed: name, arn, identitySource\n"},
		{"a list",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: [ f ] }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: this is a list; "
		 "allowed: a name, or a mapping with name or arn\n"},
		{"a function and a token of one name",
		 FIXTURE_EVENT "      - websocket: { route: $connect, authorizer: f }\n"
			       "gatepost:\n"
			       "  authorizers:\n"
			       "    f: { type: jwt, algorithm: HS256, key: k }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: \"f\" is a function "
		 "and one of gatepost.authorizers: give one of them another name\n"},
		{"an identity source in the wrong place",
		 FIXTURE_EVENT
		 "      - websocket: { route: $connect, authorizer: { name: t, "
		 "identitySource: route.request.header.A } }\n"
		 "gatepost:\n"
		 "  authorizers:\n"
		 "    t: { type: jwt, algorithm: HS256, key: k }\n",
		 "5:51: functions.f.events[0].websocket.authorizer: identitySource "
		 "belongs to gatepost.authorizers.t\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, authorizers, refuses)
{
	fixture_check(row);
}

Test(authorizers, are_found_by_an_arn_that_names_a_function_of_the_file)
{
	struct fixture b = {0};

	fixture_read(&b,
		     "service: chat\n" FIXTURE_EVENT
		     "      - websocket: { route: $connect, authorizer: "
		     "'arn:aws:lambda:us-east-1:123456789012:function:chat-dev-auth' }\n"
		     "  auth: { handler: builtin:connect }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, b.config->authorizers[0].name, "auth"));
	cr_expect(eq(str, b.infos,
		     "6:52: functions.f.events[0].websocket.authorizer: taken for the "
		     "function "
		     "auth\n"));
	fixture_close(&b);
}

Test(authorizers, that_no_route_names_are_left_out)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT
		     "      - websocket: { route: $connect, authorizer: g }\n"
		     "      - websocket: { route: $connect, authorizer: t }\n"
		     "  g: { handler: builtin:connect }\n"
		     "gatepost:\n"
		     "  authorizers:\n"
		     "    u: { type: jwt, algorithm: HS256, key: k }\n"
		     "    t: { type: jwt, algorithm: HS256, key: k }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_authorizers, 1));
	cr_expect(eq(str, b.config->authorizers[0].name, "t"));
	cr_expect(eq(int, b.config->routes[0].authorizer, 0));
	cr_expect(eq(sz, b.config->n_functions, 1), "g authorizes nobody any more");
	fixture_close(&b);
}
