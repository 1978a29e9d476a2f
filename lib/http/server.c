/*
 * The server: its life, what is done on the next turn, and who takes too long. A connection that has
 * ended is freed, and its owner told, on the next turn (on_turn), so never inside a function that its
 * owner called.
 */
#include "http/server_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	LINGER_MS = 2000,
	SWEEP_MS = 1000, /* or a quarter of the timeout */
};

static void on_turn(void *arg);
static void sweep(void *arg);
static void bury(struct http_connection *c);

static int64_t sweep_ms(int64_t timeout_ms)
{
	int64_t quarter = timeout_ms / 4 + 1;

	return timeout_ms > 0 && quarter < SWEEP_MS ? quarter : SWEEP_MS;
}

struct http_server *http_server_new(struct loop *l, const struct http_conf *conf,
				    http_request_fn *handler, void *arg)
{
	struct http_server *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->conf = *conf;
	s->conf.connections = server_bounds_connections(conf->connections);
	s->limits = (struct request_limits){.max_target = conf->max_head,
					    .max_head = conf->max_head,
					    .max_headers = REQUEST_HEADERS};
	s->handler = handler;
	s->arg = arg;
	TAILQ_INIT(&s->open);
	TAILQ_INIT(&s->todo);
	s->turn = timer_new(l, on_turn, s);
	s->sweep = timer_new(l, sweep, s);
	s->pause = timer_new(l, server_accept_on_pause_over, s);
	timer_every(s->sweep, sweep_ms(conf->timeout_ms));
	return s;
}

void http_server_free(struct http_server *s)
{
	struct http_connection *c;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_listeners; i++) {
		close(event_get_fd(s->listeners[i]));
		event_free(s->listeners[i]);
	}
	s->n_listeners = 0;
	while ((c = LIST_FIRST(&s->all)) != NULL) {
		server_connection_drop(c);
		bury(c);
	}
	timer_free(s->turn);
	timer_free(s->sweep);
	timer_free(s->pause);
	free(s);
}

static void on_turn(void *arg)
{
	struct http_server *s = arg;
	struct connections now = TAILQ_HEAD_INITIALIZER(now);
	struct http_connection *c;

	TAILQ_CONCAT(&now, &s->todo, todo);
	while ((c = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, c, todo);
		c->is_todo = false;
		if (c->state == GONE) {
			bury(c);
			continue;
		}
		server_request_feed(c, span_of(NULL, 0));
		server_connection_update(c);
	}
}

static void look_at(struct http_connection *c, int64_t now)
{
	struct http_server *s = c->server;
	int64_t most = s->conf.timeout_ms;

	if (c->state == LINGER && now - c->since_ms > LINGER_MS) {
		server_connection_drop(c);
	} else if (most == 0 || c->state == ASKED || c->state >= LINGER) {
		return;
	} else if (c->state == ANSWER) {
		if (now - c->since_ms <= most)
			return;
		server_bounds_count(s, HTTP_REFUSED_LATE);
		server_connection_drop(c);
	} else if (c->begun_ms != 0 && now - c->begun_ms > most) {
		server_answer_refuse(c, HTTP_REFUSED_LATE, 408,
				     "The request did not arrive in time");
	} else if (c->begun_ms == 0 && now - c->since_ms > most) {
		server_connection_drop(c);
	}
}

static void sweep(void *arg)
{
	struct http_server *s = arg;
	struct http_connection *c;
	int64_t now = loop_now(s->loop);

	LIST_FOREACH (c, &s->all, all)
		look_at(c, now);
}

static void bury(struct http_connection *c)
{
	http_gone_fn *gone = c->work != NULL ? c->work->gone : NULL;
	void *arg = c->work != NULL ? c->work->arg : NULL;

	if (c->is_todo)
		TAILQ_REMOVE(&c->server->todo, c, todo);
	LIST_REMOVE(c, all);
	if (gone != NULL)
		gone(arg);
	server_connection_end_work(c);
	if (c->gone != NULL)
		c->gone(c->arg);
	c->server->held -= c->held;
	if (c->out != NULL)
		evbuffer_free(c->out);
	free(c->in.p);
	free(c);
}
