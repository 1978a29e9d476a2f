#ifndef BROKER_EVENTS_CALL_H
#define BROKER_EVENTS_CALL_H

/*
 * One event on its way through a broker, and the answer that ends it. Everything that
 * is needed to handle an event is in it; a call has no other state.
 */

#include "broker/broker.h"
#include "proto/id.h"

#include <proto/gatepost.pb-c.h>
#include <sys/queue.h>

struct disconnect; /* store/disconnects.h */
struct edge_link;
struct permission;
struct route;
struct route_http;
struct routes;

struct call {
	struct broker *broker;
	struct edge_link *
		peer; /* the edge that gets the answer; NULL: nobody does, its edge is dead */
	struct lane *lane;
	TAILQ_ENTRY(call) next; /* in its lane, among those that wait or those that run */
	struct routes *routes;  /* the configuration that it began with */
	const struct route *
		route; /* MESSAGE: its route; CONNECT, DISCONNECT: $connect's, $disconnect's; NULL: none */
	const struct route_http *http; /* HTTP: its route; NULL: none */
	char *http_path;               /* HTTP: below the stage, "/users/7" */
	struct id id;
	uint32_t term;
	uint64_t seq;
	int64_t time_ms;
	Gatepost__Event__Kind kind;
	uint16_t code;    /* DISCONNECT */
	bool binary;      /* MESSAGE */
	bool is_parallel; /* waits only for those before it that are not */
	bool again;       /* it came to a broker before, who may have done some of it */
	bool is_accused;  /* links have ended while it was under way */
	bool in_handler, is_done;
	int64_t asked_ms; /* CONNECT: when the authorizer was asked */
	void (*on_permission)(struct call *c, const struct permission *p);
	bool bearer; /* CONNECT: the token came as a subprotocol: the 101 says "bearer" */
	int64_t expires_ms; /* CONNECT: when the caller's leave ends, since 1970; 0: never */
	int tries;          /* DISCONNECT: invocations that have failed */
	LIST_ENTRY(call) owed; /* DISCONNECT: while this broker holds its claim */
	bool is_owed;          /* DISCONNECT: begun before, by whoever it was */
	bool is_left;          /* DISCONNECT: begun here, but not claimed */
	bool is_held;          /* it is in that list */
	bool is_lapsed;        /* its claim was not kept alive: another may have it */
	struct blob *kept;     /* what the spans point to instead, where they changed */
	struct blob *
		granted; /* CONNECT: the Context that the edge is to keep; NULL: the one it has */
	struct span context; /* a packed Context */
	struct span request; /* CONNECT, HTTP: a packed Request */
	struct span body;    /* MESSAGE, HTTP; DISCONNECT: the reason */
	uint8_t bytes[];     /* what the three spans point to */
};

/* A copy of the event, with a reference to its edge. */
struct call *call_new(struct broker *b, struct edge_link *peer, const Gatepost__Event *e);
void call_free(struct call *c);

/*
 * The disconnect of a connection whose row has left the table: nobody waits for its answer.
 * NULL when its id is none of its edge's, or its context cannot be read.
 */
struct call *call_new_owed(struct broker *b, const struct disconnect *d);

/* DISCONNECT: what was begun first counts: its time, code and reason become c's. */
void call_adopt(struct call *c, const struct disconnect *d);

/*
 * CONNECT: put into the connection's context, for the $connect event and for all later
 * ones, what the authorizer said of the caller (a JSON object, NULL: nothing) and,
 * with_request, the head of the upgrade.
 */
void call_grant(struct call *c, const char *authorizer, bool with_request);

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

/*
 * CONNECT, HTTP: status, headers and body go to the client. What an edge could not read
 * (envelope_response_ok) becomes 502, with a line in the log.
 */
void call_respond(struct call *c, int status, const struct call_header *h, size_t n,
		  struct span body);

/* The same with {"message":"…"} as its body. */
void call_refuse(struct call *c, int status, const char *message);

/* MESSAGE: the client gets this. */
void call_reply(struct call *c, struct span body, bool binary);

/* The error frame of API Gateway for a message, byte for byte: {"message": "Forbidden", "connectionId":"…", "requestId":"…"} */
void call_reply_error(struct call *c, const char *message);

/* MESSAGE: the connection is closed with this code. */
void call_close(struct call *c, uint16_t code, const char *reason);

/* DISCONNECT, and a message without an answer: done. */
void call_end(struct call *c);

/* DISCONNECT: the edge has its answer, and may forget it; the call goes on. */
void call_part(struct call *c);

/* CONNECT, DISCONNECT: it could not be done, and may be tried again without harm. */
void call_retry(struct call *c);

#endif
