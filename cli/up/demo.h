#ifndef CLI_UP_DEMO_H
#define CLI_UP_DEMO_H

/*
 * The transcript of the main job, with a real client against what `gatepost up` has
 * started: ping, connect, messages, a push by id from the broker that is not the lane's
 * home, disconnect, and the rows in Redis before and after. Each step is checked.
 */

#include "cli/up/ready.h"

struct demo_plan {
	const struct endpoints *endpoints;
	const struct supervisor *supervisor; /* whose brokers are asked */
	const char *prefix;                  /* of the keys in Redis */
	bool echoes;                         /* --default-route builtin:echo */
};

/* Waits; print to stdout. Returns 0 when all was right, else 1 after the step that was not. */
int demo_run(const struct demo_plan *plan);

#endif
