#ifndef STORE_REDIS_URL_H
#define STORE_REDIS_URL_H

/* Where Redis is, as people write it. */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { REDIS_URL_NAME = 256, REDIS_URL_SECRET = 512 };

struct redis_url {
	char path[108]; /* of a Unix socket; "" for host and port */
	char host[REDIS_URL_NAME];
	uint16_t port;
	char user[REDIS_URL_NAME];       /* "" for none */
	char password[REDIS_URL_SECRET]; /* "" for none */
	uint32_t db;                     /* 0 is what Redis begins with */
	char shown[REDIS_URL_NAME + 32]; /* for log lines: the place without the secret */
};

/*
 * text     "unix:/path/to.sock", "redis://[[user:]password@]host[:port][/db]" (user and
 *          password with %XX for what a URL cannot hold), "host:port", "[::1]:6379"
 * why      gets a sentence of at most n bytes unless OK; it never holds the password
 * returns  OK, or ERR_MALFORMED
 */
must_use enum err redis_url_parse(const char *text, struct redis_url *out, char *why,
				  size_t n);

#endif
