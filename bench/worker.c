#include "bench/worker.h"

#include "base/mem.h"
#include "bench/client.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 512, SWEEP_US = 1000000, TURN_MS = 100, PACED_MS = 2 };

/* Starts no more in any time than the rate allows. */
struct pace {
	int64_t from_us, rate;
	size_t done;
};

struct worker {
	struct crowd crowd;
	const struct share *share;
	struct client *clients;
	uint32_t *
		queue; /* clients that have something to say, first in, first out: a ring */
	size_t queue_at, queue_n;
	struct pace speech;
	int64_t swept_us;
	int control;
	bool talking;   /* the messages' step is on */
	bool told;      /* the parent has said: go on */
	bool abandoned; /* the parent is gone */
};

static void worker_init(struct worker *w, const struct plan *p, const struct share *s,
			struct tally *t, int control)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};

	*w = (struct worker){.share = s, .control = control};
	crowd_init(&w->crowd, p, t, s->first, s->seed);
	epoll_ctl(w->crowd.epoll, EPOLL_CTL_ADD, control, &e);
	w->clients = xcalloc(s->clients, sizeof *w->clients);
	w->queue = xcalloc(s->clients, sizeof *w->queue);
	for (uint32_t i = 0; i < s->clients; i++)
		client_init(&w->clients[i], &w->crowd, s->first + i);
}

static void worker_close(struct worker *w)
{
	for (uint32_t i = 0; i < w->share->clients; i++)
		client_close(&w->clients[i], &w->crowd);
	crowd_close(&w->crowd);
	free(w->clients);
	free(w->queue);
}

/* How many may be started now. */
static size_t pace_allows(const struct pace *p)
{
	int64_t allowed = (crowd_now_us() - p->from_us) * p->rate / 1000000 + 1;

	return (size_t)allowed > p->done ? (size_t)allowed - p->done : 0;
}

static void enqueue(struct worker *w, struct client *c)
{
	if (c->queued || c->sent == (uint64_t)w->crowd.plan->messages)
		return;

	size_t end = w->queue_at + w->queue_n++;
	if (end >= w->share->clients)
		end -= w->share->clients;
	c->queued = true;
	w->queue[end] = c->number - w->share->first;
}

/* How many may speak now. */
static size_t may_speak(const struct worker *w)
{
	size_t waiting = w->crowd.count[CLIENT_WAITING];
	size_t most = (size_t)w->share->in_flight > waiting
			      ? (size_t)w->share->in_flight - waiting
			      : 0;
	size_t paced = w->share->message_rate > 0 ? pace_allows(&w->speech) : most;

	return paced < most ? paced : most;
}

/* Let clients speak, as many at a time and as often as the plan wants. */
static void converse(struct worker *w)
{
	for (size_t n = may_speak(w); w->queue_n > 0 && n > 0; n--) {
		struct client *c = &w->clients[w->queue[w->queue_at]];

		if (++w->queue_at == w->share->clients)
			w->queue_at = 0;
		w->queue_n--;
		c->queued = false;
		w->speech.done++;
		if (c->state == CLIENT_OPEN)
			client_say(c, &w->crowd);
	}
}

static void take_word(struct worker *w)
{
	char byte;

	w->told = true;
	w->abandoned = read(w->control, &byte, 1) != 1;
}

/* Give up on clients that wait too long; at the deadline, on all that wait. */
static void sweep(struct worker *w, int64_t now_us)
{
	int64_t since = now_us > w->share->end_us
				? INT64_MAX
				: now_us - w->crowd.plan->timeout_ms * 1000;

	w->swept_us = now_us;
	for (uint32_t i = 0; i < w->share->clients; i++)
		client_check(&w->clients[i], &w->crowd, since);
}

static void turn(struct worker *w, int wait_ms)
{
	struct epoll_event ready[BATCH];
	int n = epoll_wait(w->crowd.epoll, ready, BATCH, wait_ms);

	for (int i = 0; i < n; i++) {
		struct client *c = ready[i].data.ptr;

		if (c == NULL) {
			take_word(w);
			continue;
		}
		client_take(c, &w->crowd, ready[i].events);
		if (w->talking && c->state == CLIENT_OPEN) {
			enqueue(w, c);
			converse(w);
		}
	}

	int64_t now_us = crowd_now_us();
	if (now_us - w->swept_us > SWEEP_US || now_us > w->share->end_us)
		sweep(w, now_us);
}

static bool is_late(const struct worker *w)
{
	return w->abandoned || crowd_now_us() > w->share->end_us;
}

/* Say what was done, and serve until the parent wants the next step. */
static void report(struct worker *w)
{
	w->told = false;
	w->abandoned = write(w->control, ".", 1) != 1;
	while (!w->told && !w->abandoned)
		turn(w, TURN_MS);
}

static void open_all(struct worker *w)
{
	size_t *count = w->crowd.count;
	struct pace pace = {crowd_now_us(), w->share->rate, 0};

	while (count[CLIENT_NEW] + count[CLIENT_CONNECTING] + count[CLIENT_UPGRADING] >
	       0) {
		size_t n = pace_allows(&pace);

		for (; n > 0 && pace.done < w->share->clients; n--, pace.done++) {
			if (count[CLIENT_CONNECTING] + count[CLIENT_UPGRADING] >=
			    (size_t)w->share->connecting)
				break;
			client_connect(&w->clients[pace.done], &w->crowd);
		}
		turn(w, pace.done < w->share->clients ? PACED_MS : TURN_MS);
		if (is_late(w))
			break;
	}
	w->crowd.tally->troubles[TROUBLE_TIMEOUT] += count[CLIENT_NEW];
}

static void talk(struct worker *w)
{
	w->talking = true;
	w->speech = (struct pace){crowd_now_us(), w->share->message_rate, 0};
	for (uint32_t i = 0; i < w->share->clients; i++)
		enqueue(w, &w->clients[i]);
	converse(w);
	while (w->queue_n + w->crowd.count[CLIENT_WAITING] > 0 && !is_late(w)) {
		turn(w, w->share->message_rate > 0 ? PACED_MS : TURN_MS);
		converse(w); /* a client that was given up leaves its place to the next */
	}
	w->talking = false;
	w->crowd.tally->troubles[TROUBLE_TIMEOUT] +=
		w->queue_n; /* these could not speak in time */
}

static void close_all(struct worker *w)
{
	size_t *count = w->crowd.count;
	struct pace pace = {crowd_now_us(), w->share->rate, 0};

	while (count[CLIENT_OPEN] + count[CLIENT_CLOSING] > 0 && !w->abandoned) {
		size_t n = is_late(w) ? w->share->clients : pace_allows(&pace);

		for (; n > 0 && pace.done < w->share->clients; n--, pace.done++)
			if (w->clients[pace.done].state == CLIENT_OPEN)
				client_leave(&w->clients[pace.done], &w->crowd);
		turn(w, pace.done < w->share->clients ? PACED_MS : TURN_MS);
	}
}

void worker_run(const struct plan *p, const struct share *s, struct tally *t, int control)
{
	struct worker w;

	worker_init(&w, p, s, t, control);
	report(&w);
	open_all(&w);
	report(&w);
	talk(&w);
	report(&w);
	close_all(&w);
	report(&w);
	worker_close(&w);
}
