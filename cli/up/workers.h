#ifndef CLI_UP_WORKERS_H
#define CLI_UP_WORKERS_H

/*
 * The processes that run a project's functions: for each function with a runtime, and for
 * each broker, as many as the configuration says. Each polls the address of its function
 * at its broker, which the broker tells; which worker has begun to poll, or is overdue,
 * the broker reports too, by its port.
 */

#include "cli/up/keys.h"
#include "cli/up/supervisor.h"
#include "config/config.h"

struct workers;

struct workers_plan {
	struct supervisor *supervisor;
	const char *file; /* the configuration, to be read again when it has changed */
	const struct config_options *options;
	const char *python;     /* NULL: the project's, else that of PATH */
	const char *management; /* "http://127.0.0.1:8081" */
	struct keys *keys;      /* of their functions; NULL: they have none */
	unsigned brokers;
	bool json; /* their output as log lines */
};

/*
 * Add all of them to the supervisor, held.
 *
 * config   that was read from the file; taken
 * returns  NULL after an error line when there is no program to run a function
 */
struct workers *workers_new(const struct workers_plan *plan, struct config *config);
void workers_free(
	struct workers *w); /* NULL is fine; their processes are the supervisor's */

/* A broker reports. */
void workers_told(struct workers *w, struct child *broker, const char *text);

/* A broker has ended: its workers are idle. Or a worker has: what follows depends on the brokers' reports. */
void workers_lost(struct workers *w, struct child *c);

const struct config *workers_config(const struct workers *w);

#endif
