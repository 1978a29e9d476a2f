#ifndef CLI_UP_HOME_H
#define CLI_UP_HOME_H

/* The owner of a lane, as seen from outside: the broker that has counted its events. */

#include "cli/up/supervisor.h"

enum { HOME_BROKERS = 64 };

struct home_counts {
	int64_t events[HOME_BROKERS]; /* in the supervisor's order; -1: unknown */
	size_t n;
};

/* Ask each broker's /metrics how many events it has handled. Waits. */
void home_count(const struct supervisor *s, struct home_counts *out);

/* The broker that has handled most events since then; NULL when none has handled any. Waits. */
const struct child *home_find(const struct supervisor *s,
			      const struct home_counts *since);

/* A broker that is not home; home when there is no other. */
const struct child *home_other(const struct supervisor *s, const struct child *home);

#endif
