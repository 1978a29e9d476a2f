#include "base/descriptors.h"

#include "base/log.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { WARN_MS = 60 * 1000 };

struct descriptors {
	struct loop *loop;
	struct timer *timer;
	int64_t warned_ms; /* 0: never */
};

/* Linux 6.2 and later report the number as the folder's size; before, the names are counted. */
int64_t descriptors_open(void)
{
	struct stat st;
	int64_t n = -3; /* ".", "..", and the folder's own descriptor */

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;

	DIR *folder = opendir("/proc/self/fd");

	if (!folder)
		return errno == EMFILE ? descriptors_limit() : 0;
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

int64_t descriptors_limit(void)
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

static void look(void *arg)
{
	struct descriptors *d = arg;
	int64_t open = descriptors_open(), most = descriptors_limit();
	int64_t now = loop_now(d->loop);

	if (open < most - most / 10 ||
	    (d->warned_ms != 0 && now - d->warned_ms < WARN_MS))
		return;
	d->warned_ms = now;
	log_warn("descriptors.short", I("open", open), I("limit", most),
		 S("why", "at the limit new connections fail, and ZeroMQ takes a whole "
			  "core trying to accept them"),
		 S("hint", "see who connects (process_open_fds and the gauges of "
			   "connections in the metrics); raise the limit of open files: "
			   "LimitNOFILE, ulimit -n"));
}

struct descriptors *descriptors_watch(struct loop *l, int64_t ms)
{
	struct descriptors *d = xcalloc(1, sizeof *d);

	d->loop = l;
	d->timer = timer_new(l, look, d);
	timer_every(d->timer, ms);
	return d;
}

void descriptors_free(struct descriptors *d)
{
	if (!d)
		return;
	timer_free(d->timer);
	free(d);
}
