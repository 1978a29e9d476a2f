#include "redis/internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "redis/error.h"
#include "redis/feed.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	LIBEVENT_READ = 4096, /* bytes that libevent reads in a turn */
	READ_MOST = 64 << 10, /* bytes that are read behind those */
};

static void on_deadlines(void *arg);
static void on_next_turn(void *arg);

/* Are the settings valid? If not, an error line names the mistake. */
static bool read_conf(const struct redis_conf *conf, struct redis_url *url)
{
	struct redis_end end;
	char why[256];

	if (redis_url_parse(conf->url, url, why, sizeof why) != OK) {
		log_error("redis.url", S("setting", "redis"), S("why", why));
		return false;
	}
	if (url->tls && !redis_tls_check(&conf->tls, &end)) {
		log_error("redis.tls", S("why", end.why), S("hint", end.hint));
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
	r->deadlines = timer_new(l, on_deadlines, r);
	r->next_turn = timer_new(l, on_next_turn, r);
	redis_meter_init(&r->meter, m, conf->name, r);
	redis_link_open(r);
	return r;
}

void redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	assert(r->calling == 0);
	redis_link_close(r);
	timer_free(r->deadlines);
	timer_free(r->next_turn);
	requests_close(&r->sent);
	requests_close(&r->refused);
	arena_free(r->replies);
	explicit_bzero(&r->url, sizeof r->url);
	free(r);
}

bool redis_is_up(const struct redis *r)
{
	return r->state == UP;
}

size_t redis_in_flight(const struct redis *r)
{
	return r->sent.n;
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
		redis_link_lose(r, "Redis does not answer", NULL);
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

void redis_send(struct redis *r, struct request *q, int argc, const char **argv,
		const size_t *lens)
{
	size_t n;
	char *wire = request_format(argc, argv, lens, &n);

	q->begun_us = now_us();
	metric_add(r->meter.requests, 1);
	bufferevent_write(r->dial.bev, wire, n);
	await(r, q);
	if (q->script == NULL) {
		free(wire);
	} else {
		q->wire = wire;
		q->wire_n = n;
	}
}

void redis_fail_sent(struct redis *r)
{
	struct requests lost = r->sent;

	r->sent = (struct requests){0};
	for (struct request *q = requests_pop(&lost); q != NULL;
	     q = requests_pop(&lost)) {
		answer(r, q, ERR_DOWN, NULL);
		request_free(q);
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
		redis_send(r, q, argc, argv, lens);
	else
		refuse(r, q, e);
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
		redis_send(r, q, (int)n, words, sizes);
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

static void leave_replica(struct redis *r)
{
	redis_link_lose(r, "server became a replica",
			"set --redis to the master, or to its sentinels");
}

enum err redis_error_within(struct redis *r, const redisReply *error, struct span key)
{
	char text[80];
	enum err e;

	snprintf(text, sizeof text, "%.*s", SPAN_ARG(key));
	e = redis_error_take(error->str, "EVALSHA", text);
	metric_add(r->meter.errors[e], 1);
	if (redis_error_is_replica(error->str))
		r->was_demoted = true;
	return e;
}

static void take_error(struct redis *r, struct request *q, const redisReply *reply)
{
	bool demoted = redis_error_is_replica(reply->str);
	char keys[512];

	if (q->script != NULL && redis_error_is_noscript(reply->str)) {
		if (q->fn != NULL)
			send_script_text(r, q);
		else /* it was too late before, and nothing was done */
			request_free(q);
		return;
	}
	answer(r, q,
	       redis_error_take(reply->str, q->command,
				request_keys(q, keys, sizeof keys)),
	       NULL);
	request_free(q);
	if (demoted)
		leave_replica(r);
}

static void take_reply(struct redis *r, const redisReply *reply)
{
	struct request *q = requests_pop(&r->sent);

	if (q == NULL) {
		redis_link_lose(r, "unexpected reply", NULL);
		return;
	}
	metric_add(r->meter.seconds, now_us() - q->begun_us);
	if (reply->type == REDIS_REPLY_ERROR && !q->takes_errors) {
		take_error(r, q, reply);
		return;
	}
	r->was_demoted = false;
	answer(r, q, OK, reply);
	request_free(q);
	if (r->was_demoted)
		leave_replica(r);
}

/* Take the replies that are whole. False when the link has ended. */
static bool take_replies(struct redis *r)
{
	void *reply = NULL;

	/* an answer may lose the connection, and the reader with it */
	while (r->reader != NULL) {
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
			redis_link_lose(r, "not a Redis reply", NULL);
			return false;
		}
		if (reply == NULL)
			return true;
		take_reply(r, reply);
		redis_replies_done(&r->replies);
	}
	return false;
}

/*
 * libevent 2.1 reads at most 4,096 bytes of a socket in a turn (EVBUFFER_MAX_READ), whatever
 * it is told: when it has read as many, the rest is read here. The end of the stream, and
 * errors, are left for libevent to see.
 */
static void read_rest(struct redis *r, int fd)
{
	char bytes[READ_MOST];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n <= 0)
		return;
	if (redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
		redis_link_lose(r, "not a Redis reply", NULL);
	else
		take_replies(r);
}

void redis_on_readable(struct bufferevent *bev, void *arg)
{
	struct redis *r = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	int fd = bufferevent_getfd(bev);
	/* through TLS libevent reads up to the end of a record, of at most 16 KiB */
	bool has_rest = !r->url.tls && evbuffer_get_length(in) >= LIBEVENT_READ;

	if (!redis_feed(r->reader, in)) {
		redis_link_lose(r, "not a Redis reply", NULL);
		return;
	}
	if (take_replies(r) && has_rest)
		read_rest(r, fd);
}
