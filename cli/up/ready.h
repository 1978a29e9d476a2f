#ifndef CLI_UP_READY_H
#define CLI_UP_READY_H

/* Saying that all is ready, and where: to people on stdout, to programs in a file. */

#include "cli/up/supervisor.h"
#include "config/config.h"

struct endpoints {
	char *websocket;  /* "ws://127.0.0.1:8080/dev" */
	char *http;       /* "http://127.0.0.1:8080" */
	char *management; /* "http://127.0.0.1:8081" */
	char *stage;      /* "dev" */
	char *redis;      /* "unix:/tmp/gatepost-Wq3kXz/redis.sock" */
};

/* Frees the texts; a zeroed one is fine. */
void endpoints_close(struct endpoints *e);

/* Print the endpoints, each a name and a URL; c has the HTTP routes. */
void ready_print(const struct endpoints *e, const struct config *c,
		 const struct supervisor *s);

/*
 * Replace the ready file in one step, for our user's eyes alone: the URL of Redis may
 * have a password in it.
 *
 * returns  false after an error line
 */
bool ready_write(const char *path, const struct endpoints *e, const struct supervisor *s);

/* The base URL of a broker's own management address, freed with free(3); NULL when it reported none. */
char *ready_management(const struct child *broker);

#endif
