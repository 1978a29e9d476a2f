/*
 * A socket: bytes kept and bytes to write, which events it waits for, and its end.
 */
#include "http/server_internal.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- bytes that are kept ---- */

struct span server_connection_input(const struct http_connection *c)
{
	return span_of(c->in.p + c->in.at, c->in.n - c->in.at);
}

void server_connection_keep(struct http_connection *c, struct span in)
{
	struct kept *k = &c->in;

	if (in.n == 0)
		return;
	if (k->room - k->n < in.n && k->at > 0) {
		k->n -= k->at;
		memmove(k->p, k->p + k->at, k->n);
		k->at = 0;
	}
	if (k->room - k->n < in.n) {
		k->room = k->n + in.n > 2 * k->room ? k->n + in.n : 2 * k->room;
		k->p = xrealloc(k->p, k->room);
	}
	memcpy(k->p + k->n, in.p, in.n);
	k->n += in.n;
}

void server_connection_use(struct http_connection *c, size_t used)
{
	struct kept *k = &c->in;

	k->at += used;
	if (k->at < k->n)
		return;
	free(k->p);
	*k = (struct kept){0};
}

/* ---- events ---- */

/* While a request is handled, its client's end must be seen; what is pipelined may wait. */
static bool wants_to_read(const struct http_connection *c)
{
	if (c->state == GONE || c->half_closed)
		return false;
	return c->state == HEAD || c->state == BODY || c->leaving ||
	       server_connection_input(c).n < AHEAD_MOST;
}

static void set_event(struct event *e, bool *is, bool wanted)
{
	if (*is == wanted)
		return;
	*is = wanted;
	if (wanted)
		event_add(e, NULL);
	else
		event_del(e);
}

void server_connection_update(struct http_connection *c)
{
	set_event(&c->readable, &c->reading, wants_to_read(c));
	set_event(&c->writable, &c->writing, c->out != NULL && c->state != GONE);
}

void server_connection_add_todo(struct http_connection *c)
{
	if (c->is_todo)
		return;
	c->is_todo = true;
	TAILQ_INSERT_TAIL(&c->server->todo, c, todo);
	timer_after(c->server->turn, 0);
}

void server_connection_set_open(struct http_connection *c, bool open)
{
	struct http_server *s = c->server;

	if (c->is_open)
		TAILQ_REMOVE(&s->open, c, open);
	if (open)
		TAILQ_INSERT_TAIL(&s->open, c, open);
	c->is_open = open;
}

/* ---- bytes to write ---- */

/* What has been sent of the answer is all of it: the next request, or no other. */
static void finish_answer(struct http_connection *c)
{
	if (!c->leaving) {
		c->state = HEAD;
	} else if (c->half_closed) {
		server_connection_drop(c);
	} else {
		c->state = LINGER;
		c->since_ms = loop_now(c->server->loop);
		shutdown(c->fd, SHUT_WR);
	}
}

static void after_write(struct http_connection *c, bool failed)
{
	if (c->out != NULL && evbuffer_get_length(c->out) == 0) {
		evbuffer_free(c->out);
		c->out = NULL;
	}
	if (failed)
		server_connection_drop(c);
	else if (c->out == NULL && c->state == ANSWER)
		finish_answer(c);
	server_bounds_recount(c);
}

void server_connection_flush(struct http_connection *c)
{
	while (evbuffer_get_length(c->out) > 0)
		if (evbuffer_write(c->out, c->fd) <= 0)
			break;
	after_write(c,
		    evbuffer_get_length(c->out) > 0 && errno != EAGAIN && errno != EINTR);
}

struct evbuffer *server_connection_output(struct http_connection *c)
{
	if (c->out == NULL)
		c->out = evbuffer_new();
	assert(c->out != NULL);
	return c->out;
}

void server_connection_send(struct http_connection *c, struct span bytes)
{
	ssize_t n = 0;

	if (c->out == NULL)
		n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		after_write(c, true);
		return;
	}
	n = n > 0 ? n : 0;
	if ((size_t)n < bytes.n)
		evbuffer_add(server_connection_output(c), bytes.p + n,
			     bytes.n - (size_t)n);
	after_write(c, false);
}

/* ---- the end ---- */

void server_connection_end_work(struct http_connection *c)
{
	struct work *w = c->work;

	if (w == NULL)
		return;
	c->work = NULL;
	c->server->waiting -= w->is_kept;
	free(w->head);
	free(w->body);
	free(w);
}

void server_connection_drop(struct http_connection *c)
{
	struct http_server *s = c->server;

	if (c->state == GONE)
		return;
	c->state = GONE;
	server_connection_set_open(c, false);
	server_connection_update(c);
	close(c->fd);
	s->n--;
	s->leaving -= c->leaving;
	server_bounds_set_listening(s, s->n >= s->conf.connections + SPARE, s->is_paused);
	server_connection_add_todo(c);
}

/* ---- for its owner ---- */

void http_connection_watch(struct http_connection *c, http_gone_fn *gone, void *arg)
{
	c->gone = gone;
	c->arg = arg;
}

void *http_connection_watcher(const struct http_connection *c)
{
	return c->arg;
}

const struct sockaddr *http_connection_peer(const struct http_connection *c)
{
	return &c->peer.sa;
}
