#ifndef EDGE_CLIENT_CLIENTS_H
#define EDGE_CLIENT_CLIENTS_H

/*
 * All clients of this edge: their limits, their memory together, and their counters. The files of
 * this directory share the struct, and edge/drain.c uses its registry; others use only the functions.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "http/request.h"
#include "ws/message.h"

struct address_limit;
struct channels;
struct connection;
struct registry;
struct shed;
struct uplink;

enum { CLIENTS_SCRATCH = 64 * 1024 };

enum edge_profile { EDGE_PROFILE_NONE, EDGE_PROFILE_AWS };
enum edge_binary { EDGE_BINARY_ACCEPT, EDGE_BINARY_REFUSE };

/* Settings; each is explained in the table of edge/conf.c. */
struct clients_conf {
	int64_t profile; /* enum edge_profile */
	int64_t max_message, max_frame, max_target, max_head;
	int64_t handshake_ms, verdict_ms, keep_alive_ms, close_ms;
	int64_t binary;                     /* enum edge_binary */
	int64_t max_age_ms, max_age_jitter; /* percent */
	int64_t ping_ms, pong_ms, idle_ms, stall_ms;
	int64_t outbox_bytes, outbox_memory, held_bytes;
	int64_t early_posts;
	int64_t lane_events, lane_bytes;
	int64_t address_connections, address_rate, address_burst;
	int64_t drain_rate; /* clients a second */
};

struct client_counts {
	struct metric *accepted, *refused;
	struct metric *opened, *closed;
	struct metric *messages_in, *bytes_in;
	struct metric *frames_out, *bytes_out;
	struct metric *slow, *shed;
	struct metric *broken, *silent, *unanswered;
	struct metric *over_connections, *over_rate;
	struct metric *held_back;
	struct metric *reply_seconds;
};

struct clients {
	struct clients_conf conf;
	struct message_limits message_limits;
	struct request_limits request_limits;
	struct loop *loop;
	struct client_counts counts;
	struct registry *registry;
	struct uplink *uplink;
	struct channels *channels;
	struct address_limit *address_limit; /* NULL: addresses have no limits */
	struct shed *shed;
	struct timer *tick;

	bool is_draining; /* sockets are not kept for another request */
	bool is_closing;  /* nothing new is served */
	uint32_t sockets; /* the registry also has slots without one */
	uint64_t
		held_bytes; /* of memory, for what is not parsed, not whole or not answered */
	uint64_t outbox_bytes; /* of all outboxes: outbox_memory */

	struct connection
		*dirty;       /* those with something to write at the end of this turn */
	uint32_t last_ticked; /* slot */
	uint8_t *scratch;     /* CLIENTS_SCRATCH bytes for one read */
};

/*
 * conf     copied
 * loop     borrowed until clients_free; a hook writes what a turn has queued for clients
 * metrics  borrowed until clients_free; may be NULL
 * most     connections
 */
struct clients *clients_new(const struct clients_conf *conf, struct loop *loop,
			    struct metrics *metrics, uint32_t most);

/*
 * Before the first client.
 *
 * u         gets events, and has lanes_callbacks with these clients; borrowed until clients_stop
 * channels  has subscribers_callbacks; borrowed until clients_free
 */
void clients_use(struct clients *clients, struct uplink *u, struct channels *channels);

/* The loop has stopped: closes all sockets at once. Before uplink_free and loop_free. NULL is fine. */
void clients_stop(struct clients *clients);

/* After loop_free, which frees the last connections. NULL is fine. */
void clients_free(struct clients *clients);

/* Keep no socket for another request. */
void clients_drain(struct clients *clients);

/* Serve nothing new. */
void clients_close(struct clients *clients);

bool clients_are_draining(const struct clients *clients);

/* Sockets of clients. */
uint32_t clients_sockets(const struct clients *clients);

/* The same, and slots that wait until a broker has acknowledged their last events. */
uint32_t clients_connections(const struct clients *clients);

#endif
