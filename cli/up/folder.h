#ifndef CLI_UP_FOLDER_H
#define CLI_UP_FOLDER_H

/* The folders of one `gatepost up`: sockets and logs in one that is ours alone, and Redis' data. */

#include <stdbool.h>

struct folder {
	char *run;  /* "/tmp/gatepost-Wq3kXz", mode 0700; removed at the end */
	int mine;   /* the lock on run/lock: held as long as this process lives */
	char *data; /* where Redis keeps its files: in run, or the user's */
	bool keep;  /* data stays: it is the user's, or the project's */
	int lock;   /* on the user's data: two Redis would spoil it */
};

/* Where the data shall be. */
struct folder_plan {
	const char *
		data; /* the user's folder, made when it is not there (its parent must be); NULL: the project's */
	const char *
		project; /* the project's folder: data is in .gatepost in it, which git ignores; NULL: in run */
	bool fresh; /* what an earlier start has left is removed */
};

/*
 * Those that a killed `gatepost up` of the same user has left behind are removed first. Where
 * nothing can be written into the project's folder, data is in run, after a line on stderr.
 *
 * returns  false after a line on stderr
 */
bool folder_make(struct folder *f, const struct folder_plan *plan);

/* Remove run with all that is in it, and let go of data. A zeroed one is fine. */
void folder_remove(struct folder *f);

/* The last lines of run/redis.log, to stderr, each behind "redis: ". */
void folder_show_redis_log(const struct folder *f);

#endif
