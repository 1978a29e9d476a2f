#include "bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(provider, refuses)
{
	static struct bed_row rows[] = {
		{"a stage with a slash", "provider: { stage: a/b }\n" BED_ANY,
		 "1:20: provider.stage: \"a/b\"; allowed: 1 to 128 of A-Z a-z 0-9 _ -\n"},
		{"a stage that is a mapping",
		 "provider:\n"
		 "  stage: { a: b }\n" BED_ANY,
		 "2:10: provider.stage: this is a mapping; allowed: a text\n"},
		{"a provider that is a list", "provider: [ aws ]\n" BED_ANY,
		 "1:11: provider: this is a list; allowed: a mapping\n"},
		{"a stage of CloudFormation's",
		 "provider:\n"
		 "  stage: !Ref Stage\n" BED_ANY,
		 "2:15: provider.stage: !Ref is for CloudFormation, which is not asked "
		 "here; allowed: a text\n"},
		{"an expression that is a list",
		 "provider:\n"
		 "  websocketsApiRouteSelectionExpression: [ a ]\n" BED_ANY,
		 "2:42: provider.websocketsApiRouteSelectionExpression: this is a list; "
		 "allowed: a text\n"},
		{"a timeout that is no number",
		 "provider:\n"
		 "  timeout: soon\n" BED_ANY,
		 "2:12: provider.timeout: \"soon\"; allowed: 1 to 900 seconds\n"},
		{"too little memory",
		 "provider:\n"
		 "  memorySize: 64\n" BED_ANY,
		 "2:15: provider.memorySize: \"64\"; allowed: 128 to 10240 MB\n"},
		{"an empty region",
		 "provider:\n"
		 "  region: ''\n" BED_ANY,
		 "2:12: provider.region: this is empty; allowed: a text\n"},
	};
	return cr_make_param_array(struct bed_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bed_row *row, provider, refuses)
{
	bed_check(row);
}

Test(provider, may_be_the_name_alone)
{
	struct bed b = {0};

	bed_read(&b, "provider: aws\n" BED_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(str, b.config->stage, "dev"));
	bed_close(&b);
}

Test(provider, has_a_stage_that_the_command_line_beats)
{
	struct bed b = {.options.stage = "staging"};

	bed_read(&b, "provider: { stage: prod }\n" BED_ANY);
	cr_assert(eq(str, b.config->stage, "staging"));
	bed_close(&b);
}

Test(provider, refuses_a_stage_of_the_command_line_that_is_none)
{
	struct bed b = {.options.stage = "a/b"};

	bed_read(&b, BED_ANY);
	cr_assert(eq(str, b.errors,
		     "1:1: --stage: \"a/b\"; allowed: 1 to 128 of A-Z a-z 0-9 _ -\n"));
	bed_close(&b);
}

Test(provider, passes_over_all_other_keys_in_one_line_and_says_what_may_be_meant)
{
	struct bed b = {0};

	bed_read(&b, "provider:\n  iam: {}\n  timeOut: 5\n  vpc: {}\n" BED_ANY);
	cr_assert(eq(str, b.infos,
		     "2:3: provider: ignored: iam, timeOut (did you mean timeout?), "
		     "vpc\n"));
	bed_close(&b);
}

Test(provider, has_a_selection_expression_whose_braces_are_no_variable)
{
	struct bed b = {0};

	bed_read(&b, "provider:\n"
		     "  websocketsApiRouteSelectionExpression: "
		     "${request.body.service}/${request.body.action}\n" BED_ANY);
	cr_assert(eq(str, b.config->selection,
		     "${request.body.service}/${request.body.action}"));
	bed_close(&b);
}
