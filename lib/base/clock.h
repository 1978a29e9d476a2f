#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that never jumps (CLOCK_MONOTONIC); for deadlines. */
int64_t clock_ms(void);

/* Milliseconds since 1970 (CLOCK_REALTIME); for people and for events. */
int64_t clock_wall_ms(void);

/* "2026-11-22T10:31:04.512Z" into out, which has room for CLOCK_ISO bytes. */
enum { CLOCK_ISO = 25 };
void clock_iso(int64_t wall_ms, char out[CLOCK_ISO]);

#endif
