/*
 * Newcomers: on_incoming → come, which has room for them, makes some, or refuses with 503
 */
#include "http/server_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

enum {
	ACCEPTS_MOST = 64, /* in one turn */
	PAUSE_MS = 100,    /* without accepting, when there is no descriptor */
};

void server_accept_on_pause_over(void *arg)
{
	struct http_server *s = arg;

	server_bounds_set_listening(s, s->is_full, false);
}

/* The connection that has been without a whole request for longest is closed; false: all others are being served. */
static bool make_room(struct http_server *s)
{
	struct http_connection *c = TAILQ_FIRST(&s->open);

	if (c == NULL || s->conf.timeout_ms == 0)
		return false;
	server_bounds_count(s, HTTP_REFUSED_IDLE);
	server_connection_drop(c);
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
		     server_request_on_readable, c);
	event_assign(&c->writable, loop_base(s->loop), fd, EV_WRITE | EV_PERSIST,
		     server_request_on_writable, c);
	LIST_INSERT_HEAD(&s->all, c, all);
	s->n++;
	return c;
}

static void come(struct http_server *s, int fd, const struct sockaddr *sa, socklen_t n)
{
	struct http_connection *c = connection_new(s, fd, sa, n);
	bool wanted = s->n - s->leaving <= s->conf.connections || make_room(s);

	if (wanted)
		server_connection_set_open(c, true);
	else if (s->conf.full != NULL)
		s->conf.full(s->arg);
	if (!wanted)
		server_answer_refuse(c, HTTP_REFUSED_CONNECTIONS, 503,
				     "The server is full, retry");
	server_connection_update(c);
	server_bounds_set_listening(s, s->n >= s->conf.connections + SPARE, s->is_paused);
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
			server_bounds_set_listening(s, s->is_full, true);
			timer_after(s->pause, PAUSE_MS);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

void http_server_listen(struct http_server *s, int fd)
{
	struct event *e =
		event_new(loop_base(s->loop), fd, EV_READ | EV_PERSIST, on_incoming, s);

	assert(s->n_listeners < LISTENERS_MOST && e != NULL);
	event_add(e, NULL);
	s->listeners[s->n_listeners++] = e;
}
