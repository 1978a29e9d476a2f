#include "edge/client/end.h"

#include "ws/frame.h"

#include <assert.h>

/* The steps of the table, in two letters. */
enum {
	__ = END_NOTHING,
	EV = END_EVENT,
	RF = END_REFUSE,
	LI = END_LINGER,
	CL = END_CLOSE,
	CB = END_CLOSE_BEHIND,
	DR = END_DRAIN,
	CN = END_CLOSE_NOW,
	XX = END_CUT,
	XP = END_CUT_POLITELY,
	DP = END_DROP,
};

struct row {
	uint8_t steps[PHASES];
	uint8_t count;   /* unless the step is END_REFUSE */
	uint16_t status; /* of END_REFUSE, with message */
	uint16_t code;   /* of all other steps, with reason */
	bool is_event_early; /* $connect is answered or sent: also before OPEN there is a disconnect event */
	bool is_reply, forgets_request, forgets_lane; /* as in struct end */
	const char *message, *reason;
};

static const char NOT_SERVING[] = "This edge accepts no connections now, retry";
static const char INTERNAL[] = "Internal server error"; /* as of a function that failed */
static const char ABNORMAL[] = "Connection Closed Abnormally";
static const char TOO_LATE[] = "Gone before the handshake was done";
static const char GOING_AWAY[] = "Going away";
static const char RESTART[] = "Service Restart";

/* clang-format off */
static const struct row rows[CAUSES] = {
	/*                                      NEW KEPT HEAD BODY CONN REQ OPEN OWE CLOS LING GONE */
	[CAUSE_PEER_CLOSED]       = {.steps = {XX, XX,  XX,  XX,  XX,  XX, XX,  XX, XX,  XX,  __},
				     .code = FRAME_CODE_ABNORMAL, .reason = ABNORMAL},
	[CAUSE_CLOSE_FRAME]       = {.steps = {__, __,  __,  __,  __,  __, CB,  __, LI,  __,  __},
				     .is_reply = true},
	[CAUSE_BAD_REQUEST]       = {.steps = {RF, RF,  RF,  __,  __,  __, __,  __, __,  __,  __}},
	[CAUSE_BAD_MESSAGE]       = {.steps = {__, __,  __,  __,  __,  __, CB,  __, LI,  __,  __},
				     .count = COUNT_BROKEN},
	[CAUSE_BINARY]            = {.steps = {__, __,  __,  __,  __,  __, CB,  __, __,  __,  __},
				     .count = COUNT_BROKEN, .code = FRAME_CODE_UNACCEPTABLE,
				     .reason = "Binary messages are not accepted"},
	[CAUSE_STALLED]           = {.steps = {XX, XX,  XX,  XX,  XX,  XX, XX,  XX, XX,  XX,  __},
				     .count = COUNT_STALLED, .code = FRAME_CODE_ABNORMAL,
				     .reason = "The client takes nothing"},
	[CAUSE_IDLE]              = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __},
				     .code = FRAME_CODE_GOING_AWAY, .reason = GOING_AWAY},
	[CAUSE_NO_PONG]           = {.steps = {__, __,  __,  __,  __,  __, XX,  __, __,  __,  __},
				     .count = COUNT_SILENT, .code = FRAME_CODE_ABNORMAL,
				     .reason = "No pong"},
	[CAUSE_SLOW]              = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __},
				     .code = CLOSE_SLOW, .reason = "slow consumer"},

	[CAUSE_HANDSHAKE_TIMEOUT] = {.steps = {XX, __,  RF,  RF,  __,  __, __,  __, __,  __,  __},
				     .count = COUNT_SILENT, .status = 408,
				     .message = "The request did not arrive in time"},
	[CAUSE_KEEP_ALIVE_TIMEOUT] = {.steps = {__, XX, __,  __,  __,  __, __,  __, __,  __,  __}},
	[CAUSE_ANSWER_TIMEOUT]    = {.steps = {__, __,  __,  __,  RF,  RF, __,  __, __,  __,  __},
				     .status = 504, .message = "No answer in time"},
	[CAUSE_CLOSE_TIMEOUT]     = {.steps = {__, __,  __,  __,  __,  __, __,  CN, XX,  __,  __}},
	[CAUSE_LINGER_TIMEOUT]    = {.steps = {__, __,  __,  __,  __,  __, __,  __, __,  XX,  __}},
	[CAUSE_MAX_AGE]           = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __},
				     .code = FRAME_CODE_GOING_AWAY, .reason = GOING_AWAY},
	[CAUSE_EXPIRED]           = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __},
				     .code = CLOSE_EXPIRED, .reason = "Token expired"},

	/*                                      NEW KEPT HEAD BODY CONN REQ OPEN OWE CLOS LING GONE */
	[CAUSE_ANSWERED]          = {.steps = {__, __,  __,  __,  LI,  LI, __,  CN, __,  __,  __}},
	[CAUSE_FUNCTION_CLOSE]    = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __}},
	[CAUSE_COMMAND_CLOSE]     = {.steps = {__, __,  __,  __,  __,  __, CL,  __, __,  __,  __}},
	[CAUSE_NO_BROKER]         = {.steps = {__, __,  __,  __,  RF,  RF, __,  __, __,  __,  __},
				     .status = 503, .forgets_request = true,
				     .message = "Temporarily unavailable, retry"},
	[CAUSE_TOO_LATE]          = {.steps = {__, __,  __,  __,  RF,  __, __,  __, __,  EV,  EV},
				     .status = 503, .message = NOT_SERVING,
				     .code = FRAME_CODE_ABNORMAL, .reason = TOO_LATE,
				     .is_event_early = true},
	[CAUSE_POISONED_CONNECT]  = {.steps = {__, __,  __,  __,  RF,  __, __,  __, __,  EV,  EV},
				     .status = 502, .message = INTERNAL,
				     .code = FRAME_CODE_ABNORMAL, .reason = TOO_LATE,
				     .is_event_early = true},
	[CAUSE_POISONED_REQUEST]  = {.steps = {__, __,  __,  __,  __,  RF, __,  __, __,  __,  __},
				     .status = 502, .message = INTERNAL},

	[CAUSE_NO_MEMORY]         = {.steps = {__, __,  __,  RF,  __,  __, CB,  __, __,  __,  __},
				     .count = COUNT_BROKEN, .status = 503,
				     .message = "No memory for large requests now, retry",
				     .code = FRAME_CODE_TRY_LATER,
				     .reason = "No memory for large messages now, retry later"},
	[CAUSE_NOT_SERVING]       = {.steps = {RF, RF,  RF,  __,  __,  __, __,  __, __,  __,  __},
				     .status = 503, .message = NOT_SERVING},
	[CAUSE_DRAIN]             = {.steps = {RF, XX,  RF,  RF,  RF,  __, DR,  __, __,  __,  __},
				     .status = 503, .message = NOT_SERVING, .forgets_request = true},
	[CAUSE_DRAIN_OVER]        = {.steps = {XX, XX,  XX,  XX,  XX,  XX, XP,  XX, XX,  XX,  __}},
	[CAUSE_FENCED]            = {.steps = {XX, XX,  XX,  XX,  XX,  XX, XP,  XX, XX,  XX,  DP},
				     .code = FRAME_CODE_RESTART, .reason = RESTART,
				     .forgets_lane = true},
	[CAUSE_STOPPED]           = {.steps = {XX, XX,  XX,  XX,  XX,  XX, XP,  XX, XX,  XX,  DP},
				     .code = FRAME_CODE_RESTART, .reason = RESTART,
				     .forgets_lane = true},
};
/* clang-format on */

static enum end_count count_of(enum end_phase phase, enum end_cause cause,
			       enum end_step step)
{
	if (step == END_REFUSE || step == END_NOTHING)
		return COUNT_NONE;
	if (cause == CAUSE_CLOSE_TIMEOUT && phase == PHASE_CLOSING)
		return COUNT_UNANSWERED;
	return rows[cause].count;
}

/* The table's, or else the caller's. */
static struct end_words either(uint16_t code, const char *text,
			       const struct end_words *words)
{
	assert(code != 0 || words != NULL);
	return code != 0 ? (struct end_words){code, span_str(text)} : *words;
}

static void fill(struct end *end, const struct row *r, const struct end_words *words)
{
	struct end_words w;

	if (end->step == END_REFUSE) {
		w = either(r->status, r->message, words);
		end->status = w.code;
		end->message = w.text;
	}
	if (end->has_event || end->step == END_CUT_POLITELY ||
	    end->count == COUNT_BROKEN) {
		w = either(r->code, r->reason, words);
		end->code = w.code;
		end->reason = w.text;
	}
}

struct end end_of(enum end_phase phase, enum end_cause cause,
		  const struct end_words *words)
{
	const struct row *r = &rows[cause];
	struct end end = {.step = r->steps[phase]};

	if (end.step == END_NOTHING)
		return end;
	end.count = count_of(phase, cause, end.step);
	end.has_event = phase == PHASE_OPEN ? !r->forgets_lane : r->is_event_early;
	end.is_reply = r->is_reply;
	end.forgets_request = r->forgets_request;
	end.forgets_lane = r->forgets_lane;
	fill(&end, r, words);
	return end;
}

enum end_cause end_timeout(enum end_phase phase)
{
	switch (phase) {
	case PHASE_NEW:
	case PHASE_HEAD:
	case PHASE_BODY: return CAUSE_HANDSHAKE_TIMEOUT;
	case PHASE_KEPT: return CAUSE_KEEP_ALIVE_TIMEOUT;
	case PHASE_CONNECT:
	case PHASE_REQUEST: return CAUSE_ANSWER_TIMEOUT;
	case PHASE_OWING:
	case PHASE_CLOSING: return CAUSE_CLOSE_TIMEOUT;
	case PHASE_LINGER: return CAUSE_LINGER_TIMEOUT;
	case PHASE_OPEN:
	case PHASE_GONE:
	case PHASES: break;
	}
	assert(phase < PHASE_OPEN); /* the others have no deadline */
	return CAUSES;
}
