#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

/* Host and port, as people write them, and the sockets that listen there. */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t n;
};

/*
 * text     "127.0.0.1:8080", "[::1]:8080", ":8080" and "*:8080" (all IPv4), "localhost:0"
 * returns  OK; ERR_MALFORMED (no port, or one over 65535); ERR_NOTFOUND (no such host)
 */
must_use enum err address_parse(const char *text, struct address *out);

/* Can only this machine reach it? */
bool address_is_loopback(const struct address *a);

/* "127.0.0.1:8080" or "[::1]:8080" into out; ADDRESS_TEXT bytes are enough. Returns out. */
enum { ADDRESS_TEXT = 64 };
const char *address_text(const struct sockaddr *sa, char out[ADDRESS_TEXT]);

/* The same without the port (the sourceIp of events). */
const char *address_host(const struct sockaddr *sa, char out[ADDRESS_TEXT]);

/*
 * A non-blocking, close-on-exec listening socket.
 *
 * shared   SO_REUSEPORT: several processes of one user listen on one port, the kernel deals out
 * at       gets what was bound, with the port in place of 0; NULL is fine
 * returns  the descriptor, or -1 with errno set
 */
int address_listen(const struct address *a, bool shared, struct address *at);

/*
 * The same, from text.
 *
 * text     as for address_parse
 * why      on -1: the reason, in words for a log line; until the next error of this thread
 */
int address_listen_at(const char *text, bool shared, struct address *at,
		      const char **why);

#endif
