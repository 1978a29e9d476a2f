/*
 * In order:
 *
 *   drain_signal → begin      not ready any more
 *   check → start_closing     closes the listener, shuffles the connections
 *   check → pace              closes some of them
 *   check → wait_for_acks     no client is left; or close_all_now, and then this
 *   check → leave             no event is left, or the time is over
 */
#include "edge/drain.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/client/connection.h"
#include "edge/client/paced.h"
#include "edge/client/registry.h"
#include "edge/link/uplink.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

enum {
	LOOK_MS = 20,
	HAND_OVER_MS = 2000,
	FAST_MS = 1000,
	FLUSH_MS =
		1000, /* ZeroMQ's linger (uplink_free), when a broker does not read our last messages */
};

enum phase { SERVING, DELAY, CLOSING, HANDING_OVER };

struct drain {
	struct drain_conf conf;
	struct drain_uses uses;
	struct timer *look;
	enum phase phase;
	int signals;
	int64_t until_ms;  /* of the phase */
	int64_t closed_ms; /* CLOSING: when the last one is to be closed */
	struct paced paced;
};

static void begin(struct drain *d);
static void check(void *arg);
static void start_closing(struct drain *d);
static void pace(struct drain *d, int64_t now);
static void close_all_now(struct drain *d);
static void wait_for_acks(struct drain *d, int64_t within_ms);
static void leave(struct drain *d);

struct drain *drain_new(const struct drain_conf *conf, const struct drain_uses *uses)
{
	struct drain *d = xcalloc(1, sizeof *d);

	d->conf = *conf;
	d->uses = *uses;
	d->look = timer_new(uses->loop, check, d);
	return d;
}

int64_t drain_most_ms(const struct drain_conf *conf)
{
	return conf->delay_ms + conf->window_ms + HAND_OVER_MS + FLUSH_MS;
}

void drain_signal(void *arg)
{
	struct drain *d = arg;

	switch (++d->signals) {
	case 1: begin(d); return;
	case 2:
		log_info("edge.drain.fast",
			 I("connections", clients_sockets(d->uses.clients)),
			 S("hint", "the next SIGTERM stops at once"));
		if (d->phase == DELAY)
			start_closing(d);
		close_all_now(d);
		wait_for_acks(d, FAST_MS);
		return;
	default: leave(d);
	}
}

static void begin(struct drain *d)
{
	struct clients *clients = d->uses.clients;

	clients_drain(clients);
	sd_notify(0, "STOPPING=1");
	log_info("edge.drain", I("connections", clients_sockets(clients)),
		 I("delay_ms", d->conf.delay_ms), I("rate", d->conf.rate),
		 I("window_ms", d->conf.window_ms),
		 I("at_most_ms", drain_most_ms(&d->conf)));
	d->phase = DELAY;
	d->until_ms = loop_now(d->uses.loop) + d->conf.delay_ms;
	timer_every(d->look, LOOK_MS);
	check(d);
}

static void check(void *arg)
{
	struct drain *d = arg;
	struct clients *clients = d->uses.clients;
	int64_t now = loop_now(d->uses.loop);

	if (d->phase == DELAY && now >= d->until_ms)
		start_closing(d);
	if (d->phase == CLOSING) {
		/* The end of the turn has written the close frames of the last step. */
		if (paced_left(&d->paced) == 0 && now >= d->until_ms)
			close_all_now(d);
		else
			pace(d, now);
		if (clients_sockets(clients) == 0)
			wait_for_acks(d, HAND_OVER_MS);
	}
	if (d->phase == HANDING_OVER &&
	    (clients_connections(clients) == 0 || now >= d->until_ms))
		leave(d);
}

static void start_closing(struct drain *d)
{
	struct clients *clients = d->uses.clients;
	int64_t window = d->conf.window_ms, answer = d->conf.answer_ms;
	int64_t now = loop_now(d->uses.loop);

	clients_close(clients);
	listener_close(d->uses.listener);
	paced_begin(&d->paced, clients, now, false);
	d->phase = CLOSING;
	d->until_ms = now + window;
	/* The last one has time to answer the close frame, too. */
	d->closed_ms = now + (window > 2 * answer ? window - answer : window / 2);
	log_info("edge.drain.closing", I("connections", clients_sockets(clients)));
}

/* Close as many as are due since the last check, at --drain-rate or what --drain-timeout needs. */
static void pace(struct drain *d, int64_t now)
{
	int64_t left = paced_left(&d->paced), rate = d->conf.rate;
	int64_t time = d->closed_ms - now;

	if (time <= 0)
		rate = PACED_ALL;
	else if (left * 1000 / time > rate)
		rate = left * 1000 / time;
	paced_close(&d->paced, d->uses.clients, now, rate, UINT32_MAX);
}

static void cut_one(void *arg, struct connection *c)
{
	struct end_words words = connection_drain_words(arg);

	connection_end(c, CAUSE_DRAIN_OVER, &words);
}

static void close_all_now(struct drain *d)
{
	struct clients *clients = d->uses.clients;

	if (clients_sockets(clients) > 0)
		log_info("edge.drain.timeout",
			 I("connections", clients_sockets(clients)));
	registry_each(clients->registry, 0, UINT32_MAX, cut_one, clients);
}

static void wait_for_acks(struct drain *d, int64_t within_ms)
{
	int64_t until = loop_now(d->uses.loop) + within_ms;

	if (d->phase == HANDING_OVER && d->until_ms < until)
		return; /* a second signal does not make it longer */
	d->phase = HANDING_OVER;
	d->until_ms = until;
}

/* Leaving is sent at the end of this turn; brokers then stop renewing our lease. */
static void leave(struct drain *d)
{
	timer_stop(d->look);
	uplink_leave(d->uses.uplink);
	loop_stop(d->uses.loop);
}

void drain_free(struct drain *d)
{
	if (d == NULL)
		return;
	timer_free(d->look);
	paced_end(&d->paced);
	free(d);
}
