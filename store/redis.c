#include "store/redis.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/redis_dial.h"
#include "store/redis_error.h"
#include "store/redis_meter.h"
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

enum state { DOWN, CONNECTING, GREETING, UP, STATES };

static const char *const state_names[STATES] = {"down", "connecting", "greeting", "up"};

static const unsigned allowed[STATES] = {
	[DOWN] = 1u << CONNECTING,
	[CONNECTING] = 1u << GREETING | 1u << DOWN,
	[GREETING] = 1u << UP | 1u << DOWN,
	[UP] = 1u << DOWN,
};

struct redis {
	struct loop *loop;
	struct redis_url url;
	struct redis_conf conf;
	enum state state;
	struct bufferevent *bev;
	redisReader *reader;
	struct redis_dial dial;
	struct timer
		*life; /* DOWN: connect again; CONNECTING, GREETING: it took too long */
	struct timer *deadlines;
	struct timer *next_turn;
	int64_t watch_at; /* when deadlines comes; 0: it does not run */
	int calling;      /* how many fn are on the stack */
	int64_t backoff_ms;
	struct requests sent;
	struct requests refused; /* answered on the next turn */
	loop_fn *on_up;
	void *on_up_arg;
	struct redis_meter meter;
};

static void connect_now(struct redis *r);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_readable(struct bufferevent *bev, void *arg);
static void greet(struct redis *r);
static void lose(struct redis *r, const char *why);
static void on_life(void *arg);
static void on_deadlines(void *arg);
static void on_next_turn(void *arg);
static void ask_gauges(struct redis *r, struct metrics *m);

struct redis *redis_new(struct loop *l, const struct redis_conf *conf, struct metrics *m)
{
	struct redis_url url;
	char why[256];

	if (redis_url_parse(conf->url, &url, why, sizeof why) != OK) {
		log_error("redis.url", S("setting", "redis"), S("err", why));
		return NULL;
	}

	struct redis *r = xcalloc(1, sizeof *r);

	r->loop = l;
	r->url = url;
	r->conf = *conf;
	r->conf.url = NULL;
	r->backoff_ms = BACKOFF_LEAST_MS;
	redis_dial_init(&r->dial, loop_base(l));
	r->life = timer_new(l, on_life, r);
	r->deadlines = timer_new(l, on_deadlines, r);
	r->next_turn = timer_new(l, on_next_turn, r);
	redis_meter_init(&r->meter, m);
	if (m != NULL)
		ask_gauges(r, m);
	timer_after(r->life, 0);
	return r;
}

void redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	assert(r->calling == 0);
	if (r->bev != NULL)
		bufferevent_free(r->bev);
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	redis_dial_close(&r->dial);
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

static void connect_now(struct redis *r)
{
	enter(r, CONNECTING);
	/* deferred: no callback of ours from inside a call of ours */
	r->bev = bufferevent_socket_new(loop_base(r->loop), -1,
					BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	r->reader = redisReaderCreate();
	assert(r->bev != NULL && r->reader != NULL);
	bufferevent_setcb(r->bev, on_readable, NULL, on_event, r);
	bufferevent_enable(r->bev, EV_READ | EV_WRITE);
	timer_after(r->life, r->conf.timeout_ms);
	if (!redis_dial(&r->dial, &r->url, r->bev))
		lose(r, redis_dial_why(r->bev, BEV_EVENT_ERROR));
}

/* Libevent's words into ours, and nothing else. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct redis *r = arg;

	if (what & BEV_EVENT_CONNECTED)
		greet(r);
	else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		lose(r, redis_dial_why(bev, what));
}

static void on_life(void *arg)
{
	struct redis *r = arg;

	if (r->state == DOWN)
		connect_now(r);
	else
		lose(r, "it took too long to connect");
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
		lose(r, "Redis does not answer");
	watch_deadlines(r);
}

/* Takes q, whose bytes are at wire. */
static void send_bytes(struct redis *r, struct request *q, const char *wire, size_t n)
{
	q->due_ms = loop_now(r->loop) + r->conf.timeout_ms;
	bufferevent_write(r->bev, wire, n);
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
	send_bytes(r, q, wire, (size_t)n);
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
		void *arg, int nkeys, int argc, const char **argv, const size_t *lens)
{
	enum { HEAD = 3 };
	size_t n = HEAD + (size_t)argc;
	const char **words = xcalloc(n, sizeof *words);
	size_t *sizes = xcalloc(n, sizeof *sizes);
	char keys[12];
	enum err e = admits(r);

	assert(nkeys <= argc);
	snprintf(keys, sizeof keys, "%d", nkeys);
	words[0] = "EVALSHA";
	words[1] = s->sha1;
	words[2] = keys;
	memcpy(words + HEAD, argv, (size_t)argc * sizeof *argv);
	for (size_t i = 0; i < n; i++)
		sizes[i] = i < HEAD || lens == NULL ? strlen(words[i]) : lens[i - HEAD];

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

/* *N $7 EVALSHA $40 <sha> and the rest becomes *N $4 EVAL $n <text> and the same rest. Takes q. */
static void send_script_text(struct redis *r, struct request *q)
{
	static const char before_rest[] = "\r\n$7\r\nEVALSHA\r\n$40\r\n";
	const char *line_end = memchr(q->wire, '\r', q->wire_n);
	size_t head = (size_t)(line_end - q->wire);
	size_t rest = head + strlen(before_rest) + 40;
	struct evbuffer *out = bufferevent_get_output(r->bev);

	evbuffer_add(out, q->wire, head);
	evbuffer_add_printf(out, "\r\n$4\r\nEVAL\r\n$%zu\r\n", q->script->n);
	evbuffer_add(out, q->script->text, q->script->n);
	q->script = NULL;
	send_bytes(r, q, q->wire + rest, q->wire_n - rest);
}

/* ---- replies ---- */

static void take_error(struct redis *r, struct request *q, const redisReply *reply)
{
	if (q->script != NULL && q->fn != NULL && redis_error_is_noscript(reply->str)) {
		send_script_text(r, q);
		return;
	}
	answer(r, q, redis_error_take(reply->str, q->command, q->key), NULL);
	request_free(q);
}

static void take_reply(struct redis *r, const redisReply *reply)
{
	struct request *q = requests_pop(&r->sent);

	if (q == NULL) {
		lose(r, "Redis answered what nobody had asked");
		return;
	}
	metric_add(r->meter.seconds, now_us() - q->begun_us);
	if (reply->type == REDIS_REPLY_ERROR) {
		take_error(r, q, reply);
		return;
	}
	answer(r, q, OK, reply);
	request_free(q);
}

/* Move what came into the reader. */
static bool feed(struct redis *r, struct evbuffer *in)
{
	struct evbuffer_iovec piece;

	while (evbuffer_get_length(in) > 0) {
		evbuffer_peek(in, -1, NULL, &piece, 1);
		if (redisReaderFeed(r->reader, piece.iov_base, piece.iov_len) != REDIS_OK)
			return false;
		evbuffer_drain(in, piece.iov_len);
	}
	return true;
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct redis *r = arg;
	void *reply = NULL;

	if (!feed(r, bufferevent_get_input(bev))) {
		lose(r, "not a reply of Redis");
		return;
	}
	/* an answer may lose the connection, and the reader with it */
	while (r->reader != NULL) {
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
			lose(r, "not a reply of Redis");
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
	if (e != OK)
		lose(r, "Redis does not let us in");
}

/* PING comes last: it is refused to those who had to log in, and while Redis loads its data. */
static void on_ping(void *arg, enum err e, const redisReply *reply)
{
	struct redis *r = arg;

	(void)reply;
	if (r->state != GREETING)
		return;
	if (e != OK) {
		lose(r, "Redis does not let us in");
		return;
	}
	enter(r, UP);
	r->backoff_ms = BACKOFF_LEAST_MS;
	r->dial.attempts = 0;
	timer_stop(r->life);
	log_info("redis.up", S("address", r->url.shown));
	if (r->on_up != NULL)
		r->on_up(r->on_up_arg);
}

static void greet_with(struct redis *r, redis_reply_fn *fn, int argc, const char **argv)
{
	send_words(r, request_new(fn, r, argc, argv, NULL), argc, argv, NULL);
}

static void greet(struct redis *r)
{
	const struct redis_url *u = &r->url;
	char db[12];
	int on = 1;

	enter(r, GREETING);
	if (u->path[0] == '\0')
		setsockopt(bufferevent_getfd(r->bev), IPPROTO_TCP, TCP_NODELAY, &on,
			   sizeof on);
	snprintf(db, sizeof db, "%u", u->db);
	if (u->user[0] != '\0')
		greet_with(r, on_greeted, 3,
			   (const char *[]){"AUTH", u->user, u->password});
	else if (u->password[0] != '\0')
		greet_with(r, on_greeted, 2, (const char *[]){"AUTH", u->password});
	if (u->db != 0)
		greet_with(r, on_greeted, 2, (const char *[]){"SELECT", db});
	greet_with(r, on_ping, 1, (const char *[]){"PING"});
}

/* ---- the end of a connection ---- */

static void lose(struct redis *r, const char *why)
{
	struct requests lost = r->sent;
	int64_t wait = jittered(r->backoff_ms);

	if (r->state == DOWN)
		return;
	log_warn_flood("redis.down", S("address", r->url.shown), S("err", why),
		       I("waiting", lost.n), I("retry_in_ms", wait),
		       S("do", "start Redis there, or give --redis another address"));
	metric_add(r->meter.losses, r->state == UP);
	enter(r, DOWN);
	bufferevent_free(r->bev);
	redisReaderFree(r->reader);
	r->bev = NULL;
	r->reader = NULL;
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

/* ---- metrics ---- */

static int64_t ask_up(void *arg)
{
	return redis_is_up(arg);
}

static int64_t ask_in_flight(void *arg)
{
	const struct redis *r = arg;

	return (int64_t)r->sent.n;
}

static void ask_gauges(struct redis *r, struct metrics *m)
{
	metric_asked_gauge(m, "gatepost_redis_up", NULL, "1 while Redis can be asked.",
			   ask_up, r);
	metric_asked_gauge(m, "gatepost_redis_in_flight", NULL,
			   "Requests that wait for Redis.", ask_in_flight, r);
}
