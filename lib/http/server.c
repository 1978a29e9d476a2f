/*
 * A connection, down the page:
 *
 *   on_incoming   accept, or refuse with 503
 *   on_readable   bytes → feed → read_head → (read_body) → dispatch
 *   http_reply    → flush → finish_answer: the next request, or linger
 *   sweep         too slow, or idle
 *   leave, drop   the last answer; the end
 *
 * A connection that has ended is freed, and its owner told, on the next turn (on_turn), so never inside
 * a function that its owner called.
 */
#include "http/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/body.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	LISTENERS_MOST = 8,
	ACCEPTS_MOST = 64, /* in one turn */
	PAUSE_MS = 100,    /* without accepting, when there is no descriptor */
	SPARE = 64, /* connections that are being closed, beyond conf.connections */
	LINGER_MS = 2000,
	SWEEP_MS = 1000,   /* or a quarter of the timeout */
	SMALL = 64 * 1024, /* a request may hold so much whatever the others hold */
	AHEAD_MOST = 64 * 1024,
	INPUT = 64 * 1024,
	BODY_FIRST = 4096,
	DATE = 32,
};

/* Bytes that have come and are not used yet. */
struct kept {
	uint8_t *p;
	size_t at, n, room;
};

enum state { HEAD, BODY, ASKED, ANSWER, LINGER, GONE };

struct work; /* a request, and what the server has beside it */

struct http_connection {
	LIST_ENTRY(http_connection) all;
	TAILQ_ENTRY(http_connection)
	open; /* may make room: no request is being handled */
	TAILQ_ENTRY(http_connection) todo;
	struct http_server *server;
	struct event readable, writable;
	struct work *work;    /* from its head to its answer */
	struct evbuffer *out; /* what the kernel has not taken; NULL: nothing */
	struct kept in;
	size_t searched, parsed; /* bytes of a head that is not whole */
	uint64_t held;           /* counted in the server's */
	int64_t since_ms;        /* when it came, was answered, or began to linger */
	int64_t begun_ms;        /* when its request did; 0: there is none */
	http_gone_fn *gone;
	void *arg;
	int fd;
	uint8_t state;
	bool reading, writing; /* which events are added */
	bool is_open, is_todo; /* which lists it is in */
	bool leaving;          /* this answer is its last */
	bool half_closed;      /* the client sends no more */
	bool feeding;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer;
};

struct work {
	struct http_request request;
	struct body_reader reader;
	char *head; /* the head's bytes */
	size_t head_n;
	uint8_t *body;
	size_t n, room;
	bool is_whole, is_kept;
	http_gone_fn *gone;
	void *arg;
};

TAILQ_HEAD(connections, http_connection);

struct http_server {
	struct loop *loop;
	struct http_conf conf;
	struct request_limits limits;
	http_request_fn *handler;
	void *arg;
	LIST_HEAD(, http_connection) all;
	struct connections open, todo; /* open: in the order of since_ms */
	struct event *listeners[LISTENERS_MOST];
	size_t n_listeners;
	struct timer *turn, *sweep, *pause;
	size_t n, leaving, waiting;
	uint64_t held;
	bool is_full, is_paused;
	time_t date_of;
	char date[DATE];
	struct request scratch; /* a head that is not whole */
	uint8_t input[INPUT];
};

static void on_incoming(evutil_socket_t fd, short what, void *arg);
static void update_events(struct http_connection *c);
static void on_pause_over(void *arg);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_turn(void *arg);
static void sweep(void *arg);
static void feed(struct http_connection *c, struct span in);
static void begin_body(struct http_connection *c, bool has_more);
static void send_bytes(struct http_connection *c, struct span bytes);
static void refuse(struct http_connection *c, enum http_refusal of, int status,
		   const char *why);
static void drop(struct http_connection *c);
static void bury(struct http_connection *c);

/* ---- life ---- */

static size_t most_connections(size_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur / 2 < wanted ? (size_t)limit.rlim_cur / 2 : wanted;
}

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
	s->conf.connections = most_connections(conf->connections);
	s->limits = (struct request_limits){.max_target = conf->max_head,
					    .max_head = conf->max_head,
					    .max_headers = REQUEST_HEADERS};
	s->handler = handler;
	s->arg = arg;
	TAILQ_INIT(&s->open);
	TAILQ_INIT(&s->todo);
	s->turn = timer_new(l, on_turn, s);
	s->sweep = timer_new(l, sweep, s);
	s->pause = timer_new(l, on_pause_over, s);
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
		drop(c);
		bury(c);
	}
	timer_free(s->turn);
	timer_free(s->sweep);
	timer_free(s->pause);
	free(s);
}

void http_server_listen(struct http_server *s, int fd)
{
	struct event *e =
		event_new(loop_base(s->loop), fd, EV_READ | EV_PERSIST, on_incoming, s);

	assert(s->n_listeners < LISTENERS_MOST && e != NULL);
	event_add(e, NULL);
	s->listeners[s->n_listeners++] = e;
}

/* ---- counting ---- */

void http_count_refusals(struct metrics *m, const char *name, const char *help,
			 struct metric *out[HTTP_REFUSALS])
{
	static const char *const labels[HTTP_REFUSALS] = {
		[HTTP_CONNECTIONS] = "why=\"connections\"",
		[HTTP_REQUESTS] = "why=\"requests\"",
		[HTTP_MEMORY] = "why=\"memory\"",
		[HTTP_LATE] = "why=\"late\"",
		[HTTP_IDLE] = "why=\"idle\"",
		[HTTP_MALFORMED] = "why=\"malformed\"",
		[HTTP_TOO_LARGE] = "why=\"too large\"",
	};

	for (size_t i = 0; i < HTTP_REFUSALS; i++)
		out[i] = metric_counter(m, name, labels[i], help);
}

static void count(struct http_server *s, enum http_refusal of)
{
	metric_add(s->conf.refused[of], 1);
}

size_t http_connections(const struct http_server *s)
{
	return s->n;
}

size_t http_waiting(const struct http_server *s)
{
	return s->waiting;
}

uint64_t http_held(const struct http_server *s)
{
	return s->held;
}

bool http_has_room(struct http_server *s, uint64_t own)
{
	bool yes = s->held <= own || s->held - own <= s->conf.memory;

	if (!yes)
		count(s, HTTP_MEMORY);
	return yes;
}

void http_hold(struct http_server *s, uint64_t bytes)
{
	s->held += bytes;
}

void http_release(struct http_server *s, uint64_t bytes)
{
	s->held -= bytes;
}

/* What c holds has changed. */
static void recount(struct http_connection *c)
{
	uint64_t now = c->in.n - c->in.at;

	if (c->work != NULL)
		now += c->work->head_n + c->work->n;
	if (c->out != NULL)
		now += evbuffer_get_length(c->out);
	c->server->held += now;
	c->server->held -= c->held;
	c->held = now;
}

/* ---- listening ---- */

/* Accept or do not: not while all places are taken, nor while there is no descriptor. */
static void set_listening(struct http_server *s, bool full, bool paused)
{
	bool was = !s->is_full && !s->is_paused;

	s->is_full = full;
	s->is_paused = paused;
	if (was == (!full && !paused))
		return;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (was)
			event_del(s->listeners[i]);
		else
			event_add(s->listeners[i], NULL);
}

static void on_pause_over(void *arg)
{
	struct http_server *s = arg;

	set_listening(s, s->is_full, false);
}

static void set_open(struct http_connection *c, bool open)
{
	struct http_server *s = c->server;

	if (c->is_open)
		TAILQ_REMOVE(&s->open, c, open);
	if (open)
		TAILQ_INSERT_TAIL(&s->open, c, open);
	c->is_open = open;
}

/* The connection that has been without a whole request for longest is closed; false: all others are being served. */
static bool make_room(struct http_server *s)
{
	struct http_connection *c = TAILQ_FIRST(&s->open);

	if (c == NULL || s->conf.timeout_ms == 0)
		return false;
	count(s, HTTP_IDLE);
	drop(c);
	return true;
}

static struct http_connection *connection_new(struct http_server *s, int fd,
					      const struct sockaddr *sa, socklen_t n)
{
	struct http_connection *c = xcalloc(1, sizeof *c);
	const int on = 1;

	c->server = s;
	c->fd = fd;
	c->since_ms = loop_now(s->loop);
	memcpy(&c->peer, sa, n < sizeof c->peer ? n : sizeof c->peer);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	event_assign(&c->readable, loop_base(s->loop), fd, EV_READ | EV_PERSIST,
		     on_readable, c);
	event_assign(&c->writable, loop_base(s->loop), fd, EV_WRITE | EV_PERSIST,
		     on_writable, c);
	LIST_INSERT_HEAD(&s->all, c, all);
	s->n++;
	return c;
}

static void come(struct http_server *s, int fd, const struct sockaddr *sa, socklen_t n)
{
	struct http_connection *c = connection_new(s, fd, sa, n);
	bool wanted = s->n - s->leaving <= s->conf.connections || make_room(s);

	if (wanted)
		set_open(c, true);
	else if (s->conf.full != NULL)
		s->conf.full(s->arg);
	if (!wanted)
		refuse(c, HTTP_CONNECTIONS, 503, "The server is full: try again");
	update_events(c);
	set_listening(s, s->n >= s->conf.connections + SPARE, s->is_paused);
}

static bool is_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_incoming(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_MOST && !s->is_full; i++) {
		struct sockaddr_storage sa;
		socklen_t n = sizeof sa;
		int client = accept4(fd, (struct sockaddr *)&sa, &n,
				     SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0) {
			come(s, client, (struct sockaddr *)&sa, n);
			continue;
		}
		if (is_lack(errno)) {
			log_warn_flood("http.paused", S("why", strerror(errno)),
				       S("hint", "raise the limit of open files"));
			set_listening(s, s->is_full, true);
			timer_after(s->pause, PAUSE_MS);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* ---- bytes that are kept ---- */

static struct span kept(const struct http_connection *c)
{
	return span_of(c->in.p + c->in.at, c->in.n - c->in.at);
}

static void keep(struct kept *k, struct span in)
{
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

static void drop_kept(struct kept *k, size_t used)
{
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
	       kept(c).n < AHEAD_MOST;
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

static void update_events(struct http_connection *c)
{
	set_event(&c->readable, &c->reading, wants_to_read(c));
	set_event(&c->writable, &c->writing, c->out != NULL && c->state != GONE);
}

/* The client sends no more. */
static void on_end(struct http_connection *c)
{
	/* In the list of the next turn are those whose next request is here already. */
	bool waits = c->is_todo || c->state == ANSWER ||
		     (c->state == ASKED && c->server->conf.half_close);

	c->half_closed = true;
	if (!waits)
		drop(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;
	struct http_server *s = c->server;
	bool ahead = (c->state == ASKED || c->state == ANSWER) && !c->leaving;
	size_t room = ahead ? AHEAD_MOST - kept(c).n : INPUT;
	ssize_t n = recv(fd, s->input, room, 0);

	(void)what;
	if (n > 0)
		feed(c, span_of(s->input, (size_t)n));
	else if (n == 0)
		on_end(c);
	else if (errno != EAGAIN && errno != EINTR)
		drop(c);
	if (c->state == ASKED && !s->conf.half_close && kept(c).n >= AHEAD_MOST)
		drop(c);
	update_events(c);
}

static void add_todo(struct http_connection *c)
{
	if (c->is_todo)
		return;
	c->is_todo = true;
	TAILQ_INSERT_TAIL(&c->server->todo, c, todo);
	timer_after(c->server->turn, 0);
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
		feed(c, span_of(NULL, 0));
		update_events(c);
	}
}

/* ---- requests ---- */

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

static void work_end(struct http_connection *c)
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

static void dispatch(struct http_connection *c)
{
	struct http_server *s = c->server;
	struct work *w = c->work;

	w->is_whole = true;
	w->request.body = span_of(w->body, w->n);
	c->state = ASKED;
	set_open(c, false);
	if (s->conf.requests > 0 && s->waiting >= s->conf.requests) {
		refuse(c, HTTP_REQUESTS, 503,
		       "Too many requests are under way: try again");
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
	refuse(c, e == ERR_TOOBIG ? HTTP_TOO_LARGE : HTTP_MALFORMED, r->status, r->why);
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
		refuse(c, HTTP_TOO_LARGE, w->reader.status, w->reader.why);
	} else {
		c->state = BODY;
		/* RFC 9110 10.1.1: not when the body comes already. */
		if (w->request.head.expect_continue && !has_more)
			send_bytes(c, span_str("HTTP/1.1 100 Continue\r\n\r\n"));
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
		refuse(c, e == ERR_TOOBIG ? HTTP_TOO_LARGE : HTTP_MALFORMED,
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

	recount(c);
	if ((c->state == HEAD || c->state == BODY) && c->held > SMALL &&
	    s->held > s->conf.memory)
		refuse(c, HTTP_MEMORY, 503,
		       "No memory for large requests now: try again");
}

/* New bytes have come, or those that are kept have their turn. */
static void feed(struct http_connection *c, struct span in)
{
	if (c->leaving)
		return;
	c->feeding = true;
	if (c->in.n == 0) { /* most often all is here, and nothing is copied */
		size_t used = feed_all(c, in);

		keep(&c->in, span_of(in.p + used, in.n - used));
	} else {
		keep(&c->in, in);
		drop_kept(&c->in, feed_all(c, kept(c)));
	}
	check_memory(c);
	c->feeding = false;
	if (c->leaving)
		drop_kept(&c->in, c->in.n);
	if (c->half_closed && (c->state == HEAD || c->state == BODY))
		drop(c); /* the rest will not come */
	recount(c);
}

/* ---- answers ---- */

/* What has been sent of the answer is all of it: the next request, or no other. */
static void finish_answer(struct http_connection *c)
{
	if (!c->leaving) {
		c->state = HEAD;
	} else if (c->half_closed) {
		drop(c);
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
		drop(c);
	else if (c->out == NULL && c->state == ANSWER)
		finish_answer(c);
	recount(c);
}

static void flush(struct http_connection *c)
{
	while (evbuffer_get_length(c->out) > 0)
		if (evbuffer_write(c->out, c->fd) <= 0)
			break;
	after_write(c,
		    evbuffer_get_length(c->out) > 0 && errno != EAGAIN && errno != EINTR);
}

static struct evbuffer *output(struct http_connection *c)
{
	if (c->out == NULL)
		c->out = evbuffer_new();
	assert(c->out != NULL);
	return c->out;
}

/* At once when it can be. */
static void send_bytes(struct http_connection *c, struct span bytes)
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
		evbuffer_add(output(c), bytes.p + n, bytes.n - (size_t)n);
	after_write(c, false);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	(void)fd;
	(void)what;
	flush(c);
	if (c->state == HEAD)
		feed(c, span_of(NULL, 0));
	update_events(c);
}

/* RFC 9110 5.6.7, 6.6.1. */
static struct span date(struct http_server *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != s->date_of) {
		gmtime_r(&now, &tm);
		strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_of = now;
	}
	return span_str(s->date);
}

struct answer {
	int status;
	const struct response_header *h;
	size_t n;
	struct span body;
	struct evbuffer *buffer; /* in its place; NULL: none */
};

static struct blob *answer_blob(struct http_connection *c, const struct answer *a,
				unsigned flags)
{
	struct response_header h[HTTP_HEADERS + 1];

	assert(a->n <= HTTP_HEADERS);
	h[0] = (struct response_header){span_str("Date"), date(c->server)};
	if (a->n > 0)
		memcpy(h + 1, a->h, a->n * sizeof *h);
	if (a->buffer == NULL)
		return response_blob(a->status, h, a->n + 1, a->body, flags);
	return response_blob(a->status, h, a->n + 1,
			     span_of(NULL, evbuffer_get_length(a->buffer)),
			     flags | RESPONSE_HEAD_ONLY);
}

static void leave(struct http_connection *c)
{
	c->server->leaving += !c->leaving;
	c->leaving = true;
	set_open(c, false);
}

/* Another request may follow one that came whole; a client that sends no more has at most what is here. */
static bool goes_on(const struct http_connection *c)
{
	const struct work *w = c->work;

	return w != NULL && w->is_whole && w->request.head.keep_alive &&
	       !(c->half_closed && kept(c).n == 0);
}

static void begin_answer(struct http_connection *c, bool last)
{
	c->state = ANSWER;
	c->begun_ms = 0;
	c->since_ms = loop_now(c->server->loop);
	if (last)
		leave(c);
	else
		set_open(c, true);
}

static void write_answer(struct http_connection *c, const struct answer *a,
			 unsigned flags)
{
	struct blob *b = answer_blob(c, a, flags);

	if (a->buffer != NULL && !(flags & RESPONSE_HEAD_ONLY) &&
	    response_has_body(a->status)) {
		evbuffer_add(output(c), b->p, b->n);
		evbuffer_add_buffer(c->out, a->buffer);
		flush(c);
	} else {
		send_bytes(c, blob_span(b));
	}
	blob_unref(b);
}

static void answer(struct http_connection *c, const struct answer *a)
{
	bool again = goes_on(c);
	bool head = c->work != NULL && span_is(c->work->request.head.method, "HEAD");

	if (c->state != GONE) {
		begin_answer(c, !again);
		write_answer(c, a,
			     (again ? RESPONSE_KEEP_ALIVE : 0) |
				     (head ? RESPONSE_HEAD_ONLY : 0));
	}
	work_end(c); /* the body of the answer may lie in it */
	if (c->leaving && !c->feeding)
		drop_kept(&c->in, c->in.n);
	recount(c);
	if (c->feeding)
		return;
	if (c->in.n > 0 && c->state == HEAD)
		add_todo(c);
	update_events(c);
}

void http_reply(struct http_request *q, int status, const struct response_header *h,
		size_t n, struct span body)
{
	answer(q->connection, &(struct answer){status, h, n, body, NULL});
}

void http_reply_buffer(struct http_request *q, int status,
		       const struct response_header *h, size_t n, struct evbuffer *body)
{
	answer(q->connection, &(struct answer){status, h, n, span_of(NULL, 0), body});
	evbuffer_drain(body, evbuffer_get_length(body));
}

static void refuse(struct http_connection *c, enum http_refusal of, int status,
		   const char *why)
{
	struct http_server *s = c->server;
	struct response_header h[2 + HTTP_REFUSAL_HEADERS];
	size_t n = 0;
	char *text = xasprintf("{\"message\":\"%s\"}", why);

	count(s, of);
	h[n++] = HTTP_HEADER("Content-Type", "application/json");
	if (status == 503)
		h[n++] = HTTP_HEADER("Retry-After", "1");
	if (s->conf.refusal != NULL)
		n += s->conf.refusal(status, h + n);
	answer(c, &(struct answer){status, h, n, span_str(text), NULL});
	free(text);
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

/* ---- time ---- */

static void look_at(struct http_connection *c, int64_t now)
{
	struct http_server *s = c->server;
	int64_t most = s->conf.timeout_ms;

	if (c->state == LINGER && now - c->since_ms > LINGER_MS) {
		drop(c);
	} else if (most == 0 || c->state == ASKED || c->state >= LINGER) {
		return;
	} else if (c->state == ANSWER) {
		if (now - c->since_ms <= most)
			return;
		count(s, HTTP_LATE);
		drop(c);
	} else if (c->begun_ms != 0 && now - c->begun_ms > most) {
		refuse(c, HTTP_LATE, 408, "The request did not arrive in time");
	} else if (c->begun_ms == 0 && now - c->since_ms > most) {
		drop(c);
	}
}

static void sweep(void *arg)
{
	struct http_server *s = arg;
	struct http_connection *c;
	int64_t now = loop_now(s->loop);

	LIST_FOREACH(c, &s->all, all)
	look_at(c, now);
}

/* ---- the end ---- */

/* No byte comes or goes any more. Who waits for it is told on the next turn. */
static void drop(struct http_connection *c)
{
	struct http_server *s = c->server;

	if (c->state == GONE)
		return;
	c->state = GONE;
	set_open(c, false);
	update_events(c);
	close(c->fd);
	s->n--;
	s->leaving -= c->leaving;
	set_listening(s, s->n >= s->conf.connections + SPARE, s->is_paused);
	add_todo(c);
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
	work_end(c);
	if (c->gone != NULL)
		c->gone(c->arg);
	c->server->held -= c->held;
	if (c->out != NULL)
		evbuffer_free(c->out);
	free(c->in.p);
	free(c);
}
