#include "edge/limits.h"

/* Descriptors that are not for clients: a link takes about four, and there may be many brokers. */
enum { OTHERS_LEAST = 64, OTHERS_MOST = 1024 };

/* Far too few: the log says so at each accept. */
enum { CONNECTIONS_LEAST = 64 };

static int64_t by_descriptors(int64_t descriptors)
{
	int64_t others = descriptors / 10;

	if (others > OTHERS_MOST)
		others = OTHERS_MOST;
	if (others < OTHERS_LEAST)
		others = OTHERS_LEAST;
	return descriptors > 2 * others ? descriptors - others : CONNECTIONS_LEAST;
}

static int64_t by_memory(const struct limits_given *g)
{
	int64_t left =
		g->memory - g->held_bytes - g->outbox_memory - LIMITS_PROCESS_BYTES;

	return left / LIMITS_CONNECTION_BYTES;
}

struct limits limits_of(const struct limits_given *g)
{
	struct limits l = {.by = "--max-connections"};
	int64_t most = g->max_connections;

	if (by_descriptors(g->descriptors) < most) {
		most = by_descriptors(g->descriptors);
		l.by = "open files";
	}
	if (g->memory != CGROUP_UNLIMITED && by_memory(g) < most) {
		most = by_memory(g);
		l.by = "memory";
		l.is_memory_short = most < CONNECTIONS_LEAST;
	}
	if (l.is_memory_short)
		most = CONNECTIONS_LEAST < g->max_connections ? CONNECTIONS_LEAST
							      : g->max_connections;
	l.connections = (uint32_t)most;
	return l;
}
