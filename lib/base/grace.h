#ifndef BASE_GRACE_H
#define BASE_GRACE_H

#include <stdint.h>

/*
 * Warn at the start (drain.too_long) if the supervisor would kill this process before its drain is over.
 *
 * drain_ms  the longest that a drain can take
 * grace_ms  from SIGTERM to SIGKILL; 0: not known, nothing is checked
 */
void grace_check(int64_t drain_ms, int64_t grace_ms);

#endif
