#ifndef BROKER_RUNTIME_COUNTS_H
#define BROKER_RUNTIME_COUNTS_H

/* What is counted of a function that workers poll for. */

#include "base/metric.h"
#include "broker/payload/result.h"

struct runtime_counts {
	struct metric *invocations, *seconds, *workers, *polling, *waiting;
	struct metric *failed[RESULT_UNREACHABLE + 1]; /* none for RESULT_OK */
};

void runtime_counts_make(struct runtime_counts *out, struct metrics *m,
			 const char *function);

#endif
