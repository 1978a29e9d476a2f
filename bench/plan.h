#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

/* What a run of the generator is to do: its settings, and the server's address taken apart. */

#include "bench/target.h"

#include <stdbool.h>

struct plan {
	const char *url, *pids, *pids_from;
	int64_t connections, messages, size;
	int64_t in_flight, rate, message_rate, connecting, processes;
	int64_t hold_ms, settle_ms, timeout_ms, deadline_ms;
	bool reset, json;

	struct target target; /* of url */
};

/* As conf_load; --help and every setting that makes no sense included. */
must_use enum err plan_load(struct plan *p, int argc, char **argv);

#endif
