#include "broker/fences.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct fences *f;

static void begin(void)
{
	f = fences_new(NULL);
}

static void end(void)
{
	fences_free(f);
}

TestSuite(fences, .init = begin, .fini = end);

static void note(uint16_t number, const char *boot)
{
	fences_note(f, number, span_str(boot));
}

Test(fences, are_of_one_number_and_one_boot)
{
	note(7, "00000000000000aa");
	cr_assert(fences_have(f, 7, "00000000000000aa"));
	cr_assert(not(fences_have(f, 8, "00000000000000aa")));
	cr_assert(not(fences_have(f, 7, "00000000000000ab")));
	cr_assert(not(fences_have(f, 0, "00000000000000aa")));
	note(7, "00000000000000aa");
	note(8, "00000000000000aa");
	cr_assert(fences_have(f, 7, "00000000000000aa"));
	cr_assert(fences_have(f, 8, "00000000000000aa"));
}

Test(fences, of_an_owner_that_nobody_of_ours_has_written_are_none)
{
	note(7, "");
	note(7, "00000000000000aa0");
	cr_assert(not(fences_have(f, 7, "")));
	cr_assert(not(fences_have(f, 7, "00000000000000aa")));
}

Test(fences, are_the_last_1024)
{
	char boot[17];

	for (int i = 0; i < 1025; i++) {
		snprintf(boot, sizeof boot, "%016x", i);
		note(7, boot);
	}
	cr_assert(not(fences_have(f, 7, "0000000000000000")));
	cr_assert(fences_have(f, 7, "0000000000000001"));
	cr_assert(fences_have(f, 7, "0000000000000400"));
}
