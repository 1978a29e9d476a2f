#ifndef BROKER_EVENTS_CALL_H
#define BROKER_EVENTS_CALL_H

/*
 * One event in a broker, and the answer that ends it. It contains all state that is
 * needed to handle the event.
 */

#include "base/blob.h"
#include "base/metric.h"
#include "broker/events/phase.h"
#include "broker/payload/action.h"
#include "broker/payload/invocation.h"

#include <proto/gatepost.pb-c.h>
#include <sys/queue.h>

struct chosen;      /* chosen.h */
struct claim;       /* redelivery.h */
struct disconnect;  /* store/disconnects.h */
struct handle_uses; /* handle.h */
struct refusal;     /* refusal.h */
struct route;
struct route_http;
struct routes;

/* What ends an event; all of it is borrowed until the sink returns. */
struct answer {
	const struct id *id; /* of the event, and what it was asked with */
	uint32_t term;
	uint64_t seq;
	bool is_retry; /* it could not be done, and the same event may come again; no actions */
	const struct action *actions; /* in the order in which the edge applies them */
	size_t n_actions; /* 0: the event is done, and the client gets nothing */
	int64_t expires_ms; /* CONNECT: when the connection's permission ends, since 1970; 0: never */
	struct blob *
		context; /* CONNECT: the Context that the edge is to keep; NULL: the one it has */
};

/* Where an answer goes. */
struct sink {
	const struct sink_ops {
		void (*answer)(void *to, const struct answer *a);
		/* Is the link to the edge lost? Then another broker may handle the event. */
		bool (*is_lost)(void *to);
		void (*close)(void *to);
	} * ops; /* NULL: nobody waits for the answer */
	void *to;
	uint32_t term;
};

struct call_counts {
	struct metric *connects, *messages, *disconnects, *requests;
	struct metric *refused, *retried;
};

/* Register them; m as in metric.h. */
void call_counts_init(struct call_counts *out, struct metrics *m);

struct call {
	struct invocation in; /* path and spans are the call's own */
	struct sink sink;
	struct routes *routes; /* the configuration that it began with */
	const struct call_counts *counts;
	const struct handle_uses *uses;
	bool again; /* a broker got it before, and may have handled part of it */
	struct chosen *
		chosen; /* CONNECT, MESSAGE: what its function wants of channels; NULL: nothing */
	struct refusal
		*response; /* likewise: what waits until that is done; NULL: nothing */

	/* For lane.c, which runs the calls of a connection in order. */
	struct call_turn {
		TAILQ_ENTRY(call) next;
		void *lane;
		void (*end)(struct call *c); /* it has been answered: free it */
		bool is_parallel; /* waits only for earlier calls that are not parallel */
		bool in_handler, has_ended;
	} turn;

	union { /* by in.kind */
		struct {
			const struct route *route; /* $connect's; NULL: none */
			char boot[17]; /* of its edge, in hex: it must have the lease */
			bool bearer;   /* the 101 chooses the subprotocol "bearer" */
			int64_t expires_ms;   /* as in struct answer */
			struct blob *granted; /* likewise, its context */
			struct refusal
				*refusal; /* the response after its row is removed */
		} connect;
		struct {
			const struct route *route; /* NULL: none */
		} message;
		struct {
			const struct route *route; /* $disconnect's; NULL: none */
			enum phase phase;
			struct claim *claim;   /* NULL: another broker may handle it */
			int tries;             /* invocations that have failed */
			struct span *channels; /* in whose presence it takes part */
			size_t n_channels;
			size_t n_leaving; /* leaves that are under way */
			bool has_failed;  /* one of them has */
			struct blob *
				reason; /* what body points to, if the disconnect was stored before */
		} disconnect;
		struct {
			const struct route_http *route; /* NULL: none */
			char *path;                     /* in.path */
		} http;
	};
	uint8_t bytes[]; /* what the spans point to */
};

/* A copy of the event. routes: a reference is taken. The call closes the sink. */
struct call *call_new(const struct call_counts *counts, struct routes *routes,
		      struct sink sink, const Gatepost__Event *e);
void call_free(struct call *c); /* its claim has been released */

/*
 * The disconnect of a connection whose row has left the table: no edge waits for its answer,
 * and its phase is PENDING. NULL when its id is not of its edge, or its context is unreadable.
 */
struct call *call_new_pending(const struct call_counts *counts, struct routes *routes,
			      const struct disconnect *d);

/* DISCONNECT: it was stored before: take the stored time, code and reason. */
void call_adopt(struct call *c, const struct disconnect *d);

/*
 * CONNECT: put into the connection's context, for the $connect event and for all later
 * ones, what the authorizer returned (a JSON object, NULL: nothing) and, with_request,
 * the head of the upgrade. Its principalId is the caller's user.
 */
void call_grant(struct call *c, const char *authorizer, bool with_request);

/*
 * CONNECT: who the caller is, for channels, in place of what the authorizer's principalId says. Without
 * an effect, but for a log line, when user has more than CALL_USER_MOST bytes.
 */
enum { CALL_USER_MOST = 255 };
void call_set_user(struct call *c, struct span user);

/* The parts of a packed Context or Request; free them with protobuf-c's functions. NULL when they are malformed. */
Gatepost__Context *call_context(const struct call *c);

/* Its connection is not one of its user's any more. Nobody waits for it: who reads what is left finds no row. */
void call_forget_user(const struct call *c, struct store *st);
Gatepost__Request *call_request(const struct call *c);

/* Has the edge's link ended, so that the answer can reach nobody? */
bool call_is_lost(const struct call *c);

/*
 * The ways for a call to end. Each frees the call and starts the lane's next one,
 * so a handler must do nothing after it.
 */

/*
 * The edge applies these actions in their order, all or none: as struct action has it, each kind
 * where it may stand. A list that an edge could not read (envelope_actions_ok) becomes the error of a
 * function that failed, with a line in the log.
 */
void call_answer(struct call *c, const struct action *actions, size_t n);

/*
 * CONNECT, HTTP: status, headers and body go to the client. A response that an edge could not read
 * (envelope_response_ok) becomes 502, with a log line.
 */
void call_respond(struct call *c, int status, const struct result_header *h, size_t n,
		  struct span body);

/* The same with {"message":"…"} as its body. */
void call_refuse(struct call *c, int status, const char *message);

/* MESSAGE: the client gets this. */
void call_reply(struct call *c, struct span body, bool binary);

/* The error frame of API Gateway for a message, byte for byte: {"message": "Forbidden", "connectionId":"…", "requestId":"…"} */
void call_reply_error(struct call *c, const char *message);

/* MESSAGE: the connection is closed with this code. */
void call_close(struct call *c, uint16_t code, const char *reason);

/* DISCONNECT, and a message without an answer: it is done. */
void call_end(struct call *c);

/* CONNECT, DISCONNECT: it could not be handled; the edge may safely retry. */
void call_retry(struct call *c);

/* DISCONNECT: answer the edge, which removes the event; the call goes on. */
void call_acknowledge(struct call *c);

#endif
