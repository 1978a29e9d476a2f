#ifndef BENCH_FANOUT_PLAN_H
#define BENCH_FANOUT_PLAN_H

/* What a run of bench-fanout is to do: its settings. */

#include "bench/target.h"

#include <stdbool.h>

enum fanout_protocol { FANOUT_GATEPOST, FANOUT_FLOOR };

struct fanout_plan {
	const char *url, *pids, *pids_from, *space;
	int64_t protocol; /* enum fanout_protocol */
	int64_t channels, subscribers, publishers;
	int64_t publications, warm_up, in_flight, size;
	int64_t connecting, seed;
	int64_t hold_ms, settle_ms, timeout_ms, deadline_ms;
	bool subscribe, ping, refusals, json;

	struct target target; /* of url */
};

/* As conf_load; --help and every setting that makes no sense included. */
must_use enum err fanout_plan_load(struct fanout_plan *p, int argc, char **argv);

#endif
