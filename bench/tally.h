#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

/*
 * What the clients of one process have seen. It lies in memory that the workers
 * share with their parent, so it holds no pointers.
 */

#include "bench/histogram.h"

#include <stdbool.h>

enum trouble {
	TROUBLE_LOCAL,     /* no socket, no port: this machine's limits */
	TROUBLE_REFUSED,   /* the TCP connection was not made */
	TROUBLE_HTTP,      /* another status than 101; see by_status */
	TROUBLE_HANDSHAKE, /* not HTTP, or a wrong Sec-WebSocket-Accept */
	TROUBLE_CLOSED, /* a close frame nobody had asked for, or another code than ours; see by_close */
	TROUBLE_CUT,     /* the TCP connection ended without a close frame */
	TROUBLE_FRAME,   /* a frame that RFC 6455 does not allow, or in fragments */
	TROUBLE_BYTES,   /* an answer that is not what was sent, or one too many */
	TROUBLE_TIMEOUT, /* no answer in time, to whatever it was */
	TROUBLES
};

enum { TALLY_STATUSES = 1000, TALLY_CODES = 5000 };

struct tally {
	uint64_t opened, answered, closed;
	uint64_t troubles[TROUBLES];
	uint32_t by_status[TALLY_STATUSES];
	uint32_t by_close[TALLY_CODES];
	struct histogram connect; /* from the first SYN to 101 */
	struct histogram echo;    /* from the message to its answer */
	struct histogram
		close; /* from the close frame to the end of the TCP connection */
};

/* "refused", "timeout", … */
const char *tally_trouble_name(enum trouble t);

uint64_t tally_troubles(const struct tally *t);
void tally_merge(struct tally *t, const struct tally *other);

#endif
