#ifndef CLI_UP_CLUSTER_H
#define CLI_UP_CLUSTER_H

/* The processes that `gatepost up` starts, and their flags. */

#include "base/address.h"
#include "cli/up/folder.h"
#include "cli/up/supervisor.h"
#include "cli/up/up_conf.h"

struct cluster {
	const struct up_conf *conf;
	const struct folder *folder;
	const char *config;        /* the project's file; NULL: none */
	const char *function_keys; /* the file of their keys; NULL: none */
	const char *stage;
	struct address listen;     /* of all edges, reserved */
	struct address management; /* that all brokers share, reserved */
	struct address metrics;    /* of edge-0; the others follow (port_next) */
};

/* Add all of them: Redis unless the user has one, the brokers, the edges. */
void household_add(struct supervisor *s, const struct cluster *h);

/* Where the brokers find Redis; freed with free(3). */
char *household_redis(const struct cluster *h);

#endif
