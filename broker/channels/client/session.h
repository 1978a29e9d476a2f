#ifndef BROKER_CHANNELS_CLIENT_SESSION_H
#define BROKER_CHANNELS_CLIENT_SESSION_H

/*
 * Shared by client*.c; no other file includes it.
 *
 * One event of a client while its actions are done, one after the other. Each is begun by its own file
 * and ended there with session_ack or session_fail, once, at any time.
 */

#include "broker/channels/client/action.h"
#include "broker/channels/client/client.h"
#include "broker/channels/client/frame.h"
#include "broker/channels/client/rate.h"
#include "proto/proto_arena.h"

#include <sys/queue.h>

struct session;

enum {
	SESSION_BYTES =
		900 * 1024 /* of all actions of an array: an edge reads less than 1 MiB */
};

/* What came of a `since`. */
enum recovery {
	RECOVERY_COMPLETE,
	RECOVERY_EPOCH,
	RECOVERY_TRIMMED,
	RECOVERY_AHEAD,
	RECOVERY_LIMIT,
	RECOVERY_NO_HISTORY,
	RECOVERIES
};

struct clients {
	struct clients_uses uses;
	struct rates *rates;
	LIST_HEAD(, session) sessions;
	struct metric *actions[VERB_PING + 1];
	struct metric *errors;
	struct metric *recoveries[RECOVERIES];
};

struct session {
	LIST_ENTRY(session) next;
	struct clients *clients;
	struct client_event event;
	client_fn *fn;
	void *arg;
	Gatepost__Context *context; /* NULL: it cannot be read */

	struct client_todo *todos;
	size_t n_todos, at;
	struct span text; /* what todos point into */
	uint8_t *room;    /* for strings without their escapes: as many bytes */
	struct channel_action action; /* of todos[at] */
	const struct config_namespace *ns;
	void (*run)(struct session *s); /* goes on behind the action that has ended */
	bool has_begun, is_running, is_waiting;

	/* The action under way. */
	void (*allowed)(struct session *s);
	void (*decided)(struct session *s); /* behind a function that is asked */
	struct invocation asked;
	struct event_route asked_route;
	struct channel_event asks;
	int64_t expires_ms; /* SUBSCRIBE: of its token */
	char *info;         /* JSON: what its token says of the client; NULL: nothing */
	struct blob *
		member; /* SUBSCRIBE: what others see of it; NULL: it takes no part in presence */
	void (*then)(struct session *s); /* behind a change of presence */
	struct failure refusal;          /* of the rule: unless it is subscribed */
	struct blob *ready;              /* SUBSCRIBE: its ack */
	const struct action_activate *activate;
	struct blob *data; /* PUBLISH: the function's, in place of the client's */

	struct action *actions;
	size_t n_actions, room_actions;
	struct blob **held; /* the frames of actions */
	size_t n_held, room_held;
	struct proto_arena arena; /* what else actions point to */
	size_t bytes;             /* of all actions */
	size_t missed; /* messages of recoveries, and their bytes in the store */
	size_t missed_bytes;
	size_t read; /* the same of histories */
	bool has_failed;
	struct failure failure; /* the first */
};

/* Is it the only action of its event? */
bool session_is_single(const struct session *s);

struct frame_head session_head(const struct session *s);

/* The user of the connection; empty: anonymous. */
struct span session_user(const struct session *s);

/* End the action with this frame, which is taken. */
void session_ack(struct session *s, struct blob *frame);

/* The same of one that may be large: an error instead when the answer has no room for it. */
void session_ack_page(struct session *s, struct blob *frame);

/* The same, and the pending subscription of its channel goes live behind the frame. */
void session_activate(struct session *s, struct blob *frame,
		      const struct action_activate *a);

/* The same, and its subscription ends before the frame. */
void session_unsubscribe(struct session *s, struct blob *frame);

/* End it with an error, and its subscription too. */
void session_drop(struct session *s, const struct failure *f);

/* End it with an error. */
void session_fail(struct session *s, const struct failure *f);

/* bad_request, and other errors that are not retryable; unavailable. */
void session_refuse(struct session *s, const char *code, const char *why);
void session_fail_later(struct session *s, const char *why);

/* The subscription of this channel that the event activates so far; NULL: none. */
const struct action_activate *session_activated(const struct session *s,
						struct span channel);

/* A frame that lives until the event is answered; its reference is taken. */
struct blob *session_hold(struct session *s, struct blob *b);

/* Forget what the event does so far to the subscription of this channel. */
void session_forget(struct session *s, struct span channel);

void session_free(struct session *s);

#endif
