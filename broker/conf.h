#ifndef BROKER_CONF_H
#define BROKER_CONF_H

/* The broker's settings; the table is in conf.c. */

#include "base/cgroup.h"
#include "store/store.h"

struct broker_conf {
	const char *name;
	const char *bind;
	const char *advertise;
	struct store_conf store;
	const char *management, *management_hosts;
	int64_t management_auth; /* enum auth_mode */
	const char *credentials, *function_keys;
	const char *region;
	const char *metrics;
	int64_t log_level, log_format;

	const char *config;
	const char *stage;
	const char *selection;
	const char *api_id, *account_id;
	int64_t default_route;
	int64_t json_depth;

	const char *http_ca;
	int64_t http_connect_ms, http_response, http_memory, http_connections,
		http_in_flight;
	const char *runtime_address;
	int64_t runtime_queue, runtime_wait_ms;

	int64_t heartbeat_ms, silence_ms, lease_ms, member_ms;
	int64_t audit_ms, disconnect_tries, parked_most;
	int64_t credit_events, credit_bytes;
	int64_t command_ms;
	int64_t max_post, max_bulk;
	int64_t management_connections, management_requests;
	int64_t management_memory, management_ms;
	int64_t drain_ms, grace_ms;
};

/*
 * As conf_load; also refuses what only makes sense together. limit: of this process; with little
 * memory, defaults are smaller.
 */
must_use enum err broker_conf_load(struct broker_conf *out, const struct cgroup *limit,
				   int argc, char **argv);

#endif
