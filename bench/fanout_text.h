#ifndef BENCH_FANOUT_TEXT_H
#define BENCH_FANOUT_TEXT_H

/*
 * The texts of a fan-out: what clients send, and what servers answer.
 *
 *                 gatepost                                          bench-floor-fanout
 *   subscribe     {"action":"subscribe","channel":"room:1","id":7}  join 1
 *   publish       {"action":"publish","channel":"room:1",           send 1 DATA
 *                  "id":8,"data":"DATA"}
 *   answers       {"type":"ack","id":7,…}                           joined; none
 *   a message     {"type":"message",…,"data":"DATA"}                DATA
 *
 * DATA begins with a mark: which publication this is, where it stands in its channel,
 * when it was sent; dots fill it up.
 */

#include "base/span.h"

enum {
	FANOUT_MARK = 64,       /* bytes of a mark are fewer */
	FANOUT_PUBLISHERS = 64, /* at most */
	FANOUT_AROUND = 512,    /* bytes of a request but for its data are fewer */
};

struct fanout_mark {
	uint32_t number;   /* of all publications of the run */
	uint32_t channel;  /* from 0 */
	uint32_t sequence; /* among those of this publisher in this channel, from 1 */
	uint32_t publisher;
	int64_t sent_us;
};

struct fanout_text {
	const char *space; /* the namespace; empty: none */
	bool floor;
};

/* Requests into out; return the length. A publish needs FANOUT_AROUND + size bytes, the others FANOUT_AROUND. */
size_t fanout_text_subscribe(const struct fanout_text *t, uint32_t channel, uint32_t id,
			     char *out);
size_t fanout_text_ping(uint32_t id, char *out);
size_t fanout_text_publish(const struct fanout_text *t, const struct fanout_mark *m,
			   size_t size, char *out);

enum fanout_kind {
	FANOUT_MESSAGE,
	FANOUT_ACK,
	FANOUT_ERROR,
	FANOUT_RESET,
	FANOUT_UNSUBSCRIBED,
	FANOUT_OTHER, /* what no client of the bench has asked for */
};

struct fanout_said {
	enum fanout_kind kind;
	struct fanout_mark mark; /* MESSAGE */
	bool has_id;             /* ACK, ERROR */
	uint32_t id;
	bool retryable;  /* ERROR */
	uint64_t offset; /* MESSAGE, ACK; 0: there is none */
	uint64_t epoch;  /* a hash of it; 0: there is none */
};

/* Read what a server has sent. A message whose data is not size bytes with a mark is OTHER. */
void fanout_text_read(struct span in, size_t size, struct fanout_said *out);

#endif
