#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(ours, refuses)
{
	static struct fixture_row rows[] = {
		{"a key misspelt",
		 FIXTURE_ANY "gatepost:\n"
			     "  jsn: strict\n",
		 "7:3: gatepost: there is no key \"jsn\" (did you mean json?); allowed: "
		 "json, context, binary, workers, maxTimeout, authorizers, channels, "
		 "ports, tables\n"},
		{"a key that there is not",
		 FIXTURE_ANY "gatepost:\n"
			     "  frobnicate: 1\n",
		 "7:3: gatepost: there is no key \"frobnicate\"; allowed: json, context, "
		 "binary, workers, maxTimeout, authorizers, channels, ports, tables\n"},
		{"json is neither", FIXTURE_ANY "gatepost: { json: loose }\n",
		 "6:19: gatepost.json: \"loose\"; allowed: strict or lenient\n"},
		{"binary is no bool", FIXTURE_ANY "gatepost: { binary: sometimes }\n",
		 "6:21: gatepost.binary: \"sometimes\"; allowed: true or false\n"},
		{"no workers", FIXTURE_ANY "gatepost: { workers: 0 }\n",
		 "6:22: gatepost.workers: \"0\"; allowed: 1 to 256 processes\n"},
		{"a wait of an hour", FIXTURE_ANY "gatepost: { maxTimeout: 3600 }\n",
		 "6:25: gatepost.maxTimeout: \"3600\"; allowed: 1 to 900 seconds\n"},
		{"twice",
		 FIXTURE_ANY "gatepost: { json: strict }\n"
			     "custom:\n"
			     "  gatepost: { json: strict }\n",
		 "8:13: custom.gatepost: gatepost is there too, in line 6; allowed: one "
		 "of the two\n"},
		{"a list", FIXTURE_ANY "gatepost: [ json ]\n",
		 "6:11: gatepost: this is a list; allowed: a mapping\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, ours, refuses)
{
	fixture_check(row);
}

Test(ours, may_be_in_custom)
{
	struct fixture b = {0};

	fixture_read(&b, "custom:\n  gatepost: { binary: true }\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(b.config->binary);
	fixture_close(&b);
}

Test(ours, is_strict_and_plain_unless_it_says_otherwise)
{
	struct fixture b = {0};

	fixture_read(&b, "gatepost: { json: strict, context: false }\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(not(b.config->lenient_json || b.config->context || b.config->binary));
	fixture_close(&b);
}
