#include "broker/function/http.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/function/circuit.h"
#include "broker/payload/event.h"
#include "json/read.h"
#include "broker/runtime/error.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>

enum { PAUSE_FIRST_MS = 100, REPLY_MS = 30000, PAUSE_CIRCUIT_MS = 250 };

struct http_functions {
	struct http_functions_uses uses;
	unsigned in_flight;
	LIST_HEAD(, http_function) list;
};

struct http_function {
	LIST_ENTRY(http_function) next;
	struct http_functions *all;
	const struct config_function *config;
	struct circuit circuit;
	unsigned in_flight;
	bool is_closed; /* by the configuration: freed with its last delivery */
	LIST_HEAD(, delivery) deliveries;
	struct metric *done, *failed, *throttled;
};

/* An invocation in flight. */
struct delivery {
	LIST_ENTRY(delivery) next;
	struct http_function *function;
	const struct invocation *in;
	struct blob *event;
	result_fn *fn;
	void *arg;
	struct timer *pause;
	int64_t since_ms;
	unsigned tries;
	bool is_probe; /* of the circuit */
};

static void attempt(void *arg);
static void post(struct delivery *d);
static void on_reply(void *arg, const struct http_reply *r);
static void finish(struct delivery *d, const struct result *r);

struct http_functions *http_functions_new(int64_t in_flight,
					  const struct http_functions_uses *uses)
{
	struct http_functions *all = xcalloc(1, sizeof *all);

	all->uses = *uses;
	all->in_flight = (unsigned)in_flight;
	LIST_INIT(&all->list);
	return all;
}

static struct metric *counter(struct metrics *m, const char *name, const char *function,
			      const char *help)
{
	char *labels = xasprintf("function=\"%s\"", function);
	struct metric *c = metric_counter(m, name, labels, help);

	free(labels);
	return c;
}

static void *open_function(void *arg, const struct config_function *config)
{
	struct http_functions *all = arg;
	struct metrics *m = all->uses.metrics;
	struct http_function *h = xcalloc(1, sizeof *h);

	h->all = all;
	h->config = config;
	LIST_INIT(&h->deliveries);
	LIST_INSERT_HEAD(&all->list, h, next);
	h->done = counter(m, "gatepost_broker_http_invocations_total", config->name,
			  "Invocations of functions over HTTP");
	h->failed = counter(m, "gatepost_broker_http_failures_total", config->name,
			    "Failed attempts of invocations over HTTP");
	h->throttled = counter(m, "gatepost_broker_http_throttled_total", config->name,
			       "Invocations refused by --http-in-flight");
	return h;
}

static void function_free(struct http_function *h)
{
	LIST_REMOVE(h, next);
	free(h);
}

/* The function is freed with its last one, if it is closed. */
static void delivery_free(struct delivery *d)
{
	struct http_function *h = d->function;

	LIST_REMOVE(d, next);
	timer_free(d->pause);
	blob_unref(d->event);
	free(d);
	if (h->is_closed && LIST_EMPTY(&h->deliveries))
		function_free(h);
}

/* Called by a new configuration, from inside the last result_fn, or at the end of the process. */
static void close_function(void *state)
{
	struct http_function *h = state;

	h->is_closed = true;
	if (LIST_EMPTY(&h->deliveries))
		function_free(h);
}

void http_functions_free(struct http_functions *all)
{
	if (all == NULL)
		return;
	for (struct http_function *h = LIST_FIRST(&all->list), *next; h != NULL;
	     h = next) {
		next = LIST_NEXT(h, next);
		for (struct delivery *d = LIST_FIRST(&h->deliveries), *d_next; d != NULL;
		     d = d_next) {
			d_next = LIST_NEXT(d, next);
			delivery_free(d);
		}
	}
	free(all);
}

static void fail(enum result_kind kind, const char *why, result_fn *fn, void *arg)
{
	struct result r = {.kind = kind, .why = why};

	fn(arg, &r);
}

static void invoke(void *state, const struct config_function *config,
		   const struct invocation *in, enum event_form form, result_fn *fn,
		   void *arg)
{
	struct http_function *h = state;
	struct loop *loop = h->all->uses.loop;
	bool bye = in->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	struct delivery *d;
	struct blob *event;

	(void)config; /* the one of open: it has the only reference to this state */
	if (!bye && h->in_flight >= h->all->in_flight) {
		metric_add(h->throttled, 1);
		fail(RESULT_THROTTLED, "too many invocations in flight: --http-in-flight",
		     fn, arg);
		return;
	}
	event = event_json(in, form);
	if (event == NULL) {
		fail(RESULT_FAILED, "the edge sent an event that cannot be read", fn,
		     arg);
		return;
	}
	d = xcalloc(1, sizeof *d);
	d->since_ms = loop_now(loop);
	d->function = h;
	d->in = in;
	d->fn = fn;
	d->arg = arg;
	d->event = event;
	d->pause = timer_new(loop, attempt, d);
	h->in_flight++;
	LIST_INSERT_HEAD(&h->deliveries, d, next);
	metric_add(h->done, 1);
	attempt(d);
}

static const char *const kinds[] = {
	[GATEPOST__EVENT__KIND__CONNECT] = "CONNECT",
	[GATEPOST__EVENT__KIND__MESSAGE] = "MESSAGE",
	[GATEPOST__EVENT__KIND__DISCONNECT] = "DISCONNECT",
	[GATEPOST__EVENT__KIND__HTTP] = "HTTP",
};

static const unsigned most_tries[] = {
	[GATEPOST__EVENT__KIND__CONNECT] = 3,
	[GATEPOST__EVENT__KIND__MESSAGE] = 1,
	[GATEPOST__EVENT__KIND__DISCONNECT] = 2,
	[GATEPOST__EVENT__KIND__HTTP] = 1,
};

static void refuse(struct delivery *d)
{
	static const struct result r = {
		.kind = RESULT_UNREACHABLE,
		.why = "circuit open: it failed too often in a row",
	};

	if (d->in->kind == GATEPOST__EVENT__KIND__DISCONNECT)
		timer_after(d->pause, PAUSE_CIRCUIT_MS);
	else
		finish(d, &r);
}

static void attempt(void *arg)
{
	struct delivery *d = arg;
	struct http_function *h = d->function;

	if (circuit_allow(&h->circuit, loop_now(h->all->uses.loop), &d->is_probe))
		post(d);
	else
		refuse(d);
}

/* With headers for backends that do not want to parse JSON to find the connection. */
static void post(struct delivery *d)
{
	const struct invocation *in = d->in;
	char id[ID_TEXT];
	bool is_of_cluster = in->channel != NULL && in->channel->is_of_cluster;
	char *connection =
		xasprintf("connectionid: %s", is_of_cluster ? "" : id_text(&in->id, id));
	char *kind = xasprintf("eventtype: %s",
			       in->channel != NULL ? "CHANNEL" : kinds[in->kind]);
	char *route =
		xasprintf("routekey: %s",
			  in->kind == GATEPOST__EVENT__KIND__HTTP ? "" : in->route->key);
	const char *headers[] = {"Content-Type: application/json", connection, kind,
				 route};

	d->tries++;
	http_client_post(d->function->all->uses.client,
			 &(struct http_post){
				 .url = d->function->config->handler,
				 .headers = headers,
				 .n = sizeof headers / sizeof *headers,
				 .client = id_span(&in->id),
				 .body = d->event,
				 .timeout_ms = d->function->config->timeout_ms,
			 },
			 on_reply, d);
	free(connection);
	free(kind);
	free(route);
}

/* ---- responses ---- */

/* Does it begin like a JSON object, after blanks and a byte order mark? */
static bool is_like_object(struct span body)
{
	size_t at = body.n >= 3 && memcmp(body.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (at < body.n && memchr(" \t\r\n", body.p[at], 4) != NULL)
		at++;
	return at < body.n && body.p[at] == '{';
}

static bool is_proxy_result(const struct delivery *d, const struct http_reply *r)
{
	struct json_step step = {.key = span_str("statusCode")};
	struct json_path path = {&step, 1};
	struct json_report report;
	struct json_value v;
	enum err e;

	if (!is_like_object(r->body))
		return false;
	e = json_read(r->body, &path, JSON_OF_FUNCTION, &v, &report);
	if (e != OK)
		log_info_flood("result.not_json",
			       S("function", d->function->config->name),
			       I("at", report.at), S("expected", report.expected),
			       S("answer", "sent as it is"),
			       S("hint", "reduce the nesting, or raise --json-depth"));
	return e == OK && v.kind != JSON_IS_MISSING;
}

/* Does the server say that it is text? */
static bool is_text_type(struct span type)
{
	static const char *const begins[] = {"text/", "application/json",
					     "application/xml", "application/javascript"};
	char *text = span_dup(type);
	bool found = strcasestr(text, "charset=") != NULL ||
		     strcasestr(text, "+json") != NULL ||
		     strcasestr(text, "+xml") != NULL;

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		found = found || strncasecmp(text, begins[i], strlen(begins[i])) == 0;
	free(text);
	return found;
}

/* A text frame is UTF-8 (RFC 6455 5.6): other bytes are sent as binary, unless the server declared text. */
static struct blob *repair(const struct delivery *d, const struct http_reply *r)
{
	struct blob *b = NULL;

	if (d->in->kind != GATEPOST__EVENT__KIND__MESSAGE || utf8_check(r->body) ||
	    !is_text_type(r->content_type))
		return NULL;
	b = blob_alloc(utf8_repair(r->body, NULL));
	utf8_repair(r->body, b->p);
	log_info_flood("result.repaired", S("route", d->in->route->key),
		       S("function", d->function->config->name),
		       S("why", "invalid UTF-8 replaced with U+FFFD"),
		       I("at", utf8_good(r->body)));
	return b;
}

static void finish_as_it_is(struct delivery *d, const struct http_reply *r)
{
	bool message = d->in->kind == GATEPOST__EVENT__KIND__MESSAGE;
	char *type = r->content_type.n > 0 ? span_dup(r->content_type) : NULL;
	struct blob *repaired = repair(d, r);
	struct span body = repaired != NULL ? blob_span(repaired) : r->body;
	struct result_header header = {"Content-Type", type};
	struct result result = {
		.kind = RESULT_OK,
		.payload = r->body,
		.status = r->status,
		.has_body = r->body.n > 0,
		.binary = message && !utf8_check(body),
		.body = body,
		.headers = &header,
		.n_headers = type != NULL,
	};

	finish(d, &result);
	blob_unref(repaired);
	free(type);
}

static void finish_proxy(struct delivery *d, const struct http_reply *r)
{
	struct result result = {0};
	struct event_result *parsed = event_result_parse(d->in, r->body, &result);

	result.payload = r->body;
	finish(d, &result);
	event_result_free(parsed);
}

static bool has_failed(const struct http_reply *r)
{
	return r->end != HTTP_ANSWERED || r->status < 200 || r->status >= 500 ||
	       r->status == 429 || r->function_error;
}

/* Is it unreachable, or only failing? A gateway in front of it reports that with its status. */
static bool is_unreachable(const struct http_reply *r)
{
	switch (r->end) {
	case HTTP_ANSWERED: return r->status >= 502 && r->status <= 504;
	case HTTP_TOOBIG:
	case HTTP_FULL: return false;
	case HTTP_UNREACHABLE:
	case HTTP_BROKEN:
	case HTTP_LATE: return true;
	}
	return true;
}

static bool may_retry(struct delivery *d, const struct http_reply *r)
{
	int64_t took = loop_now(d->function->all->uses.loop) - d->since_ms;

	if (r->end == HTTP_TOOBIG || d->tries >= most_tries[d->in->kind])
		return false;
	if (d->in->kind == GATEPOST__EVENT__KIND__DISCONNECT && !r->is_stale)
		return false; /* it is redelivered */
	if (d->in->kind == GATEPOST__EVENT__KIND__CONNECT &&
	    took + d->function->config->timeout_ms > REPLY_MS)
		return false; /* the client has got 504 by then */
	timer_after(d->pause, (int64_t)PAUSE_FIRST_MS << (d->tries - 1));
	return true;
}

static struct result failure(const struct http_reply *r)
{
	static const enum result_kind kinds_of_end[] = {
		[HTTP_ANSWERED] = RESULT_FAILED, [HTTP_UNREACHABLE] = RESULT_UNREACHABLE,
		[HTTP_BROKEN] = RESULT_FAILED,   [HTTP_LATE] = RESULT_TIMEOUT,
		[HTTP_TOOBIG] = RESULT_FAILED,   [HTTP_FULL] = RESULT_UNREACHABLE,
	};
	struct result result = {.kind = kinds_of_end[r->end], .why = r->why};

	if (r->end == HTTP_ANSWERED && r->status == 429)
		result = (struct result){.kind = RESULT_THROTTLED,
					 .why = "function answered 429"};
	else if (r->function_error && runtime_error_is(r->body, "Unauthorized"))
		result.why = "Unauthorized"; /* an authorizer's answer: 401 */
	else if (r->end == HTTP_ANSWERED)
		result.why = r->function_error
				     ? "function answered with X-Amz-Function-Error"
			     : r->status < 200
				     ? "function answered with a status below 200"
				     : "function answered with a status of 500 or over";
	return result;
}

/* Its timeout may only have passed because this process was stopped. */
static bool is_its_fault(const struct delivery *d, const struct http_reply *r)
{
	const struct http_functions_uses *uses = &d->function->all->uses;

	return is_unreachable(r) && !uses->was_stopped(uses->arg, d->since_ms);
}

static void record(struct delivery *d, const struct http_reply *r)
{
	struct http_function *h = d->function;

	if (has_failed(r))
		metric_add(h->failed, 1);
	if (circuit_record(&h->circuit, loop_now(h->all->uses.loop), d->is_probe,
			   is_its_fault(d, r)))
		log_warn("function.circuit_open", S("function", h->config->name),
			 I("ms", h->circuit.rest_ms),
			 S("why", r->why ? r->why : "function answered 502, 503 or 504"));
}

static void on_reply(void *arg, const struct http_reply *r)
{
	struct delivery *d = arg;
	struct result result;

	record(d, r);
	if (!has_failed(r) && is_proxy_result(d, r)) {
		finish_proxy(d, r);
	} else if (!has_failed(r)) {
		finish_as_it_is(d, r);
	} else if (!may_retry(d, r)) {
		result = failure(r);
		finish(d, &result);
	}
}

static void finish(struct delivery *d, const struct result *r)
{
	d->function->in_flight--;
	d->fn(d->arg, r);
	delivery_free(d);
}

struct integration http_integration(struct http_functions *all)
{
	return (struct integration){open_function, close_function, invoke, all};
}
