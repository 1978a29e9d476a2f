#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

/* What the rooms of an edge share: who it is, its limits, what it counts, and where the next room is. */

#include "base/loop.h"
#include "base/metric.h"
#include "edge/conf.h"
#include "ws/message.h"
#include "http/request.h"

struct address_limit;
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
	struct metric *slow, *shed;
	struct metric *broken, *silent, *unanswered;
	struct metric *over_connections, *over_rate;
	struct metric *held_back;
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
	struct address_limit *address_limit; /* NULL: addresses have no limits */

	bool draining;    /* not ready any more; what comes is served all the same */
	bool closing;     /* takes nobody any more */
	uint32_t sockets; /* of clients; the registry also has slots without one */
	uint64_t
		held_bytes; /* of memory, for what is not parsed, not whole or not answered */
	uint64_t outbox_bytes; /* of all outboxes: outbox_memory */

	struct connection
		*dirty;       /* those with something to write at the end of this turn */
	uint32_t last_ticked; /* slot */
	uint8_t *scratch;     /* EDGE_SCRATCH bytes for one recv */
};

#endif
