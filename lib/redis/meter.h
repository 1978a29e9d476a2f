#ifndef REDIS_METER_H
#define REDIS_METER_H

/* What is counted about a connection to Redis. */

#include "base/err.h"
#include "base/metric.h"

struct redis_meter {
	struct metric *requests;
	struct metric *late;
	struct metric *losses;
	struct metric *seconds;
	struct metric
		*errors[ERR_DOWN + 1]; /* by code; NULL for those that do not occur */
};

struct redis;

/* m may be NULL: nothing is counted. name: a label; NULL: none. r is asked for gauges whenever m is printed. */
void redis_meter_init(struct redis_meter *c, struct metrics *m, const char *name,
		      struct redis *r);

#endif
