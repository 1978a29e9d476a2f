#ifndef TESTS_UNIT_STORE_REDIS_SERVER_H
#define TESTS_UNIT_STORE_REDIS_SERVER_H

/* A real redis-server of the test's own, on a Unix socket in a folder of its own. It dies with the test. */

#include <stdint.h>
#include <sys/types.h>

struct redis_server {
	char folder[64];
	char socket[96];
	char url[112];     /* "unix:/…" */
	uint16_t port;     /* of 127.0.0.1 too, when not 0 */
	const char *extra; /* one more setting, "requirepass secret"; NULL: none */
	pid_t pid;
};

/* Make the folder and start; returns when Redis takes connections. Fails the test when it does not. */
void redis_server_start(struct redis_server *s);

/* Start again after redis_server_kill, empty, at the same place. */
void redis_server_restart(struct redis_server *s);

/* kill -9, and wait for the end. */
void redis_server_kill(struct redis_server *s);

/* Freeze it and let it go on. */
void redis_server_freeze(struct redis_server *s);
void redis_server_thaw(struct redis_server *s);

/* End it, and remove the folder. */
void redis_server_stop(struct redis_server *s);

#endif
