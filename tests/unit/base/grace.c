#include "base/grace.h"

#include "capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect(int64_t drain_ms, int64_t grace_ms, bool warned)
{
	struct capture *c = capture_start(STDERR_FILENO);
	char *lines;

	grace_check(drain_ms, grace_ms);
	lines = capture_end(c);
	cr_assert(eq(int, strstr(lines, "drain.too_long") != NULL, warned), "%s", lines);
	free(lines);
}

Test(grace, that_is_shorter_than_a_drain_is_warned_of)
{
	expect(68000, 30000, true);
	expect(68000, 67999, true);
}

Test(grace, that_is_long_enough_or_not_known_is_not)
{
	expect(68000, 68000, false);
	expect(68000, 0, false);
}
