#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

/*
 * What the servers of the benches share: one thread on bare epoll, which listens on a
 * port of 127.0.0.1, prints it, and serves its peers until SIGTERM or SIGINT.
 */

#include <stdbool.h>

enum { SERVER_PEERS = 65536 }; /* a peer's descriptor is below this; others are dropped */

struct server {
	const char *program;   /* for what is said on stderr */
	void (*begin)(int fd); /* a peer has come */
	bool (*serve)(int fd); /* there is something to read; false: drop the peer */
};

/* Serve; returns when told to end. Ends the program after a line on stderr when it cannot. */
void server_run(const struct server *s, const char *port);

#endif
