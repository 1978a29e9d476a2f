#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

/* What processes have used, read from /proc: CPU time and resident memory. */

#include "bench/plan.h"

#include <stddef.h>
#include <sys/types.h>

enum usage_moment {
	USAGE_BEFORE,
	USAGE_OPEN,
	USAGE_ANSWERED,
	USAGE_HELD,
	USAGE_CLOSED,
	USAGE_MOMENTS,
	/* bench-fanout looks at other times between OPEN and CLOSED. */
	USAGE_SUBSCRIBED = USAGE_ANSWERED,
	USAGE_PUBLISHED = USAGE_HELD,
};

struct usage {
	int64_t cpu_us; /* utime + stime of all threads */
	int64_t rss;    /* bytes; smaps_rollup's count, which is exact */
};

enum { USAGE_PROCESSES = 256 };

struct usage_process {
	char name[32]; /* "edge-0" */
	char role
		[16]; /* "edge", "broker", "redis"; "server" when nobody said; "load" is the generator itself */
	pid_t pid;
	struct usage at[USAGE_MOMENTS];
};

struct usage_table {
	size_t n;
	struct usage_process processes[USAGE_PROCESSES];
};

/* One more process; more than USAGE_PROCESSES are left out. */
void usage_add(struct usage_table *t, const char *name, const char *role, pid_t pid);

/* The processes of --pids. ERR_MALFORMED after a line on stderr. */
must_use enum err usage_add_pids(struct usage_table *t, const char *pids);

/* Look at all of them. ERR_NOTFOUND after a line on stderr for each that is gone. */
must_use enum err usage_look(struct usage_table *t, enum usage_moment m);

/* CPU time between two moments over all of a role (NULL: all but the generator's). */
int64_t usage_cpu_us(const struct usage_table *t, const char *role,
		     enum usage_moment from, enum usage_moment to);

/* Memory at a moment over all of a role (NULL: all but the generator's). */
int64_t usage_rss(const struct usage_table *t, const char *role, enum usage_moment m);

#endif
