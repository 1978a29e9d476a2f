#ifndef BENCH_FANOUT_REPORT_H
#define BENCH_FANOUT_REPORT_H

/* What a run of bench-fanout has shown, for people or as JSON. */

#include "bench/fanout_run.h"
#include "bench/usage.h"

struct fanout_report {
	const struct fanout_plan *plan;
	const struct usage_table *usage;
	const struct histogram *times;
	struct fanout_counts counts;
	uint64_t measured; /* deliveries, but for the warm-up */
	int64_t took_us;   /* for them */
	bool complete;     /* the steps came to their end, and no server process died */
};

/* Nothing went wrong. */
bool fanout_report_is_clean(const struct fanout_report *r);

void fanout_report_lines(const struct fanout_report *r);
void fanout_report_json(const struct fanout_report *r);

#endif
