#ifndef BROKER_CALL_H
#define BROKER_CALL_H

/*
 * One event on its way through a broker, and the answer that ends it. Everything that
 * is needed to handle an event is in it; a call has no other state.
 */

#include "broker/broker.h"
#include "proto/id.h"

#include <proto/gatepost.pb-c.h>

struct peer;

struct call {
	struct broker *broker;
	struct peer *peer;        /* the edge that gets the answer */
	struct call *next, *last; /* in its lane; last counts in the first alone */
	struct id id;
	uint32_t term;
	uint64_t seq;
	int64_t time_ms;
	Gatepost__Event__Kind kind;
	uint16_t code; /* DISCONNECT */
	bool binary;   /* MESSAGE */
	bool again;    /* it came to a broker before, who may have done some of it */
	bool in_handler, is_done;
	struct span context; /* a packed Context */
	struct span request; /* CONNECT, HTTP: a packed Request */
	struct span body;    /* MESSAGE, HTTP; DISCONNECT: the reason */
	uint8_t bytes[];     /* what the three spans point to */
};

/* A copy of the event, with a reference to its edge. */
struct call *call_new(struct broker *b, struct peer *peer, const Gatepost__Event *e);
void call_free(struct call *c);

/* The parts of a packed Context or Request; free them with protobuf-c's functions. NULL when an edge sent nonsense. */
Gatepost__Context *call_context(const struct call *c);
Gatepost__Request *call_request(const struct call *c);

struct call_header {
	const char *name, *value;
};

/*
 * The ways for a call to end; each is the last that its handler does, since the
 * call is freed by it and the lane's next one begins.
 */

/* CONNECT, HTTP: status, headers and body go to the client. */
void call_respond(struct call *c, int status, const struct call_header *h, size_t n,
		  struct span body);

/* The same with {"message":"…"} as its body. */
void call_refuse(struct call *c, int status, const char *message);

/* MESSAGE: the client gets this. */
void call_reply(struct call *c, struct span body, bool binary);

/* DISCONNECT, and a message without an answer: done. */
void call_end(struct call *c);

/* CONNECT, DISCONNECT: it could not be done, and may be tried again without harm. */
void call_retry(struct call *c);

#endif
