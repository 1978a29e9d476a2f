#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

/*
 * What the clients of one process have in common: the epoll set, the buffers, the
 * text of the message, and how many of them are in which state.
 */

#include "base/span.h"
#include "bench/plan.h"
#include "bench/tally.h"

enum client_state {
	CLIENT_NEW,
	CLIENT_CONNECTING, /* TCP */
	CLIENT_UPGRADING,  /* HTTP */
	CLIENT_OPEN,       /* nothing is awaited */
	CLIENT_WAITING,    /* for the answer to a message */
	CLIENT_CLOSING,    /* for the close frame, or the end of the TCP connection */
	CLIENT_GONE,
	CLIENT_STATES
};

struct crowd {
	const struct plan *plan;
	struct tally *tally;
	int epoll;
	uint32_t first;  /* number of this process's first client */
	uint64_t seed;   /* of the keys */
	uint64_t random; /* goes on from the seed, for the masks */
	size_t in_n;
	uint8_t *in;   /* room for one answer and more */
	uint8_t *out;  /* room for one frame */
	uint8_t *body; /* the message, plan->size bytes */
	size_t count[CLIENT_STATES];
};

/* seed is the run's, the same for all its processes. */
void crowd_init(struct crowd *c, const struct plan *p, struct tally *t, uint32_t first,
		uint64_t seed);
void crowd_close(struct crowd *c);

/* The text of a client's message; borrowed until the next call. No two are the same. */
struct span crowd_message(struct crowd *c, uint32_t client, uint32_t message);

/* A mask for the next frame; unpredictable enough for a bench. */
uint32_t crowd_mask(struct crowd *c);

/* Microseconds of a clock that never jumps. */
int64_t crowd_now_us(void);

#endif
