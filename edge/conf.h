#ifndef EDGE_CONF_H
#define EDGE_CONF_H

/* The edge's settings; the table is in conf.c. */

#include "base/conf.h"

enum edge_profile { EDGE_PROFILE_NONE, EDGE_PROFILE_AWS };
enum edge_binary { EDGE_BINARY_ACCEPT, EDGE_BINARY_REFUSE };

struct edge_conf {
	const char *name;
	const char *listen;
	const char *brokers;
	const char *metrics;
	int64_t log_level, log_format;

	int64_t profile; /* enum edge_profile */
	int64_t max_message, max_frame, max_target, max_head;
	int64_t max_connections;
	int64_t handshake_ms, verdict_ms, keep_alive_ms, close_ms;
	int64_t binary; /* enum edge_binary */
	int64_t max_age_ms;
	int64_t ping_ms, pong_ms, idle_ms, stall_ms;
	int64_t outbox_bytes, outbox_memory, held_bytes;
	int64_t early_posts;
	int64_t lane_events, lane_bytes, lane_in_flight;
	int64_t address_connections, address_rate, address_burst;
	int64_t drain_delay_ms, drain_rate, drain_ms;

	int64_t heartbeat_ms, silence_ms, retry_ms, resolve_ms;
	int64_t credit_items, credit_bytes;
};

/* As conf_load. */
must_use enum err edge_conf_load(struct edge_conf *out, int argc, char **argv);

#endif
