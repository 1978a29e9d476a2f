#ifndef BENCH_READY_H
#define BENCH_READY_H

/* The ready file of `gatepost up`: where the system listens, and which processes it is. */

#include "bench/usage.h"

/*
 * Add the file's processes to t, and set *url (when it is NULL) to its websocket URL, which lives
 * as long as the process.
 *
 * returns  OK, or ERR_MALFORMED after a line on stderr
 */
must_use enum err ready_read(const char *path, struct usage_table *t, const char **url);

#endif
