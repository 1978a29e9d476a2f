#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

/*
 * What the files of the server share; each uses those below it alone:
 *
 *   server.c             its life, the turn, and time
 *   server_accept.c      listening, and room for newcomers
 *   server_request.c     bytes → head → body → handler
 *   server_answer.c      answers and refusals
 *   server_connection.c  the socket: bytes kept, bytes out, events, its end
 *   server_bounds.c      what is counted, and how much there may be
 */

#include "http/server.h"

#include "http/body.h"

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <time.h>

enum {
	LISTENERS_MOST = 8,
	SPARE = 64, /* connections that are being closed, beyond conf.connections */
	SMALL = 64 * 1024, /* a request may hold so much whatever the others hold */
	AHEAD_MOST = 64 * 1024,
	INPUT = 64 * 1024,
	DATE = 32,
};

/* Bytes that have come and are not used yet. */
struct kept {
	uint8_t *p;
	size_t at, n, room;
};

/* HEAD: of a request; BODY: its head is here; ASKED: it is being handled; ANSWER: that is being written; LINGER: the rest is read and thrown away; GONE: no socket any more. */
enum state { HEAD, BODY, ASKED, ANSWER, LINGER, GONE };

/* A request, and what the server has beside it. */
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

/* ---- server_bounds.c ---- */

/* How many connections there may be, when so many are wanted. */
size_t server_bounds_connections(size_t wanted);

/* One more was refused, or closed. */
void server_bounds_count(struct http_server *s, enum http_refusal of);

/* What c holds has changed. */
void server_bounds_recount(struct http_connection *c);

/* Accept or do not: not while all places are taken, nor while there is no descriptor. */
void server_bounds_set_listening(struct http_server *s, bool full, bool paused);

/* ---- server_connection.c ---- */

/* Bytes that have come and wait, borrowed; keep more; some of them are used. */
struct span server_connection_input(const struct http_connection *c);
void server_connection_keep(struct http_connection *c, struct span in);
void server_connection_use(struct http_connection *c, size_t used);

/* Watch for what its state wants; to be called when a callback of it ends. */
void server_connection_update(struct http_connection *c);

/* It has something to do, or has ended: on the next turn. */
void server_connection_add_todo(struct http_connection *c);

/* Is it among those that may make room for a newcomer? */
void server_connection_set_open(struct http_connection *c, bool open);

/* Write bytes, at once when it can be. */
void server_connection_send(struct http_connection *c, struct span bytes);

/* What is to be written behind what waits; flush writes what can be written now. */
struct evbuffer *server_connection_output(struct http_connection *c);
void server_connection_flush(struct http_connection *c);

/* Its request is over. */
void server_connection_end_work(struct http_connection *c);

/* No byte comes or goes any more. Who waits for it is told on the next turn. */
void server_connection_drop(struct http_connection *c);

/* ---- server_answer.c ---- */

/* The server's own answer, after which the connection is closed if the request has not come whole; it is counted. */
void server_answer_refuse(struct http_connection *c, enum http_refusal of, int status,
			  const char *why);

/* ---- server_request.c ---- */

/* New bytes have come, or those that are kept have their turn. */
void server_request_feed(struct http_connection *c, struct span in);

/* Of events. */
void server_request_on_readable(evutil_socket_t fd, short what, void *arg);
void server_request_on_writable(evutil_socket_t fd, short what, void *arg);

/* ---- server_accept.c ---- */

/* Time to accept again. */
void server_accept_on_pause_over(void *arg);

#endif
