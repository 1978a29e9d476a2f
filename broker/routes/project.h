#ifndef BROKER_ROUTES_PROJECT_H
#define BROKER_ROUTES_PROJECT_H

/*
 * The configuration that this broker runs: read at start, and read again on SIGHUP and
 * when its file changes. A new one is used for the events that arrive from then on; an
 * invalid one is rejected with its errors in the log, and the old one stays.
 */

#include "broker/routes/route.h"

struct project;

/* Texts are borrowed until project_free. */
struct project_conf {
	const char *file;  /* gatepost.yml or serverless.yml; NULL: the built-in one */
	const char *stage; /* NULL: as the file says */
	const char *selection;       /* of the built-in one; NULL: $request.body.action */
	const char *default_handler; /* of the built-in one's $default */
};

struct project_uses {
	struct routes_uses routes;
	/* A new configuration is in force. */
	void (*loaded)(void *arg);
	void *arg;
};

/* NULL after error lines when there is no valid configuration at start. */
struct project *project_new(const struct project_conf *conf,
			    const struct project_uses *uses);
void project_free(struct project *p); /* NULL is fine */

/* As they are now; take a reference to keep them. */
struct routes *project_routes(const struct project *p);

/* Of the routes as they are now; borrowed until the loop's next turn. */
const char *project_stage(const struct project *p);

#endif
