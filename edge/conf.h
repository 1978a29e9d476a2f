#ifndef EDGE_CONF_H
#define EDGE_CONF_H

/* The edge's settings; the table is in conf.c. */

#include "base/cgroup.h"
#include "base/conf.h"
#include "edge/client/clients.h"

struct edge_conf {
	const char *name;
	const char *listen;
	const char *brokers;
	const char *metrics;
	int64_t log_level, log_format;

	struct clients_conf client;
	int64_t max_connections;
	int64_t lane_in_flight;
	int64_t drain_delay_ms, drain_ms, grace_ms;

	int64_t heartbeat_ms, silence_ms, retry_ms, resolve_ms;
	int64_t credit_items, credit_bytes;
};

/* As conf_load. limit: of this process; with little memory, defaults are smaller. */
must_use enum err edge_conf_load(struct edge_conf *out, const struct cgroup *limit,
				 int argc, char **argv);

#endif
