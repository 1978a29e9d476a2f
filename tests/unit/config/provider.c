#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(provider, refuses)
{
	static struct fixture_row rows[] = {
		{"a stage with a slash", "provider: { stage: a/b }\n" FIXTURE_ANY,
		 "1:20: provider.stage: \"a/b\"; allowed: 1 to 128 of A-Z a-z 0-9 _ -\n"},
		{"a stage that is a mapping",
		 "provider:\n"
		 "  stage: { a: b }\n" FIXTURE_ANY,
		 "2:10: provider.stage: this is a mapping; allowed: a text\n"},
		{"a provider that is a list", "provider: [ aws ]\n" FIXTURE_ANY,
		 "1:11: provider: this is a list; allowed: a mapping\n"},
		{"a stage of CloudFormation's",
		 "provider:\n"
		 "  stage: !Ref Stage\n" FIXTURE_ANY,
		 "2:15: provider.stage: !Ref is for CloudFormation, which is not asked "
		 "here; allowed: a text\n"},
		{"an expression that is a list",
		 "provider:\n"
		 "  websocketsApiRouteSelectionExpression: [ a ]\n" FIXTURE_ANY,
		 "2:42: provider.websocketsApiRouteSelectionExpression: this is a list; "
		 "allowed: a text\n"},
		{"a timeout that is no number",
		 "provider:\n"
		 "  timeout: soon\n" FIXTURE_ANY,
		 "2:12: provider.timeout: \"soon\"; allowed: 1 to 900 seconds\n"},
		{"too little memory",
		 "provider:\n"
		 "  memorySize: 64\n" FIXTURE_ANY,
		 "2:15: provider.memorySize: \"64\"; allowed: 128 to 10240 MB\n"},
		{"an empty region",
		 "provider:\n"
		 "  region: ''\n" FIXTURE_ANY,
		 "2:12: provider.region: this is empty; allowed: a text\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, provider, refuses)
{
	fixture_check(row);
}

Test(provider, may_be_the_name_alone)
{
	struct fixture b = {0};

	fixture_read(&b, "provider: aws\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(str, b.config->stage, "dev"));
	fixture_close(&b);
}

Test(provider, has_a_stage_that_the_command_line_beats)
{
	struct fixture b = {.options.stage = "staging"};

	fixture_read(&b, "provider: { stage: prod }\n" FIXTURE_ANY);
	cr_assert(eq(str, b.config->stage, "staging"));
	fixture_close(&b);
}

Test(provider, refuses_a_stage_of_the_command_line_that_is_none)
{
	struct fixture b = {.options.stage = "a/b"};

	fixture_read(&b, FIXTURE_ANY);
	cr_assert(eq(str, b.errors,
		     "1:1: --stage: \"a/b\"; allowed: 1 to 128 of A-Z a-z 0-9 _ -\n"));
	fixture_close(&b);
}

Test(provider, ignores_all_other_keys_in_one_line_and_says_what_may_be_meant)
{
	struct fixture b = {0};

	fixture_read(&b, "provider:\n  tags: {}\n  timeOut: 5\n  vpc: {}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.infos,
		     "2:3: provider: ignored: tags, timeOut (did you mean timeout?), "
		     "vpc\n"));
	fixture_close(&b);
}

Test(provider, has_a_selection_expression_whose_braces_are_no_variable)
{
	struct fixture b = {0};

	fixture_read(&b, "provider:\n"
			 "  websocketsApiRouteSelectionExpression: "
			 "${request.body.service}/${request.body.action}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.config->selection,
		     "${request.body.service}/${request.body.action}"));
	fixture_close(&b);
}
