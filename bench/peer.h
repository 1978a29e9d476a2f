#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * WebSocket clients that only say what they are told, and report what they get.
 *
 *   NEW -> CONNECTING -> UPGRADING -> OPEN -> CLOSING -> GONE
 *
 * Any trouble leads to GONE.
 */

#include "base/span.h"
#include "bench/target.h"

enum peer_state {
	PEER_NEW,
	PEER_CONNECTING, /* TCP */
	PEER_UPGRADING,  /* HTTP */
	PEER_OPEN,
	PEER_CLOSING, /* the close frame is sent; it waits for the answer, and the end of TCP */
	PEER_GONE,
};

struct peer {
	int fd;
	uint32_t number;
	enum peer_state state;
	bool close_seen;
	bool watched;  /* for room to write, too */
	uint8_t *held; /* what has come of a frame that is not whole */
	size_t held_n;
	uint8_t *unsent;
	size_t unsent_n, unsent_room;
};

struct peer_calls {
	void (*opened)(void *user, struct peer *p);
	void (*text)(void *user, struct peer *p, struct span body);
	/* ok: after a close handshake that the peer began, with code 1000 */
	void (*closed)(void *user, struct peer *p, bool ok);
	void *user;
};

struct peer_net;

/* target and calls must outlive it. */
struct peer_net *peer_net_new(const struct target *target,
			      const struct peer_calls *calls);
void peer_net_free(struct peer_net *n);

/* Wait for at most ms for something to come, and report all that has. */
void peer_net_turn(struct peer_net *n, int ms);

void peer_connect(struct peer_net *n, struct peer *p);

/* Append a text message to what peer_flush sends; p is OPEN. */
void peer_say(struct peer_net *n, struct peer *p, struct span body);
void peer_flush(struct peer_net *n, struct peer *p);

/* Begin the close handshake with code 1000; p is OPEN. */
void peer_leave(struct peer_net *n, struct peer *p);

/* Free what p holds, whatever its state; reports nothing. */
void peer_free(struct peer *p);

/* Microseconds of a clock that never jumps. */
int64_t peer_now_us(void);

#endif
