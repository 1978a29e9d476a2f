#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

/* What a run of the generator is to do: its settings, and the server's address taken apart. */

#include "base/address.h"

#include <stdint.h>

struct plan {
	const char *url, *pids, *pids_from;
	int64_t connections, messages, size;
	int64_t in_flight, rate, message_rate, connecting, processes;
	int64_t hold_ms, settle_ms, timeout_ms, deadline_ms;
	bool reset, json;

	struct address server;
	char authority[128]; /* "127.0.0.1:8080", for the Host header */
	const char *path;    /* "/dev"; points into url */
};

/* As conf_load; --help and every setting that makes no sense included. */
must_use enum err plan_load(struct plan *p, int argc, char **argv);

/* Take p->url apart. ERR_MALFORMED or ERR_NOTFOUND after a line on stderr. */
must_use enum err plan_resolve(struct plan *p);

#endif
