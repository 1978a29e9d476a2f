#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(environment, refuses)
{
	static struct fixture_row rows[] = {
		{"a name that is none",
		 "provider:\n"
		 "  environment:\n"
		 "    A-B: 1\n" FIXTURE_ANY,
		 "3:10: provider.environment.A-B: no name of a variable; allowed: "
		 "letters, digits and _, no digit first\n"},
		{"a list as a value",
		 "provider:\n"
		 "  environment:\n"
		 "    A: [ 1 ]\n" FIXTURE_ANY,
		 "3:8: provider.environment.A: allowed: a text, a number, true or "
		 "false\n"},
		{"a text for all",
		 "provider:\n"
		 "  environment: all\n" FIXTURE_ANY,
		 "2:16: provider.environment: this is a text; allowed: a mapping\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, environment, refuses)
{
	fixture_check(row);
}

Test(environment, has_numbers_and_booleans_as_they_are_written)
{
	struct fixture b = {0};

	fixture_read(&b,
		     "provider:\n  environment: { A: 1, B: true, C: '', D: null, E: 0x10 "
		     "}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, (char *)fixture_variable(&b, "f", "A"), "1"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "f", "B"), "true"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "f", "C"), ""));
	cr_expect(eq(ptr, (void *)fixture_variable(&b, "f", "D"), NULL));
	cr_expect(eq(str, (char *)fixture_variable(&b, "f", "E"), "0x10"));
	fixture_close(&b);
}

/* The provider's value would be the wrong one. */
Test(environment, leaves_out_a_variable_that_the_function_has_from_cloudformation)
{
	struct fixture b = {0};

	fixture_read(&b, "provider: { environment: { TABLE: common } }\n" FIXTURE_FUNCTION
			 "    handler: builtin:echo\n"
			 "    environment: { TABLE: !Ref Own }\n"
			 "    events: [ { websocket: a } ]\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(ptr, (void *)fixture_variable(&b, "f", "TABLE"), NULL));
	cr_expect(eq(str, b.infos,
		     "5:32: functions.f.environment.TABLE: left out: !Ref is for "
		     "CloudFormation, which is not asked here\n"));
	fixture_close(&b);
}
