/*
 * A request, down the page:
 *
 *   server_request_on_readable   bytes → server_request_feed → read_head → (read_body) → dispatch
 */
#include "http/server_internal.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BODY_FIRST = 4096 };

static void begin_body(struct http_connection *c, bool has_more);

static struct work *work_new(struct http_connection *c, struct span head)
{
	struct work *w = xmalloc(sizeof *w);

	/* All but the headers, which request_parse fills. */
	memset((uint8_t *)w + sizeof w->request.head, 0,
	       sizeof *w - sizeof w->request.head);
	w->request.connection = c;
	w->head = (char *)xmalloc(head.n);
	memcpy(w->head, head.p, head.n);
	w->head_n = head.n;
	return w;
}

static void dispatch(struct http_connection *c)
{
	struct http_server *s = c->server;
	struct work *w = c->work;

	w->is_whole = true;
	w->request.body = span_of(w->body, w->n);
	c->state = ASKED;
	server_connection_set_open(c, false);
	if (s->conf.requests > 0 && s->waiting >= s->conf.requests) {
		server_answer_refuse(c, HTTP_REFUSED_REQUESTS, 503,
				     "Too many requests are in progress, retry");
		return;
	}
	s->handler(s->arg, &w->request);
	assert(c->state != ASKED || c->work->is_kept);
}

/* A slow client's head is not parsed for each of its bytes: when a line ends wrongly, or it has doubled. */
static bool is_worth_parsing(struct http_connection *c, struct span in)
{
	bool yes = in.n >= 2 * c->parsed || in.n >= c->server->limits.max_head;

	for (size_t at = c->searched; !yes && at < in.n; at++)
		yes = in.p[at] == '\n' && (at == 0 || in.p[at - 1] != '\r');
	return yes;
}

/* The bytes of the head up to and with its empty line; 0: that is not here yet. */
static size_t find_head(const struct http_connection *c, struct span in)
{
	size_t from = c->searched > 3 ? c->searched - 3 : 0;
	const uint8_t *end = memmem(in.p + from, in.n - from, "\r\n\r\n", 4);

	return end ? (size_t)(end - in.p) + 4 : 0;
}

static void refuse_head(struct http_connection *c, enum err e, const struct request *r)
{
	server_answer_refuse(
		c, e == ERR_TOOBIG ? HTTP_REFUSED_TOO_LARGE : HTTP_REFUSED_MALFORMED,
		r->status, r->why);
}

/* Is what has come of it right so far? */
static void check_part(struct http_connection *c, struct span in)
{
	struct request *r = &c->server->scratch;
	enum err e;

	if (is_worth_parsing(c, in)) {
		e = request_parse(in, &c->server->limits, r);
		c->parsed = in.n;
		if (e != OK && e != ERR_AGAIN)
			refuse_head(c, e, r);
	}
	c->searched = in.n;
}

/* Returns the bytes used; 0 when more must come. */
static size_t read_head(struct http_connection *c, struct span in)
{
	size_t n = find_head(c, in);
	struct work *w;
	enum err e;

	if (c->begun_ms == 0)
		c->begun_ms = loop_now(c->server->loop);
	if (n == 0) {
		check_part(c, in);
		return 0;
	}
	c->searched = c->parsed = 0;
	c->work = w = work_new(c, span_of(in.p, n));
	e = request_parse(span_of(w->head, n), &c->server->limits, &w->request.head);
	if (e == OK)
		begin_body(c, in.n > n);
	else
		refuse_head(c, e, &w->request.head);
	return n;
}

static void begin_body(struct http_connection *c, bool has_more)
{
	struct http_server *s = c->server;
	struct work *w = c->work;
	uint64_t most = s->conf.max_body;
	enum err e;

	if (s->conf.limit != NULL)
		most = s->conf.limit(s->arg, &w->request);
	if (c->state != HEAD || c->work != w)
		return; /* it is answered */
	e = body_begin(&w->reader, &w->request.head, most);
	if (e == ERR_NOTFOUND) {
		dispatch(c);
	} else if (e != OK) {
		server_answer_refuse(c, HTTP_REFUSED_TOO_LARGE, w->reader.status,
				     w->reader.why);
	} else {
		c->state = BODY;
		/* RFC 9110 10.1.1: not when the body comes already. */
		if (w->request.head.expect_continue && !has_more)
			server_connection_send(c,
					       span_str("HTTP/1.1 100 Continue\r\n\r\n"));
	}
}

/* The room grows with what has come, not with what a header promises. */
static void add_content(struct work *w, struct span piece)
{
	int64_t whole = w->request.head.content_length;

	if (piece.n == 0)
		return;
	if (w->room - w->n < piece.n) {
		size_t room = w->room > 0 ? 2 * w->room : BODY_FIRST;

		if (room < w->n + piece.n)
			room = w->n + piece.n;
		if (whole > 0 && room > (uint64_t)whole)
			room = (size_t)whole;
		w->body = xrealloc(w->body, room);
		w->room = room;
	}
	memcpy(w->body + w->n, piece.p, piece.n);
	w->n += piece.n;
}

/* Returns the bytes used. */
static size_t read_body(struct http_connection *c, struct span in)
{
	struct work *w = c->work;
	struct span rest = in, piece;
	enum err e;

	do {
		e = body_read(&w->reader, &rest, &piece);
		if (e == OK || e == ERR_AGAIN)
			add_content(w, piece);
	} while (e == ERR_AGAIN && rest.n > 0);
	if (e == OK)
		dispatch(c);
	else if (e != ERR_AGAIN)
		server_answer_refuse(c,
				     e == ERR_TOOBIG ? HTTP_REFUSED_TOO_LARGE
						     : HTTP_REFUSED_MALFORMED,
				     w->reader.status, w->reader.why);
	return in.n - rest.n;
}

static size_t feed_all(struct http_connection *c, struct span in)
{
	size_t all = 0, used = 1;

	while (used > 0 && all < in.n && (c->state == HEAD || c->state == BODY)) {
		struct span rest = span_of(in.p + all, in.n - all);

		used = c->state == HEAD ? read_head(c, rest) : read_body(c, rest);
		all += used;
	}
	return all;
}

static void check_memory(struct http_connection *c)
{
	struct http_server *s = c->server;

	server_bounds_recount(c);
	if ((c->state == HEAD || c->state == BODY) && c->held > SMALL &&
	    s->held > s->conf.memory)
		server_answer_refuse(c, HTTP_REFUSED_MEMORY, 503,
				     "No memory for large requests now, retry");
}

void server_request_feed(struct http_connection *c, struct span in)
{
	if (c->leaving)
		return;
	c->feeding = true;
	if (c->in.n == 0) { /* most often all is here, and nothing is copied */
		size_t used = feed_all(c, in);

		server_connection_keep(c, span_of(in.p + used, in.n - used));
	} else {
		server_connection_keep(c, in);
		server_connection_use(c, feed_all(c, server_connection_input(c)));
	}
	check_memory(c);
	c->feeding = false;
	if (c->leaving)
		server_connection_use(c, c->in.n);
	if (c->half_closed && (c->state == HEAD || c->state == BODY))
		server_connection_drop(c); /* the rest will not come */
	server_bounds_recount(c);
}

/* The client sends no more. */
static void on_end(struct http_connection *c)
{
	/* In the list of the next turn are those whose next request is here already. */
	bool waits = c->is_todo || c->state == ANSWER ||
		     (c->state == ASKED && c->server->conf.half_close);

	c->half_closed = true;
	if (!waits)
		server_connection_drop(c);
}

void server_request_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;
	struct http_server *s = c->server;
	bool ahead = (c->state == ASKED || c->state == ANSWER) && !c->leaving;
	size_t room = ahead ? AHEAD_MOST - server_connection_input(c).n : INPUT;
	ssize_t n = recv(fd, s->input, room, 0);

	(void)what;
	if (n > 0)
		server_request_feed(c, span_of(s->input, (size_t)n));
	else if (n == 0)
		on_end(c);
	else if (errno != EAGAIN && errno != EINTR)
		server_connection_drop(c);
	if (c->state == ASKED && !s->conf.half_close &&
	    server_connection_input(c).n >= AHEAD_MOST)
		server_connection_drop(c);
	server_connection_update(c);
}

void server_request_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	(void)fd;
	(void)what;
	server_connection_flush(c);
	if (c->state == HEAD)
		server_request_feed(c, span_of(NULL, 0));
	server_connection_update(c);
}

void http_keep(struct http_request *q, http_gone_fn *gone, void *arg)
{
	struct work *w = q->connection->work;

	assert(w != NULL && &w->request == q && w->is_whole && !w->is_kept);
	w->is_kept = true;
	w->gone = gone;
	w->arg = arg;
	q->connection->server->waiting++;
}
