#include "http/health.h"

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/sender.h"
#include "http/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECTIONS = 64,
	TIMEOUT_MS = 10000,
	MEMORY = 1024 * 1024, /* of requests: answers are made whatever there is */
	HEAD_MOST = 8192,
	BODY_MOST = 4096,
};

struct health {
	struct http_server *http;
	struct metrics *metrics;
	ready_fn *fn;
	void *arg;
	char url[ADDRESS_TEXT + 8];
	char *name; /* the address from the settings */
	bool is_loopback;
};

static const char plain[] = "text/plain; charset=utf-8";

/* allow: of a 405, else NULL. */
static void reply_text(struct http_request *q, int status, const char *text,
		       const char *allow)
{
	struct response_header h[] = {
		HTTP_HEADER("Content-Type", plain),
		HTTP_HEADER("Allow", allow ? allow : ""),
	};
	char *line = xasprintf("%s\n", text);

	http_reply(q, status, h, allow ? 2 : 1, span_str(line));
	free(line);
}

static void reply_ready(struct health *h, struct http_request *q)
{
	const char *missing = h->fn ? h->fn(h->arg) : NULL;

	reply_text(q, missing ? 503 : 200, missing ? missing : "ready", NULL);
}

static void reply_metrics(struct health *h, struct http_request *q)
{
	struct response_header type =
		HTTP_HEADER("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	struct evbuffer *body = evbuffer_new();

	assert(body);
	metrics_print(h->metrics, body);
	http_reply_buffer(q, 200, &type, 1, body);
	evbuffer_free(body);
}

static void route(struct health *h, struct http_request *q)
{
	struct span path = q->head.path;

	if (span_is(path, "/livez"))
		reply_text(q, 200, "live", NULL);
	else if (span_is(path, "/readyz"))
		reply_ready(h, q);
	else if (span_is(path, "/metrics"))
		reply_metrics(h, q);
	else
		reply_text(q, 404, "not found: there are /livez, /readyz and /metrics",
			   NULL);
}

/* A probe's Host is the address that it has found us at, so where others can reach us any will do. */
static void on_request(void *arg, struct http_request *q)
{
	struct health *h = arg;
	const struct sender_hosts hosts = {
		h->is_loopback ? h->name : NULL,
		"ask for that address, or give --metrics HOST:PORT"};
	char why[SENDER_WHY];

	if (sender_check(&q->head, &hosts, why) != OK)
		reply_text(q, 403, why, NULL);
	else if (span_is(q->head.method, "GET") || span_is(q->head.method, "HEAD"))
		route(h, q);
	else
		reply_text(q, 405, "only GET and HEAD are served here", "GET, HEAD");
}

struct health *health_new(struct loop *l, const char *address, struct metrics *m,
			  ready_fn *fn, void *arg)
{
	static const struct http_conf conf = {.connections = CONNECTIONS,
					      .memory = MEMORY,
					      .max_head = HEAD_MOST,
					      .max_body = BODY_MOST,
					      .timeout_ms = TIMEOUT_MS,
					      .half_close = true};
	struct address at;
	char text[ADDRESS_TEXT];
	const char *why;
	int fd = address_listen_at(address, false, &at, &why);

	if (fd == -1) {
		log_error("health.failed", S("address", address), S("why", why),
			  S("hint", "set --metrics to a free HOST:PORT of this machine; "
				    "port 0 picks one"));
		return NULL;
	}

	struct health *h = xcalloc(1, sizeof *h);

	h->metrics = m;
	h->fn = fn;
	h->arg = arg;
	h->name = xstrdup(address);
	h->is_loopback = address_is_loopback(&at);
	snprintf(h->url, sizeof h->url, "http://%s",
		 address_text((const struct sockaddr *)&at.sa, text));
	h->http = http_server_new(l, &conf, on_request, h);
	http_server_listen(h->http, fd);
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	http_server_free(h->http);
	free(h->name);
	free(h);
}

const char *health_url(const struct health *h)
{
	return h->url;
}
