#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

/*
 * What the cgroup of this process limits: in a container, a pod or a service of systemd, versions 1
 * and 2. The limit of a group also holds for those below it, so the smallest of all counts.
 */

#include <stdint.h>

enum { CGROUP_UNLIMITED = 0 };

struct cgroup {
	int64_t memory;    /* bytes, or CGROUP_UNLIMITED */
	int64_t cpu_milli; /* thousandths of a core, or CGROUP_UNLIMITED */
};

/* The limits of this process. */
struct cgroup cgroup_read(void);

/*
 * The same from other files, for tests. What is missing or malformed limits nothing.
 *
 * list  as /proc/self/cgroup
 * root  as /sys/fs/cgroup; of version 1 it has a folder for each controller
 */
struct cgroup cgroup_read_from(const char *list, const char *root);

/* Memory for one of several purposes: the part-th part of the limit, but at most `most`, which it is without a limit. */
int64_t cgroup_share(const struct cgroup *c, int64_t part, int64_t most);

#endif
