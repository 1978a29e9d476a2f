#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

/*
 * An HTTP/1.1 server on the loop, for APIs: whole requests in, whole responses out, and
 * limits for all that a client can choose.
 *
 *   HEAD --head--> BODY --whole--> ASKED --http_reply--> ANSWER --it is written--> HEAD
 *
 * A connection has one request at a time; what is pipelined behind it waits, at most
 * 64 KiB. What breaks the protocol or a limit is answered with {"message":"…"} and closed, in
 * the way that lets the answer arrive (RFC 9112 9.6).
 */

#include "base/loop.h"
#include "base/metric.h"
#include "http/request.h"
#include "http/response.h"

#include <event2/buffer.h>

struct http_server;
struct http_connection;

/* The request is the server's: it, head and body stand until http_reply, or until the client is gone. */
struct http_request {
	struct request head;
	struct span body;
	struct http_connection *connection;
};

typedef void http_request_fn(void *arg, struct http_request *q);
typedef void http_gone_fn(void *arg);

/* What was refused or closed. */
enum http_refusal {
	HTTP_REFUSED_CONNECTIONS, /* a newcomer: all connections have requests that are being handled */
	HTTP_REFUSED_REQUESTS, /* too many requests wait already */
	HTTP_REFUSED_MEMORY,   /* requests and answers hold too much together */
	HTTP_REFUSED_LATE, /* a request did not arrive in time, or an answer was not read */
	HTTP_REFUSED_IDLE, /* a connection without a request, in favour of a newcomer */
	HTTP_REFUSED_MALFORMED, /* 400, 501, 505 */
	HTTP_REFUSED_TOO_LARGE, /* 413, 414, 431 */
	HTTP_REFUSALS,
};

enum { HTTP_HEADERS = 16, HTTP_REFUSAL_HEADERS = 4 };

struct http_conf {
	/* At a time; never more than half of the descriptors that the process may have, for which the soft limit is raised to the hard one. */
	size_t connections;
	size_t requests; /* that are kept at a time: over it 503; 0: any number */
	uint64_t
		memory; /* bytes of all requests and answers; each request may have 64 KiB */
	size_t max_head;   /* bytes: over it 414 or 431 */
	uint64_t max_body; /* bytes: over it 413 */
	/* For a request to arrive, for an answer to be read, and between two requests; 0: for ever, and then no idle connection makes room for another. */
	int64_t timeout_ms;
	/* A client may close its side and wait for the answer. Else that is a hang-up, and so is more than 64 KiB sent ahead. */
	bool half_close;
	struct metric *refused[HTTP_REFUSALS]; /* counters; NULL is fine */
	/* NULL, or: a head has come, its body not. Bytes that the body may have; or a refusal by http_reply, after which the connection is closed. */
	uint64_t (*limit)(void *arg, struct http_request *q);
	/* NULL, or: the server itself refuses, since why, a sentence. Headers for its answer; how many, at most HTTP_REFUSAL_HEADERS. */
	size_t (*refusal)(void *arg, int status, const char *why,
			  struct response_header *out);
	/* NULL, or: a newcomer is refused. */
	void (*full)(void *arg);
};

/*
 * conf     copied
 * handler  gets each request when it is whole: it answers with http_reply, or calls http_keep
 *          and answers later
 */
struct http_server *http_server_new(struct loop *l, const struct http_conf *conf,
				    http_request_fn *handler, void *arg);

/* Requests that are kept are gone. Not from inside a function that the server calls. NULL is fine. */
void http_server_free(struct http_server *s);

/* Accept connections at this listening, non-blocking socket, at most 8 of them; takes fd. */
void http_server_listen(struct http_server *s, int fd);

/*
 * Answer, once; q is no more.
 *
 * h        headers, at most HTTP_HEADERS; those that are the server's to write are left out
 * body     may lie in q; not sent to HEAD
 */
void http_reply(struct http_request *q, int status, const struct response_header *h,
		size_t n, struct span body);

/* The same; body is emptied, not copied. */
void http_reply_buffer(struct http_request *q, int status,
		       const struct response_header *h, size_t n, struct evbuffer *body);

/* q is answered later. gone: the client is gone, and q with it; not called after http_reply; may be NULL. */
void http_keep(struct http_request *q, http_gone_fn *gone, void *arg);

/* A header of two texts. */
#define HTTP_HEADER(name, text) ((struct response_header){span_str(name), span_str(text)})

/* Call gone(arg) once when the connection has ended, after that of its request. Replaces what was set before. */
void http_connection_watch(struct http_connection *c, http_gone_fn *gone, void *arg);

/* arg of http_connection_watch; NULL before it. */
void *http_connection_watcher(const struct http_connection *c);

/* The client's address; lives as long as c. */
const struct sockaddr *http_connection_peer(const struct http_connection *c);

/*
 * May an answer be made, or grow, that is perhaps large? An answer that is alone may always.
 *
 * own      bytes of it that were given to http_hold
 * returns  false: the others hold too much, and it is counted as refused
 */
bool http_has_capacity(struct http_server *s, uint64_t own);

/* Count bytes of an answer that is being made; after http_reply the server counts them itself. */
void http_hold(struct http_server *s, uint64_t bytes);
void http_release(struct http_server *s, uint64_t bytes);

/* For gauges: connections, requests that are kept, and bytes that they hold. */
size_t http_connections(const struct http_server *s);
size_t http_waiting(const struct http_server *s);
uint64_t http_held(const struct http_server *s);

/* Counters for conf.refused, with the labels why="connections", "requests", "memory", "late", "idle", "malformed" and "too large". */
void http_count_refusals(struct metrics *m, const char *name, const char *help,
			 struct metric *out[HTTP_REFUSALS]);

#endif
