#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * What a call came to. Each code is a choice that the caller has, not a place
 * where something went wrong; the place goes to the log, once, where the error
 * is dealt with.
 */
enum err {
	OK = 0,
	ERR_AGAIN, /* not yet: feed more bytes, or wait for the next event */
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
