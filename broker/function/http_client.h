#ifndef BROKER_FUNCTION_HTTP_CLIENT_H
#define BROKER_FUNCTION_HTTP_CLIENT_H

/*
 * POST over HTTP(S), asynchronously: libcurl's multi interface on the loop, with its
 * pool of kept connections. TLS peers are verified. curl gets as many requests to a host as
 * there may be connections; others wait here for their turn (http_turns.h).
 *
 * source  libcurl: curl_multi_socket_action(3)
 */

#include "base/blob.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"

struct http_client;

struct http_client_conf {
	const char *ca_file; /* PEM; NULL: the system's */
	int64_t connect_ms;
	int64_t max_response;    /* bytes of a response's body */
	int64_t max_connections; /* to one host, and requests to it at a time */
	int64_t memory; /* bytes of all responses; above: those over 64 KiB are HTTP_FULL */
	struct metrics *metrics; /* NULL: no metrics */
};

struct http_client *http_client_new(struct loop *l, const struct http_client_conf *conf);
void http_client_free(struct http_client *h); /* NULL is fine; no fn is called any more */

struct http_reply {
	enum http_end {
		HTTP_ANSWERED,    /* status and body are there */
		HTTP_UNREACHABLE, /* no connection: nothing was sent */
		HTTP_BROKEN, /* the connection ended early, or the response was not HTTP */
		HTTP_LATE,   /* no answer in time */
		HTTP_TOOBIG, /* the body is over max_response */
		HTTP_FULL,   /* there is no memory for it now */
	} end;
	const char *why; /* unless ANSWERED */
	int status;
	struct span body;         /* borrowed until the fn returns */
	struct span content_type; /* likewise; none: no bytes */
	bool function_error;      /* X-Amz-Function-Error was there */
	bool is_stale; /* BROKEN: a kept connection ended without a byte of an answer */
};

typedef void http_client_fn(void *arg, const struct http_reply *r);

struct http_post {
	const char *url;
	const char *const *headers; /* n lines such as "Content-Type: application/json" */
	size_t n;
	struct span
		client; /* the client, up to 16 bytes: clients share turns. Empty: none */
	struct blob *body;  /* a reference is taken */
	int64_t timeout_ms; /* includes the wait for a turn */
};

/*
 * p   borrowed until the call returns
 * fn  called once, never from inside this call; the request was sent at most once
 */
void http_client_post(struct http_client *h, const struct http_post *p,
		      http_client_fn *fn, void *arg);

#endif
