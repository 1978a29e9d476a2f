#ifndef REDIS_URL_H
#define REDIS_URL_H

/* Where Redis is, as people write it. */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REDIS_URL_NAME = 256,
	REDIS_URL_SECRET = 512,
	REDIS_URL_SENTINELS = 16,
	REDIS_URL_SHOWN = 2 * REDIS_URL_NAME + 32,
};

struct redis_place {
	char host[REDIS_URL_NAME];
	uint16_t port;
};

/* Where to find the master. */
struct redis_sentinels {
	unsigned n; /* 0: none, the URL has the address */
	struct redis_place at[REDIS_URL_SENTINELS];
	char master[REDIS_URL_NAME];
	char user[REDIS_URL_NAME]; /* at the sentinels; "" for none */
	char password[REDIS_URL_SECRET];
};

struct redis_url {
	bool tls;
	char path[108];            /* of a Unix socket; "" for host and port */
	char host[REDIS_URL_NAME]; /* "" as long as the sentinels were not asked */
	uint16_t port;
	char user[REDIS_URL_NAME];       /* "" for none */
	char password[REDIS_URL_SECRET]; /* "" for none */
	uint32_t db;                     /* 0 is what Redis begins with */
	struct redis_sentinels sentinels;
	char shown[REDIS_URL_SHOWN]; /* for log lines: the place without the secret */
};

/*
 * text     "unix:/path/to.sock", "redis://[[user:]password@]host[:port][/db]" (user and
 *          password with %XX for what a URL cannot hold), "host:port", "[::1]:6379",
 *          "redis+sentinel://[[user:]password@]host[:port][,host[:port]…]/MASTER[/db]" and behind
 *          it "?sentinel_user=…&sentinel_password=…"; rediss instead of redis for TLS
 * why      gets a sentence of at most n bytes unless OK; it never holds the password
 * returns  OK, or ERR_MALFORMED
 */
must_use enum err redis_url_parse(const char *text, struct redis_url *out, char *why,
				  size_t n);

/* The sentinels' master is at this place now. */
void redis_url_set_place(struct redis_url *u, const struct redis_place *place);

#endif
