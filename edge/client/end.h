#ifndef EDGE_CLIENT_END_H
#define EDGE_CLIENT_END_H

/*
 * How a connection ends: one table of its phase and the cause. The table only decides;
 * connection_end does it.
 */

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* The close code when what its authorizer allowed is over (of those for applications, as HTTP's 401). */
enum { CLOSE_EXPIRED = 4401 };

/* The close code of a subscriber that reads too slowly (as HTTP's 408). */
enum { CLOSE_SLOW = 4408 };

/* The phase of a connection: its state, and details that matter for its end. */
enum end_phase {
	PHASE_NEW,     /* HEAD: nothing has arrived yet */
	PHASE_KEPT,    /* HEAD: a request was answered, nothing of the next has arrived */
	PHASE_HEAD,    /* HEAD: a part of a request has arrived */
	PHASE_BODY,    /* BODY */
	PHASE_CONNECT, /* ASKED: an upgrade is being decided */
	PHASE_REQUEST, /* ASKED: a plain request is being answered */
	PHASE_OPEN,    /* OPEN */
	PHASE_OWING,   /* CLOSING: our close frame waits for the last answers */
	PHASE_CLOSING, /* CLOSING: our close frame is sent, the client's has not arrived */
	PHASE_LINGER,  /* LINGER */
	PHASE_GONE,    /* GONE */
	PHASES
};

enum end_cause {
	/* the client */
	CAUSE_PEER_CLOSED, /* its end of the socket is closed, or reset */
	CAUSE_CLOSE_FRAME, /* its close frame has arrived; with its code and reason */
	CAUSE_BAD_REQUEST, /* with the status and the message */
	CAUSE_BAD_MESSAGE, /* with the close code and the reason: 1002, 1007 or 1009 */
	CAUSE_BINARY,      /* a binary message, with --binary refuse */
	CAUSE_STALLED,     /* it takes nothing of its outbox: --stall-timeout */
	CAUSE_IDLE,        /* no message in either direction: --idle-timeout */
	CAUSE_NO_PONG,     /* --pong-timeout */
	CAUSE_SLOW, /* its outbox is full, and a channel whose policy is to disconnect has a message */
	/* the time of its phase is over (end_timeout) */
	CAUSE_HANDSHAKE_TIMEOUT,
	CAUSE_KEEP_ALIVE_TIMEOUT,
	CAUSE_ANSWER_TIMEOUT,
	CAUSE_CLOSE_TIMEOUT,
	CAUSE_LINGER_TIMEOUT,
	CAUSE_MAX_AGE, /* --max-age */
	CAUSE_EXPIRED, /* what its authorizer allowed is over */
	/* the brokers and functions */
	CAUSE_ANSWERED,       /* its last response or answer is queued */
	CAUSE_FUNCTION_CLOSE, /* an answer asks for it; with code and reason */
	CAUSE_COMMAND_CLOSE,  /* the management API asks for it; with code and reason */
	CAUSE_NO_BROKER,      /* no broker takes its request */
	CAUSE_TOO_LATE, /* its $connect was accepted, but it cannot be opened any more */
	CAUSE_POISONED_CONNECT, /* its $connect is sent to no broker any more */
	CAUSE_POISONED_REQUEST, /* the same of a plain request */
	/* this edge */
	CAUSE_NO_MEMORY, /* a large message or body, over --held-memory */
	CAUSE_NOT_SERVING, /* a request before a broker has given a number, or while clients are closed */
	CAUSE_DRAIN,      /* SIGTERM; with code and reason */
	CAUSE_DRAIN_OVER, /* the time for that is over; with code and reason */
	CAUSE_FENCED,     /* the lease expired: a broker has reaped it */
	CAUSE_STOPPED,    /* the loop has stopped: a broker accounts for it */
	CAUSES
};

/* How the connection ends. */
enum end_step {
	END_NOTHING, /* it does not: it goes on as it is */
	END_EVENT,   /* it does not, but a disconnect event is made */
	END_REFUSE,  /* a response with `status`, then LINGER */
	END_LINGER,  /* LINGER: our end is closed behind what is queued */
	END_CLOSE,   /* a close frame, then CLOSING: the client's is waited for */
	END_CLOSE_BEHIND, /* CLOSING: a close frame behind the answers that it still gets, then LINGER */
	END_DRAIN, /* what was read is parsed; then END_CLOSE_BEHIND, or END_CLOSE if it gets no answer */
	END_CLOSE_NOW, /* the close frame at once, even with events unanswered, then LINGER */
	END_CUT,       /* GONE: the socket is closed at once */
	END_CUT_POLITELY, /* the same behind a close frame, if the socket takes it */
	END_DROP,         /* GONE: nothing is left but the slot, which is freed */
};

/* What is counted and logged beside the end itself. COUNT_BROKEN: with code and reason. */
enum end_count {
	COUNT_NONE,
	COUNT_BROKEN,
	COUNT_STALLED,
	COUNT_SILENT,
	COUNT_UNANSWERED
};

struct end {
	enum end_step step;
	enum end_count count;
	uint16_t status;     /* END_REFUSE: of the response */
	uint16_t code;       /* of the close frame and of the disconnect event */
	struct span message; /* END_REFUSE: in the response's body */
	struct span reason;  /* beside code */
	bool has_event; /* a disconnect event goes to the function, if $connect was accepted */
	bool is_reply;        /* the close frame answers the client's: it has no reason */
	bool forgets_request; /* a request that no broker has seen is forgotten */
	bool forgets_lane; /* what is unanswered is forgotten, and no event is made any more */
};

/* For causes without them in the table: status and message of a response, or code and reason. */
struct end_words {
	uint16_t code;
	struct span text; /* borrowed */
};

/* Decide. words: NULL for causes that have them in the table. */
struct end end_of(enum end_phase phase, enum end_cause cause,
		  const struct end_words *words);

/* The cause when the deadline of this phase has passed. PHASE_OPEN and PHASE_GONE have none. */
enum end_cause end_timeout(enum end_phase phase);

#endif
