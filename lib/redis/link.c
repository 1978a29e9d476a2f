#include "redis/internal.h"

#include "base/log.h"
#include "redis/greet.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum { BACKOFF_LEAST_MS = 50, BACKOFF_MOST_MS = 2000 };

/* The last field of a line; no field when the connection has no name. */
#define NAME(r) S((r)->conf.name ? "connection" : NULL, (r)->conf.name)

static const char *const state_names[STATES] = {"down", "finding", "connecting",
						"greeting", "up"};

static const unsigned allowed[STATES] = {
	[DOWN] = 1u << FINDING | 1u << CONNECTING,
	[FINDING] = 1u << CONNECTING | 1u << DOWN,
	[CONNECTING] = 1u << GREETING | 1u << DOWN,
	[GREETING] = 1u << UP | 1u << DOWN,
	[UP] = 1u << DOWN,
};

static void on_master(void *arg, const struct redis_place *master,
		      const struct redis_end *why);
static void connect_now(struct redis *r);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void greet(struct redis *r);
static void lose(struct redis *r, const struct redis_end *end);
static void hang_up(struct redis *r);
static void on_life(void *arg);

void redis_link_open(struct redis *r)
{
	const struct redis_tls *tls = &r->conf.tls;

	r->backoff_ms = BACKOFF_LEAST_MS;
	redis_dial_init(&r->dial, loop_base(r->loop), tls);
	r->dial.on_readable = redis_on_readable;
	r->dial.on_event = on_event;
	r->dial.arg = r;
	if (r->url.sentinels.n > 0)
		r->sentinel = redis_sentinel_new(r->loop, &r->url, tls,
						 r->conf.timeout_ms, on_master, r);
	r->life = timer_new(r->loop, on_life, r);
	timer_after(r->life, 0);
}

void redis_link_close(struct redis *r)
{
	hang_up(r);
	redis_dial_close(&r->dial);
	redis_sentinel_free(r->sentinel);
	timer_free(r->life);
}

/* The one place that writes r->state. */
static void enter(struct redis *r, enum redis_state next)
{
	assert(allowed[r->state] & 1u << next);
	log_debug("redis.state", S("address", r->url.shown),
		  S("from", state_names[r->state]), S("to", state_names[next]));
	r->state = next;
}

/* ---- connecting ---- */

static void begin(struct redis *r)
{
	if (r->sentinel == NULL) {
		connect_now(r);
		return;
	}
	enter(r, FINDING);
	redis_sentinel_ask(r->sentinel);
}

static void on_master(void *arg, const struct redis_place *master,
		      const struct redis_end *why)
{
	struct redis *r = arg;
	struct redis_end end;

	if (master != NULL) {
		redis_url_set_place(&r->url, master);
		connect_now(r);
		return;
	}
	redis_end_set(&end, why->hint, "no sentinel knows the master; the last one: %s",
		      why->why);
	lose(r, &end);
}

static void connect_now(struct redis *r)
{
	struct redis_end end;

	enter(r, CONNECTING);
	r->dial.attempts++;
	if (!redis_dial(&r->dial, &r->url, &end)) {
		lose(r, &end);
		return;
	}
	r->reader = redis_replies_reader(&r->replies);
	timer_after(r->life, r->conf.timeout_ms);
}

/* Libevent's words into ours, and nothing else. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct redis *r = arg;
	struct redis_end end;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		greet(r);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		redis_dial_why(&r->dial, what, &end);
		lose(r, &end);
	}
}

static void on_life(void *arg)
{
	struct redis *r = arg;

	if (r->state == DOWN)
		begin(r);
	else
		redis_link_lose(r, "connect timed out", NULL);
}

/* ---- greeting ---- */

static void on_greeted(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;

	(void)reply;
	if (e == ERR_DOWN)
		redis_link_lose(r, "connect timed out", NULL);
	else if (e != OK)
		redis_link_lose(r, "Redis refused the login",
				"see redis.refused, the line before");
}

/* A user without permission for ROLE is accepted: READONLY shows it later. */
static void on_role(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;
	struct redis_end end;

	if (e != OK)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		log_debug("redis.role", S("address", r->url.shown), S("why", reply->str));
	else if (!redis_greet_is_master(reply, &end))
		lose(r, &end);
}

static void on_ping(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;

	on_greeted(r, e, reply);
	if (e != OK)
		return;
	enter(r, UP);
	r->backoff_ms = BACKOFF_LEAST_MS;
	r->dial.attempts = 0;
	timer_stop(r->life);
	log_info("redis.up", S("address", r->url.shown), NAME(r));
	if (r->on_up != NULL)
		r->on_up(r->on_up_arg);
}

static void greet(struct redis *r)
{
	static redis_reply_fn *const fns[REDIS_GREET_STEPS] = {
		[REDIS_GREET_AUTH] = on_greeted,
		[REDIS_GREET_SELECT] = on_greeted,
		[REDIS_GREET_ROLE] = on_role,
		[REDIS_GREET_PING] = on_ping,
	};
	int on = 1;

	enter(r, GREETING);
	if (r->url.path[0] == '\0')
		setsockopt(bufferevent_getfd(r->dial.bev), IPPROTO_TCP, TCP_NODELAY, &on,
			   sizeof on);
	for (enum redis_greet_step step = 0; step < REDIS_GREET_STEPS; step++) {
		struct redis_greet_words w;
		struct request *q;

		redis_greet_say(step, &r->url, &w);
		if (w.argc == 0)
			continue;
		q = request_new(fns[step], r, w.argc, w.argv, NULL);
		q->takes_errors = step == REDIS_GREET_ROLE;
		redis_send(r, q, w.argc, w.argv, NULL);
	}
}

/* ---- the end of a link ---- */

static int64_t jittered(int64_t ms)
{
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof random);
	return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

void redis_link_lose(struct redis *r, const char *why, const char *hint)
{
	struct redis_end end;

	redis_end_set(&end, hint, "%s", why);
	lose(r, &end);
}

static void hang_up(struct redis *r)
{
	redis_dial_stop(&r->dial);
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

static void lose(struct redis *r, const struct redis_end *end)
{
	int64_t wait = jittered(r->backoff_ms);

	if (r->state == DOWN)
		return;
	log_warn_flood(
		"redis.down", S("address", r->url.shown), S("why", end->why),
		I("waiting", r->sent.n), I("retry_in_ms", wait),
		S("hint",
		  end->hint != NULL
			  ? end->hint
			  : "start Redis there, or set --redis to another address"),
		NAME(r));
	metric_add(r->meter.losses, r->state == UP);
	if (r->state == UP)
		r->lost_ms = loop_now(r->loop);
	enter(r, DOWN);
	hang_up(r);
	r->backoff_ms =
		r->backoff_ms * 2 < BACKOFF_MOST_MS ? r->backoff_ms * 2 : BACKOFF_MOST_MS;
	timer_after(r->life, wait);
	redis_fail_sent(r);
}
