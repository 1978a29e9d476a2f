#ifndef EDGE_LIMITS_H
#define EDGE_LIMITS_H

/* How many connections this edge can have: what its descriptors, its memory and its settings allow. */

#include "base/cgroup.h"

#include <stdbool.h>

/*
 * What one connection may take: 0.5 KiB of ours, 4 KiB of the kernel's for its socket (both
 * measured), and what is in its buffers and context at a time.
 */
enum { LIMITS_KERNEL_BYTES = 4 * 1024, LIMITS_CONNECTION_BYTES = 8 * 1024 };

/* The process without connections: libraries, ZeroMQ's threads, brokers. */
enum { LIMITS_PROCESS_BYTES = 32 * 1024 * 1024 };

struct limits_given {
	int64_t descriptors;     /* of the process */
	int64_t memory;          /* bytes of the cgroup; CGROUP_UNLIMITED */
	int64_t held_bytes;      /* --held-memory */
	int64_t outbox_memory;   /* --outbox-memory */
	int64_t max_connections; /* --max-connections */
};

struct limits {
	uint32_t connections;
	const char *
		by; /* what allows no more: "--max-connections", "open files", "memory" */
	bool is_memory_short; /* the budgets alone take the memory of the cgroup */
};

/* Never less than 64 connections, since an edge without any is of no use. */
struct limits limits_of(const struct limits_given *g);

#endif
