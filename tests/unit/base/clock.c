#include "base/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>

static void expect(int64_t wall_ms, const char *want)
{
	char got[CLOCK_ISO];

	clock_iso(wall_ms, got);
	cr_assert(eq(str, got, (char *)want));
}

Test(clock, a_moment_is_written_in_utc_with_milliseconds)
{
	expect(0, "1970-01-01T00:00:00.000Z");
	expect(1795343464512, "2026-11-22T10:31:04.512Z");
	expect(951782399999, "2000-02-28T23:59:59.999Z");
}

Test(clock, the_millisecond_before_1970_is_in_1969)
{
	expect(-1, "1969-12-31T23:59:59.999Z");
}

Test(clock, a_moment_beyond_all_years_stays_within_its_room)
{
	char got[CLOCK_ISO];

	clock_iso(INT64_MAX, got);
	clock_iso(INT64_MIN, got);
	cr_assert(le(sz, strlen(got), CLOCK_ISO - 1));
}
