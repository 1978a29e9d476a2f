#include "base/health.h"

#include "base/address.h"
#include "base/http_check.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_S = 10, MOST_HEADERS = 8192, MOST_BODY = 4096 };

struct health {
	struct evhttp *http;
	struct metrics *metrics;
	health_ready_fn *fn;
	void *arg;
	char url[ADDRESS_TEXT + 8];
	char *name; /* what it was told to listen at */
	bool is_loopback;
};

static const char plain[] = "text/plain; charset=utf-8";

/* Takes body. A HEAD gets the length alone. */
static void reply(struct evhttp_request *req, int code, const char *reason,
		  const char *type, struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	char length[24];

	snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Content-Length", length);
	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
		evbuffer_drain(body, evbuffer_get_length(body));
	evhttp_send_reply(req, code, reason, body);
	evbuffer_free(body);
}

static struct evbuffer *body_new(void)
{
	struct evbuffer *body = evbuffer_new();

	assert(body);
	return body;
}

static void reply_text(struct evhttp_request *req, int code, const char *reason,
		       const char *text)
{
	struct evbuffer *body = body_new();

	evbuffer_add_printf(body, "%s\n", text);
	reply(req, code, reason, plain, body);
}

static void reply_ready(struct health *h, struct evhttp_request *req)
{
	const char *missing = h->fn ? h->fn(h->arg) : NULL;

	if (missing)
		reply_text(req, HTTP_SERVUNAVAIL, "Service Unavailable", missing);
	else
		reply_text(req, HTTP_OK, "OK", "ready");
}

static void reply_metrics(struct health *h, struct evhttp_request *req)
{
	struct evbuffer *body = body_new();

	metrics_print(h->metrics, body);
	reply(req, HTTP_OK, "OK", "text/plain; version=0.0.4; charset=utf-8", body);
}

static void route(struct health *h, struct evhttp_request *req, const char *path)
{
	if (strcmp(path, "/livez") == 0)
		reply_text(req, HTTP_OK, "OK", "live");
	else if (strcmp(path, "/readyz") == 0)
		reply_ready(h, req);
	else if (strcmp(path, "/metrics") == 0)
		reply_metrics(h, req);
	else
		reply_text(req, HTTP_NOTFOUND, "Not Found",
			   "not found: there are /livez, /readyz and /metrics");
}

/*
 * Answers by itself, and returns false. A probe's Host is the address that it has found
 * us at, so where others can reach us any will do.
 */
static bool is_sound(struct health *h, struct evhttp_request *req)
{
	const struct http_hosts hosts = {
		h->is_loopback ? h->name : NULL,
		"ask for that address, or give --metrics HOST:PORT"};
	struct http_refusal no;

	if (http_check_framing(req, &no) == OK &&
	    http_check_sender(req, &hosts, &no) == OK)
		return true;
	reply_text(req, no.status, no.reason, no.why);
	return false;
}

/* Libevent's words into ours. */
static void on_request(struct evhttp_request *req, void *arg)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

	if (!is_sound(arg, req))
		return;
	if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD) {
		route(arg, req, path ? path : "");
		return;
	}
	evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET, HEAD");
	reply_text(req, HTTP_BADMETHOD, "Method Not Allowed",
		   "only GET and HEAD are served here");
}

static void refuse(const char *address, const char *why)
{
	log_error("health.failed", S("address", address), S("why", why),
		  S("next", "give --metrics HOST:PORT of this machine that is free; port "
			    "0 takes one"));
}

/* The descriptor that listens, or -1 after an error line. */
static int listen_at(const char *address, struct address *at)
{
	struct address a;

	if (address_parse(address, &a) != OK) {
		refuse(address, "not HOST:PORT, or no such host");
		return -1;
	}

	int fd = address_listen(&a, false, at);

	if (fd == -1)
		refuse(address, strerror(errno));
	return fd;
}

static struct evhttp *http_new(struct loop *l, struct health *h, int fd)
{
	struct evhttp *http = evhttp_new(loop_base(l));

	assert(http);
	evhttp_set_timeout(http, TIMEOUT_S);
	evhttp_set_max_headers_size(http, MOST_HEADERS);
	evhttp_set_max_body_size(http, MOST_BODY);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD |
						 EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
						 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
						 EVHTTP_REQ_PATCH);
	evhttp_set_gencb(http, on_request, h);
	if (evhttp_accept_socket(http, fd) == -1) {
		evhttp_free(http);
		return NULL;
	}
	return http;
}

struct health *health_new(struct loop *l, const char *address, struct metrics *m,
			  health_ready_fn *fn, void *arg)
{
	struct address at;
	char text[ADDRESS_TEXT];
	int fd = listen_at(address, &at);

	if (fd == -1)
		return NULL;

	struct health *h = xcalloc(1, sizeof *h);

	h->metrics = m;
	h->fn = fn;
	h->arg = arg;
	h->name = xstrdup(address);
	h->is_loopback = address_is_loopback(&at);
	snprintf(h->url, sizeof h->url, "http://%s",
		 address_text((const struct sockaddr *)&at.sa, text));
	h->http = http_new(l, h, fd);
	if (!h->http) {
		refuse(address, "libevent does not accept there");
		close(fd);
		free(h->name);
		free(h);
		return NULL;
	}
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	evhttp_free(h->http);
	free(h->name);
	free(h);
}

const char *health_url(const struct health *h)
{
	return h->url;
}
