#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/*
 * One WebSocket client.
 *
 *   NEW -> CONNECTING -> UPGRADING -> OPEN <-> WAITING
 *                                      \________/___ CLOSING -> GONE
 *
 * Any trouble leads to GONE, and is counted in the crowd's tally, once.
 */

#include "bench/crowd.h"

struct client {
	int fd;
	uint32_t number; /* among all clients of all processes */
	uint32_t sent;   /* messages */
	enum client_state state;
	bool queued;      /* the worker's: it waits for its turn to speak */
	bool close_seen;  /* the server's close frame has come */
	int64_t since_us; /* when what is awaited was asked for */
	uint8_t *held;    /* what has come of a frame that is not whole */
	size_t held_n;
	uint8_t *unsent; /* what the socket would not take yet */
	size_t unsent_n;
};

/* A client that is NEW. */
void client_init(struct client *c, struct crowd *w, uint32_t number);

/* Begin the TCP connection. */
void client_connect(struct client *c, struct crowd *w);

/* Its socket is ready: do what there is to do. events are epoll's. */
void client_take(struct client *c, struct crowd *w, uint32_t events);

/* Send the next message; c is OPEN. */
void client_say(struct client *c, struct crowd *w);

/* Begin the close handshake with code 1000; c is OPEN. */
void client_leave(struct client *c, struct crowd *w);

/* Give up if what is awaited was asked for before since_us. */
void client_check(struct client *c, struct crowd *w, int64_t since_us);

/* Free what a client holds, whatever its state. */
void client_close(struct client *c, struct crowd *w);

#endif
