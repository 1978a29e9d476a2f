#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_ms(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

void clock_iso(int64_t wall_ms, char out[CLOCK_ISO])
{
	int64_t ms = (wall_ms % 1000 + 1000) % 1000;
	time_t seconds =
		(time_t)(wall_ms / 1000 - (wall_ms % 1000 < 0)); /* also before 1970 */
	struct tm t = {0};
	char text[96];

	gmtime_r(&seconds, &t);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		 t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
		 (int)ms);
	text[CLOCK_ISO - 1] = '\0';
	memcpy(out, text, CLOCK_ISO);
}
