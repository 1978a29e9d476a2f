#include "bench/fanout_run.h"

#include "base/mem.h"
#include "bench/peer.h"

#include <stdlib.h>

enum { TURN_MS = 100 };

struct fanout_run {
	const struct fanout_plan *plan;
	struct fanout_text text;
	struct fanout_book *book;
	struct peer_calls calls;
	struct peer_net *net;
	struct peer *peers; /* the subscribers, then the publishers */
	bool *waits;        /* for the end of the step, by number of the peer */
	uint32_t subscribers, n;
	size_t waiting;
	bool subscribing; /* an ack is of a subscribe */
	int64_t heard_us, end_us;
	uint64_t random;
	struct histogram times;
	char *out;
};

static void done(struct fanout_run *r, const struct peer *p)
{
	if (!r->waits[p->number])
		return;
	r->waits[p->number] = false;
	r->waiting--;
}

static void on_opened(void *user, struct peer *p)
{
	struct fanout_run *r = user;

	r->heard_us = peer_now_us();
	done(r, p);
}

static void on_closed(void *user, struct peer *p, bool ok)
{
	struct fanout_run *r = user;

	if (!ok)
		fanout_book_trouble(r->book, FANOUT_CUT);
	r->heard_us = peer_now_us();
	done(r, p);
}

/* The answer to what a peer has asked for itself: a ping, or a subscribe. */
static void take_own_answer(struct fanout_run *r, struct peer *p,
			    const struct fanout_said *said)
{
	bool is_asked = r->waits[p->number] && (!said->has_id || said->id == p->number);

	if (!is_asked)
		fanout_book_trouble(r->book, FANOUT_UNASKED);
	else if (said->kind == FANOUT_ERROR)
		fanout_book_trouble(r->book, FANOUT_REFUSED);
	else if (r->subscribing)
		fanout_book_subscribed(r->book, p->number, said->epoch, said->offset);
	done(r, p);
}

static void take_answer(struct fanout_run *r, struct peer *p,
			const struct fanout_said *said)
{
	if (p->number < r->subscribers || r->waits[p->number])
		take_own_answer(r, p, said);
	else
		fanout_book_answer(r->book, said, r->plan->refusals);
}

static void take_message(struct fanout_run *r, struct peer *p,
			 const struct fanout_said *said)
{
	if (p->number >= r->subscribers) {
		fanout_book_trouble(r->book, FANOUT_FOREIGN);
		return;
	}
	histogram_add(&r->times, r->heard_us - said->mark.sent_us);
	fanout_book_message(r->book, p->number, said);
}

static void on_text(void *user, struct peer *p, struct span body)
{
	struct fanout_run *r = user;
	struct fanout_said said;

	fanout_text_read(body, (size_t)r->plan->size, &said);
	r->heard_us = peer_now_us();
	switch (said.kind) {
	case FANOUT_MESSAGE: take_message(r, p, &said); break;
	case FANOUT_ACK:
	case FANOUT_ERROR: take_answer(r, p, &said); break;
	case FANOUT_RESET: fanout_book_trouble(r->book, FANOUT_RESETS); break;
	case FANOUT_UNSUBSCRIBED: fanout_book_trouble(r->book, FANOUT_ENDED); break;
	case FANOUT_OTHER: fanout_book_trouble(r->book, FANOUT_UNASKED); break;
	}
}

struct fanout_run *fanout_run_new(const struct fanout_plan *plan)
{
	struct fanout_run *r = xcalloc(1, sizeof *r);
	const struct fanout_shape shape = {
		.channels = (uint32_t)plan->channels,
		.subscribers = (uint32_t)plan->subscribers,
		.publishers = (uint32_t)plan->publishers,
		.publications = (uint32_t)(plan->publications + plan->warm_up),
	};

	r->plan = plan;
	r->text = (struct fanout_text){plan->space, plan->protocol == FANOUT_FLOOR};
	r->book = fanout_book_new(&shape);
	r->calls = (struct peer_calls){on_opened, on_text, on_closed, r};
	r->net = peer_net_new(&plan->target, &r->calls);
	r->subscribers = shape.channels * shape.subscribers;
	r->n = r->subscribers + shape.publishers;
	r->peers = xcalloc(r->n, sizeof *r->peers);
	r->waits = xcalloc(r->n, sizeof *r->waits);
	for (uint32_t i = 0; i < r->n; i++)
		r->peers[i] = (struct peer){.fd = -1, .number = i};
	r->out = xmalloc(FANOUT_AROUND + (size_t)plan->size);
	r->random = (uint64_t)plan->seed;
	r->end_us = peer_now_us() + plan->deadline_ms * 1000;
	return r;
}

void fanout_run_free(struct fanout_run *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		peer_free(&r->peers[i]);
	peer_net_free(r->net);
	fanout_book_free(r->book);
	free(r->peers);
	free(r->waits);
	free(r->out);
	free(r);
}

/* Read what comes; false when nothing has come for too long. */
static bool turn(struct fanout_run *r)
{
	peer_net_turn(r->net, TURN_MS);

	int64_t now_us = peer_now_us();
	return now_us - r->heard_us < r->plan->timeout_ms * 1000 && now_us < r->end_us;
}

/* Let the first n peers begin something, so many at a time, until each has got its end of it. */
static bool all(struct fanout_run *r, uint32_t n,
		void (*begin)(struct fanout_run *, struct peer *))
{
	uint32_t next = 0;

	r->heard_us = peer_now_us();
	while (next < n || r->waiting > 0) {
		for (; next < n && r->waiting < (size_t)r->plan->connecting; next++) {
			struct peer *p = &r->peers[next];

			if (p->state == PEER_GONE)
				continue;
			r->waits[next] = true;
			r->waiting++;
			begin(r, p);
		}
		if (r->waiting > 0 && !turn(r)) {
			fanout_book_trouble(r->book, FANOUT_UNANSWERED);
			return false;
		}
	}
	return true;
}

static void begin_connect(struct fanout_run *r, struct peer *p)
{
	peer_connect(r->net, p);
}

static void ask(struct fanout_run *r, struct peer *p, size_t n)
{
	peer_say(r->net, p, span_of(r->out, n));
	peer_flush(r->net, p);
}

static void begin_ping(struct fanout_run *r, struct peer *p)
{
	ask(r, p, fanout_text_ping(p->number, r->out));
}

static void begin_subscribe(struct fanout_run *r, struct peer *p)
{
	uint32_t channel = p->number / (uint32_t)r->plan->subscribers;

	ask(r, p, fanout_text_subscribe(&r->text, channel, p->number, r->out));
}

static void begin_close(struct fanout_run *r, struct peer *p)
{
	peer_leave(r->net, p);
}

bool fanout_run_connect(struct fanout_run *r)
{
	return all(r, r->n, begin_connect) &&
	       (!r->plan->ping || all(r, r->n, begin_ping));
}

bool fanout_run_subscribe(struct fanout_run *r)
{
	r->subscribing = true;
	return all(r, r->subscribers, begin_subscribe);
}

bool fanout_run_close(struct fanout_run *r)
{
	return all(r, r->n, begin_close);
}

/* splitmix64; a seed of 0 is as good as any other. */
static uint32_t choose(struct fanout_run *r, int64_t n)
{
	uint64_t x = r->random + 0x9e3779b97f4a7c15u;

	r->random = x;
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return (uint32_t)((x ^ x >> 31) % (uint64_t)n);
}

static void publish_one(struct fanout_run *r)
{
	struct fanout_mark m = {
		.channel = choose(r, r->plan->channels),
		.publisher = choose(r, r->plan->publishers),
		.sent_us = peer_now_us(),
	};
	struct peer *p = &r->peers[r->subscribers + m.publisher];

	if (p->state != PEER_OPEN)
		return; /* it has been counted as cut; nothing comes, and the step ends */
	fanout_book_publish(r->book, &m);
	peer_say(r->net, p,
		 span_of(r->out, fanout_text_publish(&r->text, &m, (size_t)r->plan->size,
						     r->out)));
}

static bool is_answered(const struct fanout_run *r)
{
	const struct fanout_counts *c = fanout_book_counts(r->book);

	return r->text.floor || c->acked + c->refused >= c->published;
}

bool fanout_run_publish(struct fanout_run *r, int64_t publications)
{
	const struct fanout_counts *c = fanout_book_counts(r->book);
	uint64_t goal = c->published + (uint64_t)publications;

	r->heard_us = peer_now_us();
	while (c->published < goal || c->in_flight > 0 || !is_answered(r)) {
		uint64_t room = (uint64_t)r->plan->in_flight - c->in_flight;

		for (; room > 0 && c->published < goal; room--)
			publish_one(r);
		for (uint32_t i = r->subscribers; i < r->n; i++)
			peer_flush(r->net, &r->peers[i]);
		if (!turn(r))
			return false;
	}
	return true;
}

void fanout_run_wait(struct fanout_run *r, int64_t ms)
{
	int64_t until_us = peer_now_us() + ms * 1000;

	for (int64_t left; (left = until_us - peer_now_us()) > 0;)
		peer_net_turn(r->net, (int)(left / 1000 + 1));
}

void fanout_run_begin_times(struct fanout_run *r)
{
	r->times = (struct histogram){0};
}

const struct histogram *fanout_run_times(const struct fanout_run *r)
{
	return &r->times;
}

struct fanout_book *fanout_run_book(struct fanout_run *r)
{
	return r->book;
}
