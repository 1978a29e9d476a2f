#include "config/policy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

#define ARN "arn:aws:dynamodb:us-east-1:123456789012:table/"

/* One statement, and a question. */
struct row {
	char action[48], resource[80];
	char asked[24], table[24], index[24];
	bool want;
};

ParameterizedTestParameters(policy, of_one_statement)
{
	static struct row rows[] = {
		{"dynamodb:PutItem", ARN "rooms", "PutItem", "rooms", "", true},
		{"dynamodb:PutItem", ARN "rooms", "GetItem", "rooms", "", false},
		{"dynamodb:PutItem", ARN "rooms", "PutItem", "room", "", false},
		{"dynamodb:PutItem", ARN "rooms", "PutItem", "rooms2", "", false},
		{"DynamoDB:putitem", ARN "rooms", "PutItem", "rooms", "", true},
		{"dynamodb:*", "*", "Scan", "rooms", "", true},
		{"*", "*", "Scan", "rooms", "", true},
		{"dynamodb:*Item", "*", "BatchGetItem", "rooms", "", true},
		{"dynamodb:*Item", "*", "Scan", "rooms", "", false},
		{"dynamodb:???Item", "*", "PutItem", "rooms", "", true},
		{"dynamodb:???Item", "*", "UpdateItem", "rooms", "", false},
		{"s3:*", "*", "Scan", "rooms", "", false},
		/* one name space: region and account do not matter */
		{"dynamodb:Scan", "arn:aws:dynamodb:*:*:table/rooms", "Scan", "rooms", "",
		 true},
		{"dynamodb:Scan", "arn:aws:dynamodb:eu-west-1:42:table/rooms", "Scan",
		 "rooms", "", true},
		{"dynamodb:Scan", "arn:aws:dynamodb:::table/rooms", "Scan", "rooms", "",
		 true},
		{"dynamodb:Scan", "arn:aws:s3:::table/rooms", "Scan", "rooms", "", false},
		{"dynamodb:Scan", "arn:aws:*:*:*:table/rooms", "Scan", "rooms", "", true},
		{"dynamodb:Scan", "arn:aws:dynamodb:*", "Scan", "rooms", "", true},
		{"dynamodb:Scan", "arn:aws:dynamodb:eu-west-1:*", "Scan", "rooms", "",
		 true},
		{"dynamodb:Scan", "arn:aws:dynamodb:eu-west-1:*s", "Scan", "rooms", "",
		 true},
		{"dynamodb:Scan", "arn:aws:s3:*", "Scan", "rooms", "", false},
		{"dynamodb:Scan", "arn:*", "Scan", "rooms", "", true},
		{"dynamodb:Scan", ARN "r*", "Scan", "rooms", "", true},
		{"dynamodb:Scan", "rooms", "Scan", "rooms", "", false},
		{"dynamodb:Scan", "", "Scan", "rooms", "", false},
		/* a table is not its indexes */
		{"dynamodb:Query", ARN "rooms", "Query", "rooms", "by-room", false},
		{"dynamodb:Query", ARN "rooms/index/*", "Query", "rooms", "by-room",
		 true},
		{"dynamodb:Query", ARN "rooms/index/*", "Query", "rooms", "", false},
		{"dynamodb:Query", ARN "rooms/index/b", "Query", "rooms", "by-room",
		 false},
		{"dynamodb:Query", ARN "rooms*", "Query", "rooms", "by-room", true},
		/* about no table */
		{"dynamodb:ListTables", "*", "ListTables", "", "", true},
		{"dynamodb:ListTables", ARN "rooms", "ListTables", "", "", false},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, policy, of_one_statement)
{
	char *actions[] = {row->action}, *resources[] = {row->resource};
	struct config_statement s = {
		.actions = actions,
		.n_actions = 1,
		.resources = resources,
		.n_resources = 1,
	};

	cr_expect(eq(int,
		     policy_may(&s, 1, row->asked, span_str(row->table),
				span_str(row->index)),
		     row->want),
		  "%s on %s: %s on %s %s", row->action, row->resource, row->asked,
		  row->table, row->index);
}

static char *all_actions[] = {(char *)"dynamodb:*"}, *all[] = {(char *)"*"};
static char *delete[] = {(char *)"dynamodb:DeleteTable"};
static char *rooms[] = {(char *)ARN "rooms"};

Test(policy, a_deny_wins_wherever_it_stands)
{
	struct config_statement allow = {.actions = all_actions,
					 .n_actions = 1,
					 .resources = all,
					 .n_resources = 1};
	struct config_statement deny = {.denies = true,
					.actions = delete,
					.n_actions = 1,
					.resources = all,
					.n_resources = 1};
	struct config_statement one[] = {allow, deny}, other[] = {deny, allow};
	struct span t = span_str("t"), none = span_of(NULL, 0);

	cr_expect(not(policy_may(one, 2, "DeleteTable", t, none)));
	cr_expect(not(policy_may(other, 2, "DeleteTable", t, none)));
	cr_expect(policy_may(one, 2, "PutItem", t, none));
}

Test(policy, not_action_and_not_resource_are_all_others)
{
	struct config_statement s = {.but_actions = true,
				     .actions = delete,
				     .n_actions = 1,
				     .but_resources = true,
				     .resources = rooms,
				     .n_resources = 1};
	struct span none = span_of(NULL, 0);

	cr_expect(policy_may(&s, 1, "PutItem", span_str("t"), none));
	cr_expect(not(policy_may(&s, 1, "DeleteTable", span_str("t"), none)));
	cr_expect(not(policy_may(&s, 1, "PutItem", span_str("rooms"), none)));
}

Test(policy, nothing_is_allowed_by_no_statement)
{
	cr_expect(not(policy_may(NULL, 0, "PutItem", span_str("t"), span_of(NULL, 0))));
}

Test(policy, without_any_statement_in_the_project_everything_is_allowed)
{
	struct config c = {0};
	struct config_function f = {0};

	cr_expect(
		policy_may_function(&c, &f, "PutItem", span_str("t"), span_of(NULL, 0)));
	c.has_statements = true;
	cr_expect(not(
		policy_may_function(&c, &f, "PutItem", span_str("t"), span_of(NULL, 0))));
}
