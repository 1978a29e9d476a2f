#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * What a call came to. Each code is a choice that the caller has, not a place
 * where something went wrong; the place goes to the log, once, where the error
 * is dealt with.
 */
enum err {
	OK = 0,
	ERR_AGAIN, /* not finished: call again with more bytes, or when the socket has room */
	ERR_EXIT,    /* what was asked for is done, as --help: exit with 0 */
	ERR_TIMEOUT, /* nothing came before the deadline: give up */
	ERR_RATE,    /* too many in this time: refuse, keep the peer */
	ERR_CLAIMED, /* another one works on it already: leave it */
	ERR_UNKNOWN, /* not known yet: ask later */
	ERR_MALFORMED, /* the peer broke its protocol: answer with the refusal, or close the peer */
	ERR_TOOBIG,   /* over a limit from the settings: refuse, keep the peer */
	ERR_DENIED,   /* not allowed to: refuse, keep the peer */
	ERR_NOTFOUND, /* no such thing (or no longer) */
	ERR_BUSY,     /* a queue is full: shed, or slow the sender down */
	ERR_DOWN,     /* the other process cannot be reached: retry later */
};

#define must_use __attribute__((warn_unused_result))

/* The code's name as it stands in log lines: "ok", "again", "malformed", … */
const char *err_name(enum err e);

#endif
