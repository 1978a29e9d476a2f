#include "store/redis.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/redis_dial.h"
#include "store/redis_error.h"
#include "store/redis_feed.h"
#include "store/redis_greet.h"
#include "store/redis_meter.h"
#include "store/redis_sentinel.h"
#include "store/redis_url.h"
#include "store/request.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BACKOFF_LEAST_MS = 50, BACKOFF_MOST_MS = 2000, WORDS_MOST = 16 };

enum state { DOWN, FINDING, CONNECTING, GREETING, UP, STATES };

static const char *const state_names[STATES] = {"down", "finding", "connecting",
						"greeting", "up"};

static const unsigned allowed[STATES] = {
	[DOWN] = 1u << FINDING | 1u << CONNECTING,
	[FINDING] = 1u << CONNECTING | 1u << DOWN,
	[CONNECTING] = 1u << GREETING | 1u << DOWN,
	[GREETING] = 1u << UP | 1u << DOWN,
	[UP] = 1u << DOWN,
};

struct redis {
	struct loop *loop;
	struct redis_url url;
	struct redis_conf conf;
	enum state state;
	redisReader *reader;
	struct redis_dial dial;
	struct redis_sentinel *sentinel; /* NULL: the URL says where Redis is */
	struct timer
		*life; /* DOWN: connect again; CONNECTING, GREETING: it took too long */
	struct timer *deadlines;
	struct timer *next_turn;
	int64_t watch_at; /* when deadlines comes; 0: it does not run */
	int calling;      /* how many fn are on the stack */
	int64_t backoff_ms;
	int64_t lost_ms; /* when the last connection that was up ended; 0: none has */
	struct requests sent;
	struct requests refused; /* answered on the next turn */
	loop_fn *on_up;
	void *on_up_arg;
	struct redis_meter meter;
};

static void on_master(void *arg, const struct redis_place *master,
		      const struct redis_end *why);
static void connect_now(struct redis *r);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_readable(struct bufferevent *bev, void *arg);
static void greet(struct redis *r);
static void lose(struct redis *r, const struct redis_end *end);
static void lose_for(struct redis *r, const char *why, const char *todo);
static void hang_up(struct redis *r);
static void on_life(void *arg);
static void on_deadlines(void *arg);
static void on_next_turn(void *arg);

/* Is all that the settings name as it should be? Else after a line that says what is not. */
static bool read_conf(const struct redis_conf *conf, struct redis_url *url)
{
	struct redis_end end;
	char why[256];

	if (redis_url_parse(conf->url, url, why, sizeof why) != OK) {
		log_error("redis.url", S("setting", "redis"), S("err", why));
		return false;
	}
	if (url->tls && !redis_tls_check(&conf->tls, &end)) {
		log_error("redis.tls", S("err", end.why), S("do", end.todo));
		return false;
	}
	return true;
}

struct redis *redis_new(struct loop *l, const struct redis_conf *conf, struct metrics *m)
{
	struct redis_url url;

	if (!read_conf(conf, &url))
		return NULL;

	struct redis *r = xcalloc(1, sizeof *r);

	r->loop = l;
	r->url = url;
	r->conf = *conf;
	r->conf.url = NULL;
	r->backoff_ms = BACKOFF_LEAST_MS;
	redis_dial_init(&r->dial, loop_base(l), &conf->tls);
	r->dial.on_readable = on_readable;
	r->dial.on_event = on_event;
	r->dial.arg = r;
	if (url.sentinels.n > 0)
		r->sentinel = redis_sentinel_new(l, &r->url, &conf->tls, conf->timeout_ms,
						 on_master, r);
	r->life = timer_new(l, on_life, r);
	r->deadlines = timer_new(l, on_deadlines, r);
	r->next_turn = timer_new(l, on_next_turn, r);
	redis_meter_init(&r->meter, m, r);
	timer_after(r->life, 0);
	return r;
}

void redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	assert(r->calling == 0);
	hang_up(r);
	redis_dial_close(&r->dial);
	redis_sentinel_free(r->sentinel);
	timer_free(r->life);
	timer_free(r->deadlines);
	timer_free(r->next_turn);
	requests_close(&r->sent);
	requests_close(&r->refused);
	explicit_bzero(&r->url, sizeof r->url);
	free(r);
}

bool redis_is_up(const struct redis *r)
{
	return r->state == UP;
}

int64_t redis_lost_ms(const struct redis *r)
{
	return r->lost_ms;
}

void redis_on_up(struct redis *r, loop_fn *fn, void *arg)
{
	r->on_up = fn;
	r->on_up_arg = arg;
}

/* The one place that writes r->state. */
static void enter(struct redis *r, enum state next)
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
	redis_end_say(&end, why->todo,
		      "no sentinel says who is the master; the last one: %s", why->why);
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
	r->reader = redisReaderCreate();
	assert(r->reader != NULL);
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
		lose_for(r, "it took too long to connect", NULL);
}

static int64_t jittered(int64_t ms)
{
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof random);
	return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

/* ---- requests ---- */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Call q's fn, once. */
static void answer(struct redis *r, struct request *q, enum err e,
		   const redisReply *reply)
{
	redis_reply_fn *fn = q->fn;

	if (fn == NULL)
		return;
	q->fn = NULL;
	if (e != OK)
		metric_add(r->meter.errors[e], 1);
	r->calling++;
	fn(q->arg, e, e == OK ? reply : NULL);
	r->calling--;
}

static void refuse(struct redis *r, struct request *q, enum err e)
{
	q->refused = e;
	requests_push(&r->refused, q);
	timer_after(r->next_turn, 0);
}

/* Those that come while these are answered have to wait for one turn more. */
static void on_next_turn(void *arg)
{
	struct redis *r = arg;
	struct requests now = r->refused;

	r->refused = (struct requests){0};
	for (struct request *q = requests_pop(&now); q != NULL; q = requests_pop(&now)) {
		answer(r, q, q->refused, NULL);
		request_free(q);
	}
}

static void watch_deadlines(struct redis *r)
{
	const struct request *head = r->sent.head, *due = r->sent.due;
	int64_t now = loop_now(r->loop);

	r->watch_at = 0;
	if (head == NULL)
		return;
	r->watch_at = head->due_ms - r->conf.timeout_ms + r->conf.stall_ms;
	if (due != NULL && due->due_ms < r->watch_at)
		r->watch_at = due->due_ms;
	timer_after(r->deadlines, r->watch_at > now ? r->watch_at - now : 0);
}

/* Set for the oldest at the time, not for each, so that a request costs no timer. */
static void on_deadlines(void *arg)
{
	struct redis *r = arg;
	int64_t now = loop_now(r->loop);
	struct request *q;

	while ((q = requests_expire(&r->sent, now)) != NULL) {
		metric_add(r->meter.late, q->fn != NULL);
		answer(r, q, ERR_DOWN, NULL);
	}
	q = r->sent.head;
	if (q != NULL && now - (q->due_ms - r->conf.timeout_ms) >= r->conf.stall_ms)
		lose_for(r, "Redis does not answer", NULL);
	watch_deadlines(r);
}

/* Takes q, whose bytes were written. */
static void await(struct redis *r, struct request *q)
{
	q->due_ms = loop_now(r->loop) + r->conf.timeout_ms;
	requests_push(&r->sent, q);
	if (r->watch_at == 0 || r->watch_at > q->due_ms)
		watch_deadlines(r);
}

static void send_words(struct redis *r, struct request *q, int argc, const char **argv,
		       const size_t *lens)
{
	char *wire = NULL;
	int n = redisFormatCommandArgv(&wire, argc, argv, lens);

	assert(n > 0);
	q->begun_us = now_us();
	metric_add(r->meter.requests, 1);
	bufferevent_write(r->dial.bev, wire, (size_t)n);
	await(r, q);
	if (q->script == NULL) {
		redisFreeCommand(wire);
	} else {
		q->wire = wire;
		q->wire_n = (size_t)n;
	}
}

/* May another one be sent? If not, why. */
static enum err admits(const struct redis *r)
{
	if (r->state != UP)
		return ERR_DOWN;
	return r->sent.n < (size_t)r->conf.max_in_flight ? OK : ERR_BUSY;
}

void redis_call(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
		const char **argv, const size_t *lens)
{
	struct request *q = request_new(fn, arg, argc, argv, lens);
	enum err e = admits(r);

	if (e == OK)
		send_words(r, q, argc, argv, lens);
	else
		refuse(r, q, e);
}

void redis_words(struct redis *r, redis_reply_fn *fn, void *arg, ...)
{
	const char *words[WORDS_MOST];
	int n = 0;
	va_list ap;

	va_start(ap, arg);
	for (const char *w = va_arg(ap, const char *); w != NULL;
	     w = va_arg(ap, const char *)) {
		assert(n < WORDS_MOST);
		words[n++] = w;
	}
	va_end(ap);
	redis_call(r, fn, arg, n, words, NULL);
}

/* ---- scripts ---- */

void redis_eval(struct redis *r, const struct redis_script *s, redis_reply_fn *fn,
		void *arg, const struct redis_args *args)
{
	enum { HEAD = 3 };
	size_t n = HEAD + (size_t)args->n;
	const char **words = xcalloc(n, sizeof *words);
	size_t *sizes = xcalloc(n, sizeof *sizes);
	char keys[12];
	enum err e = admits(r);

	assert(args->keys <= args->n);
	snprintf(keys, sizeof keys, "%d", args->keys);
	words[0] = "EVALSHA";
	words[1] = s->sha1;
	words[2] = keys;
	memcpy(words + HEAD, args->words, (size_t)args->n * sizeof *words);
	for (size_t i = 0; i < n; i++)
		sizes[i] = i < HEAD || args->lens == NULL ? strlen(words[i])
							  : args->lens[i - HEAD];

	struct request *q = request_new(fn, arg, (int)n, words, sizes);

	if (e == OK) {
		q->script = s;
		send_words(r, q, (int)n, words, sizes);
	} else {
		refuse(r, q, e);
	}
	free(sizes);
	free(words);
}

/* Takes q. */
static void send_script_text(struct redis *r, struct request *q)
{
	request_write_text(q, bufferevent_get_output(r->dial.bev));
	await(r, q);
}

/* ---- replies ---- */

static void take_error(struct redis *r, struct request *q, const redisReply *reply)
{
	bool demoted = redis_error_is_replica(reply->str);
	char keys[512];

	if (q->script != NULL && q->fn != NULL && redis_error_is_noscript(reply->str)) {
		send_script_text(r, q);
		return;
	}
	answer(r, q,
	       redis_error_take(reply->str, q->command,
				request_keys(q, keys, sizeof keys)),
	       NULL);
	request_free(q);
	if (demoted)
		lose_for(r, "it has become a replica",
			 "give --redis the master, or its sentinels");
}

static void take_reply(struct redis *r, const redisReply *reply)
{
	struct request *q = requests_pop(&r->sent);

	if (q == NULL) {
		lose_for(r, "Redis answered what nobody had asked", NULL);
		return;
	}
	metric_add(r->meter.seconds, now_us() - q->begun_us);
	if (reply->type == REDIS_REPLY_ERROR && !q->takes_errors) {
		take_error(r, q, reply);
		return;
	}
	answer(r, q, OK, reply);
	request_free(q);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct redis *r = arg;
	void *reply = NULL;

	if (!redis_feed(r->reader, bufferevent_get_input(bev))) {
		lose_for(r, "not a reply of Redis", NULL);
		return;
	}
	/* an answer may lose the connection, and the reader with it */
	while (r->reader != NULL) {
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
			lose_for(r, "not a reply of Redis", NULL);
			return;
		}
		if (reply == NULL)
			return;
		take_reply(r, reply);
		freeReplyObject(reply);
	}
}

/* ---- greeting ---- */

static void on_greeted(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;

	(void)reply;
	if (e == ERR_DOWN)
		lose_for(r, "it took too long to connect", NULL);
	else if (e != OK)
		lose_for(r, "Redis does not let us in",
			 "see redis.refused, the line before");
}

/* A user who may not ask for it is let in all the same: READONLY tells later. */
static void on_role(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;
	struct redis_end end;

	if (e != OK)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		log_debug("redis.role", S("address", r->url.shown), S("err", reply->str));
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
	log_info("redis.up", S("address", r->url.shown));
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
		send_words(r, q, w.argc, w.argv, NULL);
	}
}

/* ---- the end of a connection ---- */

static void lose_for(struct redis *r, const char *why, const char *todo)
{
	struct redis_end end;

	redis_end_say(&end, todo, "%s", why);
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
	struct requests lost = r->sent;
	int64_t wait = jittered(r->backoff_ms);

	if (r->state == DOWN)
		return;
	log_warn_flood(
		"redis.down", S("address", r->url.shown), S("err", end->why),
		I("waiting", lost.n), I("retry_in_ms", wait),
		S("do", end->todo != NULL
				? end->todo
				: "start Redis there, or give --redis another address"));
	metric_add(r->meter.losses, r->state == UP);
	if (r->state == UP)
		r->lost_ms = loop_now(r->loop);
	enter(r, DOWN);
	hang_up(r);
	r->sent = (struct requests){0};
	r->backoff_ms =
		r->backoff_ms * 2 < BACKOFF_MOST_MS ? r->backoff_ms * 2 : BACKOFF_MOST_MS;
	timer_after(r->life, wait);
	for (struct request *q = requests_pop(&lost); q != NULL;
	     q = requests_pop(&lost)) {
		answer(r, q, ERR_DOWN, NULL);
		request_free(q);
	}
}

size_t redis_in_flight(const struct redis *r)
{
	return r->sent.n;
}
