#ifndef EDGE_CLIENT_CONNECTION_H
#define EDGE_CLIENT_CONNECTION_H

/*
 * One client's socket, from its first byte to its last.
 *
 *   HEAD --request--> (BODY) --event--> ASKED --verdict 2xx--> OPEN --close--> CLOSING
 *    ^                                    |                      |                |
 *    +----------- keep-alive -------------+--- refused ---> LINGER <--------------+
 *                                                              |
 *      any --error, hang-up--> GONE <--------------------------+
 *
 * HEAD and BODY are http.c, ASKED is reply.c; OPEN and CLOSING are websocket.c. LINGER: all
 * is written and our end is closed, what the client still sends is thrown away, so
 * that our last words reach it. GONE: no socket any more, but a slot for as long as
 * its lane has events that no broker has acknowledged.
 *
 * An idle connection has this struct and its lane's context, nothing else.
 */

#include "base/address.h"
#include "edge/edge.h"
#include "edge/link/lane.h"
#include "edge/client/outbox.h"

#include <event2/event_struct.h>

enum connection_state {
	CONNECTION_HEAD,
	CONNECTION_BODY,
	CONNECTION_ASKED,
	CONNECTION_OPEN,
	CONNECTION_CLOSING,
	CONNECTION_LINGER,
	CONNECTION_GONE,
};

struct backlog;   /* edge/client/backlog.h */
struct handshake; /* edge/client/http_internal.h */

struct connection {
	struct event ready;
	struct edge *edge;
	struct connection *next_dirty;
	struct lane lane;
	struct outbox *outbox;         /* NULL while nothing waits */
	struct message_reader *reader; /* NULL between messages */
	struct backlog *backlog;       /* NULL: all that was read is parsed */
	struct handshake *handshake;   /* NULL from OPEN on */
	struct address_use *address;   /* NULL: its address has no limits */
	struct blob *farewell; /* CLOSING: our close frame, behind the last answers */
	int64_t heard_ms;      /* when bytes came last */
	int64_t active_ms;     /* when a message came or went last */
	int64_t wrote_ms;      /* when the socket last took some of the outbox */
	int64_t deadline_ms;   /* of the state; 0: none */
	int64_t ends_ms; /* OPEN: when it is to be closed, with ends_code; 0: never */
	uint32_t slot;
	uint16_t ends_code;
	uint8_t state;
	uint8_t watched; /* what ready is added for: EV_READ, EV_WRITE, EV_CLOSED */
	bool is_dirty, is_pinged, is_freed;
	bool is_resuming; /* its backlog is looked at after this turn */
	bool is_retiring; /* OPEN: its close frame waits until its backlog is parsed */
};

/* Begin with an accepted socket; closes it again when there is no slot, or its address has too many. */
void connection_new(struct edge *edge, int fd, const struct sockaddr *peer);

/* The connection that has this lane. */
struct connection *connection_of(struct lane *l);

/* Change the state. deadline: milliseconds from now for it, 0: none. */
void connection_enter(struct connection *c, enum connection_state next, int64_t deadline);

/* Queue b for writing at the end of this turn; takes b. Only while there is a socket. */
void connection_push(struct connection *c, struct blob *b);

/* Room for more, beside what is owed to it? Its own outbox counts, and if it has something there, the sum of all. */
bool connection_has_room(const struct connection *c);

/*
 * Is it ahead of the brokers, or behind with its own reading? Or do all together hold too much,
 * while something of it is unanswered? Then it is read no further, and what was read waits.
 */
bool connection_is_ahead(const struct connection *c);

/* Say no more: LINGER once the outbox is written. */
void connection_finish(struct connection *c);

/* The socket is closed at once: GONE. The lane lives on until it is empty. */
void connection_cut(struct connection *c);

/* Somebody else has accounted for its end: no more events, and the socket is closed at once, with 1012. */
void connection_abandon(struct connection *c);

/* Look again at what is to be read and written: after the lane, the outbox or the state changed. */
void connection_settle(struct connection *c);

/* An event was appended to the lane, and takes bytes of memory. */
void connection_event_added(struct connection *c, uint32_t bytes);

/* An event of the lane is done, and bytes of memory are free: after its last one a connection that is GONE is freed. */
void connection_event_done(struct connection *c, uint32_t bytes);

/* Write what this turn has queued; a hook of the loop. */
void connections_flush(void *edge);

/* Deadlines, pings, stalled writers: for each connection about once a second. To be called each CONNECTIONS_TICK_MS. */
enum { CONNECTIONS_TICK_MS = 100 };
void connections_tick(void *edge);

/*
 * Close politely, because the process ends: a WebSocket with a close frame, behind the answers
 * to what its client has said; others when their request is answered, or with 503.
 *
 * returns  whether there was something to close
 */
bool connection_drain(struct connection *c);

/* The time for that is over: a WebSocket that is not closed yet gets a close frame, and then the socket is cut. */
void connection_expel(struct connection *c);

#endif
