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
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "broker/runtime/error.h"
#include "broker/runtime/worker.h"
#include "http/sender.h"
#include "http/server.h"

#include <event2/util.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
	CONNECTIONS = 65536, /* half of the descriptors is the bound that counts */
	RESPONSE_MOST =
		6 * 1024 * 1024 + 100, /* what Lambda takes of a synchronous function */
	BODY_MOST = 64 * 1024 * 1024,  /* read to its end, so that the worker lives on */
	HEAD_MOST =
		2 * 1024 * 1024, /* awslambdaric has traces of up to 1 MiB in a header */
	WHY_TEXT = 200,
	TRACE_TEXT = 80,
};

static const char root[] = "/2018-06-01/runtime/";

struct runtime_api {
	struct runtime *runtime;
	struct http_server *http;
	char address[ADDRESS_TEXT];
	char *name; /* the address from the settings */
	bool is_loopback;
};

static int listen_on(const char *function, const char *address, struct address *at);
static void on_request(void *arg, struct http_request *q);
static size_t on_refusal(void *arg, int status, const char *why,
			 struct response_header *out);
static void on_full(void *arg);
static void next(struct runtime_api *a, struct http_request *q);
static void answer(struct runtime_api *a, struct http_request *q, struct span path);
static void init_error(struct runtime_api *a, struct http_request *q);

/* A worker that goes must be seen at once; a poll waits for as long as it takes. */
static const struct http_conf http_conf = {
	.connections = CONNECTIONS,
	.memory = UINT64_MAX,
	.max_head = HEAD_MOST,
	.max_body = BODY_MOST,
	.timeout_ms = 0,
	.half_close = false,
	.refusal = on_refusal,
	.full = on_full,
};

struct runtime_api *runtime_api_new(struct runtime *r, struct loop *l,
				    const char *address)
{
	struct runtime_api *a;
	struct address at;
	int fd = listen_on(runtime_function(r), address, &at);

	if (fd == -1)
		return NULL;
	a = xcalloc(1, sizeof *a);
	address_text((const struct sockaddr *)&at.sa, a->address);
	a->name = xstrdup(address);
	a->is_loopback = address_is_loopback(&at);
	a->runtime = r;
	a->http = http_server_new(l, &http_conf, on_request, a);
	http_server_listen(a->http, fd);
	return a;
}

/* A worker on another machine may vanish silently: the kernel probes each accepted socket. */
static void keep_alive(int fd)
{
	const int on = 1, idle_s = 10, every_s = 5, times = 3;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

static int listen_on(const char *function, const char *address, struct address *at)
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
	http_server_free(a->http);
	free(a->name);
	free(a);
}

const char *runtime_api_address(const struct runtime_api *a)
{
	return a->address;
}

/* ---- answers ---- */

static void reply(struct http_request *q, int status, const char *text)
{
	struct response_header json = HTTP_HEADER("Content-Type", "application/json");

	http_reply(q, status, &json, 1, span_str(text));
}

static void reply_ok(struct http_request *q)
{
	reply(q, 202, "{\"status\":\"OK\"}");
}

static void refuse(struct http_request *q, int status, const char *type,
		   const char *message)
{
	char *text = xasprintf("{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n",
			       message, type);

	log_info_flood("runtime.refused", B("uri", q->head.path), I("status", status),
		       S("why", message));
	reply(q, status, text);
	free(text);
}

/* What the server refuses by itself. */
static size_t on_refusal(void *arg, int status, const char *why,
			 struct response_header *out)
{
	(void)arg;
	(void)out;
	log_info_flood("runtime.refused", I("status", status), S("why", why));
	return 0;
}

static void on_full(void *arg)
{
	const struct runtime_api *a = arg;

	log_warn_flood("runtime.full", S("function", runtime_function(a->runtime)),
		       I("connections", http_connections(a->http)),
		       S("hint", "raise the limit of open files, or add brokers"));
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

/* Answers by itself, and returns false. Workers of other machines may use any name for this one. */
static bool may_ask(struct runtime_api *a, struct http_request *q)
{
	const struct sender_hosts hosts = {
		a->is_loopback ? a->name : NULL,
		"set AWS_LAMBDA_RUNTIME_API to that address, or give --runtime-address"};
	char why[SENDER_WHY];

	if (sender_check(&q->head, &hosts, why) == OK)
		return true;
	refuse(q, 403, "Forbidden", why);
	return false;
}

static void on_request(void *arg, struct http_request *q)
{
	struct runtime_api *a = arg;
	struct span path = q->head.path;
	bool posts = span_is(q->head.method, "POST");
	bool gets = span_is(q->head.method, "GET");

	if (!may_ask(a, q))
		return;
	if (gets && span_is(path, "/ping"))
		reply(q, 200, "pong");
	else if (!begins(&path, root))
		refuse(q, 404, "NotFound", "There is the API of 2018-06-01 alone");
	else if (gets && span_is(path, "invocation/next"))
		next(a, q);
	else if (posts && span_is(path, "init/error"))
		init_error(a, q);
	else if (posts && begins(&path, "invocation/"))
		answer(a, q, path);
	else
		refuse(q, 404, "NotFound", "No such method and path");
}

/* curl(1) and the like make a connection for each request. */
static bool makes_many_connections(const struct request *r)
{
	const struct header *agent = request_header(r, "User-Agent");

	return !r->keep_alive ||
	       (agent != NULL && agent->value.n >= 5 &&
		strncasecmp((const char *)agent->value.p, "curl/", 5) == 0);
}

static uint16_t port_of(const struct http_connection *c)
{
	const struct sockaddr *sa = http_connection_peer(c);

	return ntohs(sa->sa_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port
			     : ((const struct sockaddr_in *)(const void *)sa)->sin_port);
}

static void on_gone(void *arg)
{
	runtime_worker_lost(arg);
}

static void next(struct runtime_api *a, struct http_request *q)
{
	struct worker *w = http_connection_watcher(q->connection);

	if (w != NULL && w->invocation != NULL) {
		refuse(q, 403, "InvalidStateTransition",
		       "State transition from Running to Ready failed for runtime. "
		       "Error: "
		       "State transition is not allowed");
		return;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		w->roams = makes_many_connections(&q->head);
		w->port = port_of(q->connection);
		http_connection_watch(q->connection, on_gone, w);
	}
	w->poll = q;
	http_keep(q, NULL, NULL); /* its end is that of the connection */
	runtime_worker_polls(a->runtime, w);
}

/* "Root=1-67891233-abcdef012345678912345678", as X-Ray has it. */
static void print_trace(int64_t since_1970_ms, char out[TRACE_TEXT])
{
	uint32_t random[3];

	evutil_secure_rng_get_bytes(random, sizeof random);
	snprintf(out, TRACE_TEXT, "Root=1-%08x-%08x%08x%08x;Sampled=0",
		 (unsigned)(since_1970_ms / 1000), random[0], random[1], random[2]);
}

void runtime_api_send(struct worker *w)
{
	struct invocation *i = w->invocation;
	struct http_request *q = w->poll;
	char deadline[24], trace[TRACE_TEXT];

	snprintf(deadline, sizeof deadline, "%" PRId64, i->deadline_ms);
	print_trace(i->deadline_ms - i->timeout_ms, trace);

	const struct response_header h[] = {
		/* Exactly this: awslambdaric gives other bodies to the function as they are. */
		HTTP_HEADER("Content-Type", "application/json"),
		HTTP_HEADER("Lambda-Runtime-Aws-Request-Id", i->id),
		HTTP_HEADER("Lambda-Runtime-Deadline-Ms", deadline),
		HTTP_HEADER("Lambda-Runtime-Invoked-Function-Arn", i->arn),
		HTTP_HEADER("Lambda-Runtime-Trace-Id", trace),
	};

	w->poll = NULL;
	http_reply(q, 200, h, sizeof h / sizeof *h, blob_span(i->event));
}

/* AWS's client for Python ends its process when it gets another status than 202. */
static void returned_too_much(struct invocation *i, struct http_request *q)
{
	char why[WHY_TEXT];

	snprintf(why, sizeof why,
		 "Function.ResponseSizeTooLarge: it returned %zu bytes, at most %d are "
		 "taken; return less, or where the rest can be found",
		 q->body.n, RESPONSE_MOST);
	runtime_fail(i, RESULT_FAILED, why);
	reply_ok(q);
}

static void returned(struct invocation *i, struct http_request *q)
{
	if (q->body.n > RESPONSE_MOST) {
		returned_too_much(i, q);
		return;
	}
	runtime_end(i, &(struct result){
			       .kind = RESULT_OK, .status = 200, .payload = q->body});
	reply_ok(q);
}

/* The body's error in one line, or the one that a header names. */
static void read_error(const struct http_request *q, char out[RUNTIME_ERROR_TEXT])
{
	const struct header *type =
		request_header(&q->head, "Lambda-Runtime-Function-Error-Type");

	runtime_error_text(q->body, type ? type->value : span_of(NULL, 0), out);
}

static void threw(struct invocation *i, struct http_request *q)
{
	char why[RUNTIME_ERROR_TEXT];

	read_error(q, why);
	runtime_end(i, &(struct result){
			       .kind = RESULT_FAILED, .why = why, .payload = q->body});
	reply_ok(q);
}

/* Clients may escape what is in an id: aws-lambda-ric does. */
static struct span id_of(struct span path, char room[INVOCATION_ID])
{
	long n = percent_decode(path, room, INVOCATION_ID);

	return n < 0 ? path : span_of(room, (size_t)n);
}

/* path is "{id}/response" or "{id}/error". */
static void answer(struct runtime_api *a, struct http_request *q, struct span path)
{
	struct worker *w = http_connection_watcher(q->connection);
	const uint8_t *slash = memchr(path.p, '/', path.n);
	struct span id = span_of(path.p, slash ? (size_t)(slash - path.p) : path.n);
	struct span rest = span_of(path.p + id.n, path.n - id.n);
	bool is_error = span_is(rest, "/error");
	char room[INVOCATION_ID];
	struct invocation *i;

	if (!is_error && !span_is(rest, "/response")) {
		refuse(q, 404, "NotFound", "No such method and path");
		return;
	}
	i = runtime_find(a->runtime, w, id_of(id, room));
	if (i == NULL)
		refuse(q, 400, "InvalidRequestID", "Invalid request ID");
	else if (is_error)
		threw(i, q);
	else
		returned(i, q);
}

static void init_error(struct runtime_api *a, struct http_request *q)
{
	char why[RUNTIME_ERROR_TEXT];

	read_error(q, why);
	runtime_cannot_start(a->runtime, why);
	reply_ok(q);
}
