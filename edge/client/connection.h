#ifndef EDGE_CLIENT_CONNECTION_H
#define EDGE_CLIENT_CONNECTION_H

/*
 * One client's socket, from its first byte to its last.
 *
 *   HEAD --request--> (BODY) --event--> ASKED --reply 2xx----> OPEN --close--> CLOSING
 *    ^                                    |                      |                |
 *    +----------- keep-alive -------------+--- refused ---> LINGER <--------------+
 *                                                              |
 *      any --error, hang-up--> GONE <--------------------------+
 *
 * HEAD and BODY are http.c, ASKED is reply.c; OPEN and CLOSING are websocket.c: connection.c
 * knows them as struct connection_protocol alone. Every end goes through connection_end, and what
 * that does is the table of end.h. LINGER: all is written and our end is closed, what the client still sends is discarded, so
 * that our last bytes reach it. GONE: no socket any more, but a slot for as long as
 * its lane has events that no broker has acknowledged.
 *
 * An idle connection has this struct and its lane's context, nothing else.
 */

#include "base/address.h"
#include "edge/channels/channels.h"
#include "edge/client/clients.h"
#include "edge/link/lane.h"
#include "edge/client/end.h"
#include "edge/client/outbox.h"
#include "edge/client/transport.h"

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
struct handshake; /* edge/client/handshake.h */
struct connection;

/* What is spoken on a connection: HTTP (http.h), and from OPEN on WebSocket (websocket.h). */
struct connection_protocol {
	/* Bytes have arrived. in: empty when kept bytes may be handled now. */
	void (*receive)(struct connection *c, struct span in);
	/* About once a second, in ASKED and OPEN. */
	void (*tick)(struct connection *c, int64_t now);
	/* END_REFUSE of HTTP: queue the response. END_CLOSE, …_BEHIND, …_NOW and END_DRAIN of WebSocket: all of it. */
	void (*end)(struct connection *c, const struct end *how);
	/* CLOSING: an event of the lane is done. NULL: there is no such state. */
	void (*answered)(struct connection *c);
	/* The socket is closed now: drop incomplete data, and a request that no broker has seen. */
	void (*forget)(struct connection *c);
};

struct connection {
	struct event ready;
	struct clients *clients;
	const struct connection_protocol *protocol;
	struct connection *next_dirty;
	struct lane lane;
	struct subscriber subscriber;
	struct outbox *outbox;   /* NULL while nothing waits */
	struct backlog *backlog; /* NULL: all that was read is parsed */
	union {
		struct handshake *handshake; /* NULL once it is a WebSocket */
		struct message_reader
			*reader; /* of a WebSocket; NULL: between messages */
	};
	struct address_use *address; /* NULL: its address has no limits */
	struct blob *
		pending_close; /* CLOSING: our close frame, to be sent after the last answers */
	int64_t heard_ms;    /* when bytes came last */
	int64_t active_ms;   /* when a message came or went last */
	int64_t wrote_ms;    /* when the socket last took some of the outbox */
	int64_t deadline_ms; /* of the state; 0: none */
	int64_t ends_ms;     /* OPEN: when it is to be closed, for ends_cause; 0: never */
	struct transport transport;
	uint32_t slot;
	uint8_t ends_cause; /* enum end_cause */
	uint8_t state;
	uint8_t watched; /* what ready is added for: EV_READ, EV_WRITE, EV_CLOSED */
	bool is_dirty, is_pinged, is_freed;
	bool is_slow;     /* a publication found its outbox full; until it is empty */
	bool is_resuming; /* its backlog is parsed after this turn */
	bool is_close_pending; /* OPEN: its close frame waits until its backlog is parsed */
};

/*
 * Begin with an accepted socket, which speaks HTTP first.
 *
 * peer     of the socket; borrowed
 * use      what its address has, given back at its end; NULL: its address has no limits
 * returns  NULL when there is no slot: the socket is still the caller's
 */
struct connection *connection_new(struct clients *clients, int fd,
				  const struct sockaddr *peer,
				  const struct connection_protocol *http,
				  struct address_use *use);

/* The connection that has this lane. */
struct connection *connection_of(struct lane *l);

/* Change the state. deadline: milliseconds from now for it, 0: none. */
void connection_set_state(struct connection *c, enum connection_state next,
			  int64_t deadline);

/* Queue b for writing at the end of this turn; takes b. Only while there is a socket. */
void connection_push(struct connection *c, struct blob *b);

/* Write now what the socket takes, instead of at the end of the turn. It may end. */
void connection_write(struct connection *c);

/* May more be queued for it? Checks its outbox, and if that is not small, the sum of all. */
bool connection_can_queue(const struct connection *c);

/*
 * Is it ahead of the brokers, or slow to read? Or do all together hold too much, while something of
 * it is unanswered? Then its socket is not read, and bytes that were read are not parsed.
 */
bool connection_is_ahead(const struct connection *c);

/*
 * End it, as end.h says for its phase and cause. Calling it again changes nothing.
 *
 * words    for the causes that say so, else NULL
 * returns  whether there was something to end
 */
bool connection_end(struct connection *c, enum end_cause cause,
		    const struct end_words *words);

/* For protocols' steps of an end: the disconnect event, if the end has one; once for each connect, whoever ends it. */
void connection_disconnect(struct connection *c, const struct end *how);

/* For the same: queue no more, LINGER once the outbox is written. */
void connection_linger(struct connection *c);

/* Watch the socket for other events, after the lane, the outbox or the state changed. */
void connection_update(struct connection *c);

/* An event was appended to the lane, and takes bytes of memory. */
void connection_event_added(struct connection *c, uint32_t bytes);

/* An event of the lane is done, and bytes of memory are free: after its last one a connection that is GONE is freed. */
void connection_event_done(struct connection *c, uint32_t bytes);

/* Write what this turn has queued; a hook of the loop. */
void connections_flush(void *clients);

/* Deadlines, pings, stalled writers: for each connection about once a second. To be called each CONNECTIONS_TICK_MS. */
enum { CONNECTIONS_TICK_MS = 100 };
void connections_tick(void *clients);

/* The code and reason of a connection that is closed because the process ends. */
struct end_words connection_drain_words(const struct clients *clients);

#endif
