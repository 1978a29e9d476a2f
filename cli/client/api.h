#ifndef CLI_CLIENT_API_H
#define CLI_CLIENT_API_H

/*
 * The management API from the command line's side: its address, the credentials
 * (a signature, a token, or nothing), one call, and what its failure means for the shell.
 */

#include "base/conf.h"
#include "base/span.h"
#include "cli/client/http_client.h"

struct api_conf {
	const char *management;
	const char *token;
	const char *key;
	const char *region;
};

/* The rows of a settings table whose struct st has these settings in its field f. */
#define API_CONF_KEYS(st, f)                                                             \
	CONF_TEXT(st, f.management, "management", "127.0.0.1:8081",                      \
		  "address of the management API: host:port, or "                        \
		  "http[s]://host[:port][/stage]"),                                      \
		CONF_TEXT(st, f.token, "token", NULL,                                    \
			  "bearer token; better set in the environment, where other "    \
			  "users cannot see it"),                                        \
		CONF_TEXT(st, f.key, "key", NULL,                                        \
			  "key pair to sign with, as ID:SECRET; better set in the "      \
			  "environment, "                                                \
			  "where other users cannot see it"),                            \
		CONF_TEXT(st, f.region, "region", "us-east-1",                           \
			  "region of the signature, if the server requires one")

/* What the shell gets. */
enum api_exit {
	API_DONE = 0,
	API_FAILED = 1, /* no response, or another error */
	API_USAGE = 2,
	API_GONE = 3,   /* there is no such connection */
	API_DENIED = 4, /* not authenticated, or not allowed */
	API_LATER = 5,  /* try again: its outbox is full, or its edge is not reached */
};

/*
 * Words in front of the flags, such as `ID TEXT`: those that are no flags, or that are
 * connection ids, which may begin with hyphens.
 *
 * argv     argv[0] is the command
 * most     room in out
 * returns  how many there are
 */
int api_words(int argc, char **argv, int most, const char **out);

struct api_request {
	const char *method;
	const char *path; /* "/@connections/{id}?code=4001", encoded */
	struct span body;
	bool binary;
	const char
		*operation; /* of tables: "PutItem"; path is "/". NULL: another request */
};

/*
 * Ask, and wait for the answer.
 *
 * command  "gatepost send"; what an error line on stderr begins with
 * out      to be freed with http_reply_free, whatever this returns
 * returns  API_DONE when the status is 2xx; else after a line on stderr
 */
enum api_exit api_call(const struct api_conf *conf, const char *command,
		       const struct api_request *r, struct http_reply *out);

/* The text as one part of a path, or one value of a query; freed with free(3). */
char *api_encode(const char *text);

#endif
