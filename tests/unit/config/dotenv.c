#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

static void check(const char *env, const char *name, const char *want)
{
	struct fixture b = {0};
	char text[256];

	snprintf(text, sizeof text,
		 "useDotenv: true\nservice: ${env:%s, 'none'}\n" FIXTURE_ANY, name);
	fixture_file(&b, ".env", env);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, b.config->service, (char *)want), "%s", env);
	fixture_close(&b);
}

Test(dotenv, has_plain_values_up_to_a_comment)
{
	check("GP_A=one two  # three\n", "GP_A", "one two");
	check("  GP_A = one#two \r\n", "GP_A", "one#two");
	check("export GP_A=x", "GP_A", "x");
	check("GP_B=1\n\n# GP_A=no\nGP_A=$GP_B", "GP_A", "$GP_B");
}

Test(dotenv, has_quoted_values_over_several_lines)
{
	check("GP_A='one # \\n two'\n", "GP_A", "one # \\n two");
	check("GP_A=\"one\\n\\\"two\\\"\" # three\n", "GP_A", "one\n\"two\"");
	check("GP_A=\"one\ntwo\"\nGP_B=3\n", "GP_A", "one\ntwo");
	check("GP_A=\"one\ntwo\"\nGP_B=3\n", "GP_B", "3");
	check("GP_A='never closed\n", "GP_A", "'never closed");
}

Test(dotenv, of_two_lines_with_one_name_takes_the_first)
{
	check("GP_A=1\nGP_A=2\n", "GP_A", "1");
}

Test(dotenv, says_which_line_is_none)
{
	struct fixture b = {0};

	fixture_file(&b, ".env", "GP_A=\"1\n2\"\nwhat is this\nGP_B=3\n");
	fixture_read(&b, "useDotenv: true\nservice: ${env:GP_B}\n" FIXTURE_ANY);
	cr_expect(eq(str, b.infos, ".env:3:1: ignored: this is not NAME=value\n"));
	cr_expect(eq(str, b.config->service, "3"));
	fixture_close(&b);
}

Test(dotenv, is_beaten_by_that_of_the_stage_and_by_the_environment)
{
	struct fixture b = {0};

	cr_assert(zero(int, setenv("GP_C", "environment", 1)));
	fixture_file(&b, ".env",
		     "GP_STAGE=prod\nGP_A=common\nGP_B=common\nGP_C=common\n");
	fixture_file(&b, ".env.prod", "GP_B=stage\nGP_C=stage\n");
	fixture_read(&b, "useDotenv: true\n"
			 "provider: { stage: '${env:GP_STAGE}' }\n"
			 "service: ${env:GP_A}-${env:GP_B}-${env:GP_C}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, b.config->service, "common-stage-environment"));
	fixture_close(&b);
}

Test(dotenv, is_not_read_unless_it_is_asked_for)
{
	struct fixture b = {0};

	fixture_file(&b, ".env", "GP_A=1\n");
	fixture_read(&b, "service: ${env:GP_A, 'none'}\n" FIXTURE_ANY);
	cr_expect(eq(str, b.config->service, "none"));
	fixture_close(&b);
}
