#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

/* The server that a generator connects to: its URL taken apart, and sockets to it. */

#include "base/address.h"

#include <stdint.h>

struct target {
	struct address server;
	char authority[128]; /* "127.0.0.1:8080", for the Host header */
	const char *path;    /* "/dev"; points into the URL */
};

/*
 * url      ws://HOST:PORT/PATH; must outlive t
 * returns  OK; ERR_MALFORMED or ERR_NOTFOUND after a line on stderr
 */
must_use enum err target_parse(const char *url, struct target *t);

/*
 * A non-blocking socket for a TCP connection to the target, not yet connected.
 *
 * number   of the client: on loopback it chooses the source address, since one address has
 *          only some 28,000 ports
 * returns  the descriptor, or -1 with errno set
 */
int target_socket(const struct target *t, uint32_t number);

#endif
