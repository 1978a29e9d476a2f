#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

/* What the rooms of an edge share: who it is, its limits, what it counts, and where the next room is. */

#include "base/loop.h"
#include "base/metric.h"
#include "edge/conf.h"
#include "edge/message.h"
#include "edge/request.h"

struct connection;
struct listener;
struct registry;
struct uplink;

enum { EDGE_SCRATCH = 64 * 1024 };

struct edge_counts {
	struct metric *accepted, *refused;
	struct metric *opened, *closed;
	struct metric *messages_in, *bytes_in;
	struct metric *frames_out, *bytes_out;
	struct metric *events, *resent;
	struct metric *slow, *shed, *stale;
	struct metric *verdict_seconds;
};

struct edge {
	struct edge_conf conf;
	struct message_limits message_limits;
	struct request_limits request_limits;
	struct loop *loop;
	struct metrics *metrics;
	struct edge_counts counts;
	struct registry *registry;
	struct uplink *uplink;
	struct listener *listener;

	uint64_t boot;
	uint16_t number; /* 0 until a broker has given one */
	bool draining;
	uint16_t rosters;    /* told so far; counts round */
	uint64_t held_bytes; /* of messages that are not whole, or not answered */

	struct connection
		*dirty;       /* those with something to write at the end of this turn */
	uint32_t last_ticked; /* slot */
	uint8_t *scratch;     /* EDGE_SCRATCH bytes for one recv */
};

#endif
