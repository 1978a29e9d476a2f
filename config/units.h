#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

/*
 * Numbers with their unit, since people mean seconds where a program reads milliseconds:
 * times (250ms, 10s, 5m, 2h), sizes (512B, 64KiB, 4MiB, 1GiB) and rates (20/s).
 */

#include "config/value.h"

/*
 * Read v, least to most, into *out: milliseconds, bytes, or how often in a second. A time of 0
 * needs no unit.
 *
 * returns  false after an error line
 */
bool units_time(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out);
bool units_size(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out);
bool units_rate(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out);

/* The same as text, in the largest unit that leaves no remainder ("10m"); freed with free(3). */
char *units_time_text(int64_t ms);
char *units_size_text(int64_t bytes);

#endif
