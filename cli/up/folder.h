#ifndef CLI_UP_FOLDER_H
#define CLI_UP_FOLDER_H

/* The folders of one `gatepost up`: sockets and logs in one that is ours alone, and Redis' data. */

#include <stdbool.h>

struct folder {
	char *run;  /* "/tmp/gatepost-Wq3kXz", mode 0700; removed at the end */
	int mine;   /* the lock on run/lock: held as long as this process lives */
	char *data; /* where Redis keeps its files: in run, or the user's */
	bool keep;  /* data is the user's */
	int lock;   /* on the user's data: two Redis would spoil it */
};

/*
 * Those that a killed `gatepost up` of the same user has left behind are removed first.
 *
 * data     the user's folder, made when it is not there (its parent must be); NULL: in run
 * returns  false after a line on stderr
 */
bool folder_make(struct folder *f, const char *data);

/* Remove run with all that is in it, and let go of data. A zeroed one is fine. */
void folder_remove(struct folder *f);

/* The last lines of run/redis.log, to stderr, each behind "redis: ". */
void folder_show_redis_log(const struct folder *f);

#endif
