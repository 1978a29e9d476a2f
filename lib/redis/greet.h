#ifndef REDIS_GREET_H
#define REDIS_GREET_H

/*
 * The first commands of a new connection, and the check of the server: AUTH and SELECT when
 * the URL asks for them, ROLE, and PING last: it is refused to those who had to log in,
 * and while Redis loads its data.
 */

#include "redis/end.h"
#include "redis/url.h"

#include <stdbool.h>

struct redisReply; /* <hiredis/hiredis.h> */

enum redis_greet_step {
	REDIS_GREET_AUTH,
	REDIS_GREET_SELECT,
	REDIS_GREET_ROLE,
	REDIS_GREET_PING,
	REDIS_GREET_STEPS,
};

struct redis_greet_words {
	int argc; /* 0: this step is not needed */
	const char *argv[3];
	char db[12];
};

/* The command of a step; url is borrowed for as long as out is. */
void redis_greet_say(enum redis_greet_step step, const struct redis_url *url,
		     struct redis_greet_words *out);

/* Did a master answer to ROLE? Else why names the server. */
bool redis_greet_is_master(const struct redisReply *role, struct redis_end *why);

#endif
