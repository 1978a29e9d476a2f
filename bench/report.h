#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

/* What a run has shown, for people or as JSON. */

#include "bench/plan.h"
#include "bench/tally.h"
#include "bench/usage.h"

struct report {
	const struct plan *plan;
	const struct usage_table *usage;
	struct tally tally;
	int64_t open_us, talk_us, close_us; /* how long the three steps took */
	bool complete; /* the steps came to their end, and no server process died */
};

/* True when nothing at all went wrong: each connection opened, was answered and closed as it should. */
bool report_is_clean(const struct report *r);

void report_lines(const struct report *r);
void report_json(const struct report *r);

#endif
