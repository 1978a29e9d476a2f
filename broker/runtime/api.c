/*
 * The Lambda Runtime API over HTTP, for one function:
 *
 *   GET  /2018-06-01/runtime/invocation/next            answered when there is an invocation
 *   POST /2018-06-01/runtime/invocation/{id}/response   what the function returned
 *   POST /2018-06-01/runtime/invocation/{id}/error      what it threw
 *   POST /2018-06-01/runtime/init/error                 it cannot be loaded
 *   GET  /ping
 *
 * source  AWS: "Using the Lambda runtime API for custom runtimes"; statuses and bodies
 *         where that is silent: aws-lambda-runtime-interface-emulator
 */
#include "base/address.h"
#include "base/http_check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "broker/runtime/error.h"
#include "broker/runtime/worker.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RESPONSE_MOST =
		6 * 1024 * 1024 + 100, /* what Lambda takes of a synchronous function */
	BODY_MOST = 64 * 1024 * 1024,  /* read to its end, so that the worker lives on */
	HEAD_MOST =
		2 * 1024 * 1024, /* awslambdaric has traces of up to 1 MiB in a header */
	FOREVER_S = 365 * 24 * 3600, /* a poll waits, and so does a worker that works */
	WHY_TEXT = 200,
};

static const char root[] = "/2018-06-01/runtime/";

struct runtime_api {
	struct runtime *runtime;
	struct evhttp *http;
	char address[ADDRESS_TEXT];
	char *name; /* what it was told to listen at */
	bool is_loopback;
};

static int listen_at(const char *function, const char *address, struct address *at);
static void on_request(struct evhttp_request *req, void *arg);
static void next(struct runtime_api *a, struct evhttp_request *req);
static void watch_for_its_end(struct evhttp_connection *c);
static void on_early(struct bufferevent *b, void *arg);
static void on_gone(struct evhttp_connection *c, void *arg);
static void answer(struct runtime_api *a, struct evhttp_request *req, struct span path);
static void init_error(struct runtime_api *a, struct evhttp_request *req);

struct runtime_api *runtime_api_new(struct runtime *r, struct loop *l,
				    const char *address)
{
	struct runtime_api *a = xcalloc(1, sizeof *a);
	struct address at;
	int fd = listen_at(runtime_function(r), address, &at);

	if (fd == -1) {
		free(a);
		return NULL;
	}
	address_text((const struct sockaddr *)&at.sa, a->address);
	a->name = xstrdup(address);
	a->is_loopback = address_is_loopback(&at);
	a->runtime = r;
	a->http = evhttp_new(loop_base(l));
	evhttp_set_timeout(a->http, FOREVER_S);
	evhttp_set_max_body_size(a->http, BODY_MOST);
	evhttp_set_max_headers_size(a->http, HEAD_MOST);
	evhttp_set_gencb(a->http, on_request, a);
	evhttp_accept_socket(a->http, fd);
	return a;
}

/* A worker on another machine may vanish without a word: the kernel asks for us. */
static void keep_alive(int fd)
{
	const int on = 1, idle_s = 10, every_s = 5, times = 3;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof on); /* what is accepted has it too */
}

static int listen_at(const char *function, const char *address, struct address *at)
{
	const char *why;
	int fd = address_listen_at(address, false, at, &why);

	if (fd == -1) {
		log_error("runtime.failed", S("function", function),
			  S("address", address), S("why", why),
			  S("hint", "set --runtime-address to HOST, or to HOST:PORT with "
				    "free ports from PORT on"));
		return -1;
	}
	keep_alive(fd);
	return fd;
}

void runtime_api_free(struct runtime_api *a)
{
	if (a == NULL)
		return;
	evhttp_free(a->http);
	free(a->name);
	free(a);
}

const char *runtime_api_address(const struct runtime_api *a)
{
	return a->address;
}

/* ---- answers ---- */

static void reply(struct evhttp_request *req, int status, const char *reason,
		  const char *fmt, const char *a, const char *b)
{
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  "application/json");
	evbuffer_add_printf(body, fmt, a, b);
	evhttp_send_reply(req, status, reason, body);
	evbuffer_free(body);
}

static void reply_ok(struct evhttp_request *req)
{
	static const char ok[] = "{\"status\":\"OK\"}";

	reply(req, 202, "Accepted", "%s", ok, NULL);
}

static void refuse(struct evhttp_request *req, int status, const char *type,
		   const char *message)
{
	log_info_flood("runtime.refused", S("uri", evhttp_request_get_uri(req)),
		       I("status", status), S("why", message));
	reply(req, status, type, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n",
	      message, type);
}

/* ---- requests ---- */

static bool begins(struct span *path, const char *with)
{
	size_t n = strlen(with);

	if (path->n < n || memcmp(path->p, with, n) != 0)
		return false;
	*path = span_of(path->p + n, path->n - n);
	return true;
}

/* Answers by itself, and returns false. Workers of other machines may call us anything. */
static bool is_sound(struct runtime_api *a, struct evhttp_request *req)
{
	const struct http_hosts hosts = {
		a->is_loopback ? a->name : NULL,
		"set AWS_LAMBDA_RUNTIME_API to that address, or give --runtime-address"};
	struct http_refusal no;

	if (http_check_framing(req, &no) == OK &&
	    http_check_sender(req, &hosts, &no) == OK)
		return true;
	refuse(req, no.status, no.reason, no.why);
	return false;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct runtime_api *a = arg;
	const char *uri = http_target(req);
	struct span path = span_of(uri, strcspn(uri, "?"));
	bool posts = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
	bool gets = evhttp_request_get_command(req) == EVHTTP_REQ_GET;

	if (!is_sound(a, req))
		return;
	if (gets && span_is(path, "/ping"))
		reply(req, 200, "OK", "%s", "pong", NULL);
	else if (!begins(&path, root))
		refuse(req, 404, "NotFound", "There is the API of 2018-06-01 alone");
	else if (gets && span_is(path, "invocation/next"))
		next(a, req);
	else if (posts && span_is(path, "init/error"))
		init_error(a, req);
	else if (posts && begins(&path, "invocation/"))
		answer(a, req, path);
	else
		refuse(req, 404, "NotFound", "No such method and path");
}

/* curl(1) and the like make a connection for each request. */
static bool makes_many_connections(struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *connection = evhttp_find_header(headers, "Connection");
	const char *agent = evhttp_find_header(headers, "User-Agent");

	return (connection != NULL &&
		evutil_ascii_strcasecmp(connection, "close") == 0) ||
	       (agent != NULL && evutil_ascii_strncasecmp(agent, "curl/", 5) == 0);
}

static void next(struct runtime_api *a, struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct worker *w = runtime_worker(a->runtime, c);
	char *host;

	if (w != NULL && w->invocation != NULL) {
		refuse(req, 403, "InvalidStateTransition",
		       "State transition from Running to Ready failed for runtime. "
		       "Error: "
		       "State transition is not allowed");
		return;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		w->connection = c;
		w->roams = makes_many_connections(req);
		evhttp_connection_get_peer(c, &host, &w->port);
		evhttp_connection_set_closecb(c, on_gone, w);
	}
	w->poll = req;
	watch_for_its_end(c);
	runtime_polls(a->runtime, w);
}

/*
 * While a request waits for its answer, evhttp does not read, and so would not see that
 * the worker has gone. What comes meanwhile stays in the buffer; evhttp sets its own
 * functions again when it answers.
 */
static void watch_for_its_end(struct evhttp_connection *c)
{
	struct bufferevent *b = evhttp_connection_get_bufferevent(c);
	bufferevent_event_cb on_event;
	void *arg;

	bufferevent_getcb(b, NULL, NULL, &on_event, &arg);
	bufferevent_setcb(b, on_early, NULL, on_event, arg);
	bufferevent_enable(b, EV_READ);
}

/*
 * More than a next request's head, before the answer to this one. To stop reading would hide
 * the end of the worker; so this is its end.
 */
static void on_early(struct bufferevent *b, void *arg)
{
	bufferevent_event_cb on_event;

	if (evbuffer_get_length(bufferevent_get_input(b)) <= HEAD_MOST)
		return;
	bufferevent_getcb(b, NULL, NULL, &on_event, NULL);
	on_event(b, BEV_EVENT_READING | BEV_EVENT_EOF, arg);
}

static void on_gone(struct evhttp_connection *c, void *arg)
{
	struct worker *w = arg;
	struct evhttp_request *poll = w->poll;

	(void)c;
	runtime_lost(w);
	/* What nobody has answered yet is ours when its connection has let go of it. */
	if (poll != NULL && evhttp_request_get_connection(poll) == NULL)
		evhttp_request_free(poll);
}

/* "Root=1-67891233-abcdef012345678912345678", as X-Ray has it. */
static void trace_header(struct evkeyvalq *headers, int64_t since_1970_ms)
{
	uint32_t random[3];
	char text[80];

	evutil_secure_rng_get_bytes(random, sizeof random);
	snprintf(text, sizeof text, "Root=1-%08x-%08x%08x%08x;Sampled=0",
		 (unsigned)(since_1970_ms / 1000), random[0], random[1], random[2]);
	evhttp_add_header(headers, "Lambda-Runtime-Trace-Id", text);
}

static void release(const void *data, size_t n, void *blob)
{
	(void)data;
	(void)n;
	blob_unref(blob);
}

void runtime_api_give(struct worker *w)
{
	struct invocation *i = w->invocation;
	struct evhttp_request *req = w->poll;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();
	char deadline[24];

	/* Exactly this: awslambdaric gives other bodies to the function as they are. */
	evhttp_add_header(headers, "Content-Type", "application/json");
	snprintf(deadline, sizeof deadline, "%" PRId64, i->deadline_ms);
	evhttp_add_header(headers, "Lambda-Runtime-Aws-Request-Id", i->id);
	evhttp_add_header(headers, "Lambda-Runtime-Deadline-Ms", deadline);
	evhttp_add_header(headers, "Lambda-Runtime-Invoked-Function-Arn", i->arn);
	trace_header(headers, i->deadline_ms - i->timeout_ms);
	evbuffer_add_reference(body, i->event->p, i->event->n, release,
			       blob_ref(i->event));
	w->poll = NULL;
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

/* The whole of a body; valid until the request is answered. */
static struct span body_of(struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);

	return span_of(evbuffer_pullup(in, -1), evbuffer_get_length(in));
}

/* AWS's client for Python ends its process when it hears another status than 202. */
static void returned_too_much(struct invocation *i, struct evhttp_request *req, size_t n)
{
	char why[WHY_TEXT];

	snprintf(why, sizeof why,
		 "Function.ResponseSizeTooLarge: it returned %zu bytes, at most %d are "
		 "taken; return less, or where the rest can be found",
		 n, RESPONSE_MOST);
	runtime_fail(i, RESULT_FAILED, why);
	reply_ok(req);
}

static void returned(struct invocation *i, struct evhttp_request *req)
{
	size_t n = evbuffer_get_length(evhttp_request_get_input_buffer(req));
	struct result r = {.kind = RESULT_OK, .status = 200};

	if (n > RESPONSE_MOST) {
		returned_too_much(i, req, n);
		return;
	}
	r.payload = body_of(req);
	runtime_end(i, &r);
	reply_ok(req);
}

static void threw(struct invocation *i, struct evhttp_request *req)
{
	char why[RUNTIME_ERROR_TEXT];
	struct result r = {
		.kind = RESULT_FAILED,
		.why = why,
		.payload = body_of(req),
	};

	runtime_error_text(r.payload, evhttp_request_get_input_headers(req), why);
	runtime_end(i, &r);
	reply_ok(req);
}

/* Clients may escape what is in an id: aws-lambda-ric does. */
static struct span id_of(struct span path, char room[INVOCATION_ID])
{
	long n = percent_decode(path, room, INVOCATION_ID);

	return n < 0 ? path : span_of(room, (size_t)n);
}

/* path is "{id}/response" or "{id}/error". */
static void answer(struct runtime_api *a, struct evhttp_request *req, struct span path)
{
	struct worker *w = runtime_worker(a->runtime, evhttp_request_get_connection(req));
	const uint8_t *slash = memchr(path.p, '/', path.n);
	struct span id = span_of(path.p, slash ? (size_t)(slash - path.p) : path.n);
	struct span rest = span_of(path.p + id.n, path.n - id.n);
	bool is_error = span_is(rest, "/error");
	char room[INVOCATION_ID];
	struct invocation *i;

	if (!is_error && !span_is(rest, "/response")) {
		refuse(req, 404, "NotFound", "No such method and path");
		return;
	}
	i = runtime_find(a->runtime, w, id_of(id, room));
	if (i == NULL)
		refuse(req, 400, "InvalidRequestID", "Invalid request ID");
	else if (is_error)
		threw(i, req);
	else
		returned(i, req);
}

static void init_error(struct runtime_api *a, struct evhttp_request *req)
{
	char why[RUNTIME_ERROR_TEXT];

	runtime_error_text(body_of(req), evhttp_request_get_input_headers(req), why);
	runtime_cannot_start(a->runtime, why);
	reply_ok(req);
}
