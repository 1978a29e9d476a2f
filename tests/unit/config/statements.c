#include "config/policy.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include <string.h>

#define TABLE                                                                            \
	"resources: { Resources: { Rooms: { Type: AWS::DynamoDB::Table, Properties: { "  \
	"TableName: rooms } } } }\n"
#define PUT "Effect: Allow, Action: dynamodb:PutItem"

/* A text in front of a function f, and what f may do with the table rooms. */
struct row {
	char why[64];
	char text[400];
	char may[48]; /* of PutItem, Query, Query of an index, DeleteTable: "P", "Q", "I", "D" */
	char infos[160];
};

ParameterizedTestParameters(statements, of_the_provider)
{
	static struct row rows[] = {
		{"none", "provider: { name: aws }\n", "PQID", ""},
		{"of another service",
		 "provider: { iam: { role: { statements: [ { Effect: "
		 "Allow, Action: 's3:*', Resource: '*' } ] } } }\n",
		 "PQID", ""},
		{"one action and one table",
		 "provider: { iam: { role: { statements: [ { " PUT
		 ", Resource: 'arn:aws:dynamodb:*:*:table/rooms' } ] } } }\n",
		 "P", ""},
		{"the older key",
		 "provider: { iamRoleStatements: [ { " PUT
		 ", Resource: !GetAtt Rooms.Arn } ] }\n",
		 "P", ""},
		{"lists, a table and its indexes",
		 "provider: { iamRoleStatements: [ { Effect: Allow, Action: [ "
		 "dynamodb:Query, dynamodb:PutItem ], Resource: [ !GetAtt Rooms.Arn, "
		 "!Sub "
		 "'${Rooms.Arn}/index/*' ] } ] }\n",
		 "PQI", ""},
		{"an ARN with AWS::Region and without !Sub",
		 "provider: { iamRoleStatements: [ { " PUT ", Resource: "
		 "'arn:aws:dynamodb:${AWS::Region}:#{AWS::AccountId}:table/rooms' } ] "
		 "}\n",
		 "P", ""},
		{"a Deny wins",
		 "provider: { iamRoleStatements: [ { Effect: Allow, Action: "
		 "'*', Resource: '*' }, { Effect: Deny, Action: "
		 "dynamodb:DeleteTable, Resource: '*' } ] }\n",
		 "PQI", ""},
		{"one with a Condition allows nothing",
		 "provider: { iamRoleStatements: [ { " PUT
		 ", Resource: '*', Condition: {} } ] }\n",
		 "",
		 "1:34: provider.iamRoleStatements[0]: its Condition is not evaluated: "
		 "it "
		 "allows nothing\n"},
		{"what cannot be resolved allows nothing",
		 "provider: { iamRoleStatements: [ { " PUT
		 ", Resource: [ !ImportValue x ] } ] }\n",
		 "",
		 "1:87: provider.iamRoleStatements[0].Resource: some of it is for "
		 "CloudFormation, which is not asked here: that part allows nothing\n"},
		{"and denies all",
		 "provider: { iamRoleStatements: [ { Effect: Allow, Action: "
		 "'dynamodb:*', Resource: '*' }, { Effect: Deny, Action: "
		 "dynamodb:Query, Resource: !ImportValue x } ] }\n",
		 "PD",
		 "1:153: provider.iamRoleStatements[1].Resource: some of it is for "
		 "CloudFormation, which is not asked here: all is denied\n"},
		{"AWS's own policies",
		 "provider: { iam: { role: { managedPolicies: [ "
		 "'arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess' ] } } }\n",
		 "QI", ""},
		{"a role made elsewhere", "provider: { iam: { role: !Ref Role } }\n",
		 "PQID", ""},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

/* The letters of what a function may do. */
static void ask(const struct fixture *b, const char *function, char out[8])
{
	const struct config_function *f = fixture_function(b, function);
	struct span t = span_str("rooms"), none = span_of(NULL, 0);
	size_t n = 0;

	if (policy_may_function(b->config, f, "PutItem", t, none))
		out[n++] = 'P';
	if (policy_may_function(b->config, f, "Query", t, none))
		out[n++] = 'Q';
	if (policy_may_function(b->config, f, "Query", t, span_str("by-room")))
		out[n++] = 'I';
	if (policy_may_function(b->config, f, "DeleteTable", t, none))
		out[n++] = 'D';
	out[n] = '\0';
}

ParameterizedTest(struct row *row, statements, of_the_provider)
{
	struct fixture b = {0};
	char text[1400], may[8];

	snprintf(text, sizeof text, "%s" TABLE FIXTURE_ANY, row->text);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""), "%s", row->why);
	ask(&b, "f", may);
	cr_expect(eq(str, may, row->may), "%s", row->why);
	cr_expect(ne(ptr, strstr(b.infos, row->infos), NULL), "%s: %s", row->why,
		  b.infos);
	fixture_close(&b);
}

Test(statements, of_a_function_take_the_place_of_the_providers)
{
	struct fixture b = {0};
	char may[8];

	fixture_read(
		&b,
		"provider: { iamRoleStatements: [ { " PUT ", Resource: '*' } ] }\n"
		"functions:\n"
		"  a: { handler: builtin:echo, events: [ websocket: a ] }\n"
		"  b: { handler: builtin:echo, events: [ websocket: b ], "
		"iamRoleStatements: [ { Effect: Allow, Action: dynamodb:Query, Resource: "
		"'*' } ] }\n"
		"  c: { handler: builtin:echo, events: [ websocket: c ], "
		"iamRoleStatementsInherit: true, iamRoleStatements: [ { Effect: Allow, "
		"Action: dynamodb:Query, Resource: '*' } ] }\n"
		"  d: { handler: builtin:echo, events: [ websocket: d ], "
		"iamRoleStatements: [ { Effect: Allow, Action: 'ses:*', Resource: '*' } "
		"] "
		"}\n");
	cr_assert(eq(str, b.errors, ""));
	ask(&b, "a", may);
	cr_expect(eq(str, may, "P"));
	ask(&b, "b", may);
	cr_expect(eq(str, may, "QI"));
	ask(&b, "c", may);
	cr_expect(eq(str, may, "PQI"));
	ask(&b, "d", may);
	cr_expect(eq(str, may, ""));
	fixture_close(&b);
}
