#ifndef CLI_UP_RUNTIME_H
#define CLI_UP_RUNTIME_H

/*
 * How a function's worker is started: AWS's runtime interface client for its language,
 * with the handler.
 *
 *   python3*   python3 -m awslambdaric handler.ping      the project's .venv or venv, else PATH
 *   nodejs*    aws-lambda-ric handler.ping               of the project's node_modules or
 *                                                        one above it, else PATH
 *
 * source  the clients' README
 */

#include "cli/client/words.h"
#include "config/config.h"

struct runtime_plan {
	const struct config *config;
	const struct config_function *function;
	const char *folder; /* the project's, absolute */
	const char *python; /* NULL: found as above */

	/* For the environment alone. */
	const char *worker;         /* "fn-ping-0" */
	const char *address;        /* where it polls: "127.0.0.1:40123" */
	const char *management;     /* "http://127.0.0.1:8081" */
	const struct key_pair *key; /* of its own; NULL: none */
};

/*
 * The words of its program; freed with words_free.
 *
 * returns  NULL after an error line with what to install
 */
char **runtime_argv(const struct runtime_plan *p);

#endif
