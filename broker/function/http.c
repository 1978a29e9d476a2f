/*
 * Functions that are reached over HTTP: the event is POSTed to a URL. A URL that ends in
 * /2015-03-31/functions/NAME/invocations is Lambda's Invoke, as AWS's images serve it.
 *
 *   invoke → try → on_reply → (a pause, and try again) → fn
 *
 * What comes back:
 *   a JSON object with a statusCode   a Lambda proxy result
 *   anything else from 200 to 499     its status and its body, as they are
 *   429                               throttled
 *   1xx, 5xx, X-Amz-Function-Error    the function failed: 101 would be an upgrade that nobody asked for
 *
 * When it failed, a connect is tried again twice, while there is time for its verdict; a
 * message is not, since it may have been done. A disconnect is tried once more, and only
 * when a kept connection had ended: it is owed, and comes again some time later (redelivery.h).
 *
 * A function that cannot be reached, or does not answer in time, is left alone after ten
 * such failures in a row (circuit.h). One that throws is not: it is there, and what one
 * client makes it do must not take it from the others.
 * A disconnect is never turned away: it waits until the function is tried again.
 */
#include "broker/function/function.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/function/circuit.h"
#include "broker/payload/event.h"
#include "broker/function/http_client.h"
#include "json/read.h"
#include "broker/cluster/edges.h"
#include "broker/function/route.h"
#include "broker/runtime/error.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>

enum { PAUSE_FIRST_MS = 100, VERDICT_MS = 30000, PAUSE_CIRCUIT_MS = 250 };

struct http_function {
	struct broker *broker;
	const struct config_function *config;
	struct circuit circuit;
	unsigned in_flight;
	bool is_closed; /* by the configuration: freed with its last invocation */
	LIST_HEAD(, invocation) invocations;
	struct metric *done, *failed, *throttled;
};

struct invocation {
	LIST_ENTRY(invocation) in;
	struct http_function *function;
	struct call *call;
	struct blob *event;
	result_fn *fn;
	struct timer *pause;
	int64_t since_ms;
	unsigned tries;
	bool is_probe; /* of the circuit */
};

static void try(void *arg);
static void post(struct invocation *i);
static void on_reply(void *arg, const struct http_reply *r);
static void finish(struct invocation *i, const struct result *r);

static struct metric *counter(struct broker *b, const char *name, const char *function,
			      const char *help)
{
	char *labels = xasprintf("function=\"%s\"", function);
	struct metric *m = metric_counter(b->metrics, name, labels, help);

	free(labels);
	return m;
}

static void *open_function(struct broker *b, const struct function *f)
{
	struct http_function *h = xcalloc(1, sizeof *h);

	h->broker = b;
	h->config = f->config;
	LIST_INIT(&h->invocations);
	h->done = counter(b, "gatepost_broker_http_invocations_total", f->config->name,
			  "Invocations of functions over HTTP");
	h->failed = counter(b, "gatepost_broker_http_failures_total", f->config->name,
			    "Tries of them that failed");
	h->throttled =
		counter(b, "gatepost_broker_http_throttled_total", f->config->name,
			"Invocations refused since --http-in-flight were under way");
	return h;
}

static void invocation_free(struct invocation *i)
{
	struct http_function *h = i->function;

	LIST_REMOVE(i, in);
	timer_free(i->pause);
	blob_unref(i->event);
	free(i);
	if (h->is_closed && LIST_EMPTY(&h->invocations))
		free(h);
}

static void close_function(void *state)
{
	struct http_function *h = state;

	h->is_closed = true;
	if (LIST_EMPTY(&h->invocations)) {
		free(h);
		return;
	}
	if (h->broker->http != NULL)
		return; /* a new configuration: what is under way goes on */
	for (struct invocation *i = LIST_FIRST(&h->invocations), *next; i != NULL;
	     i = next) {
		next = LIST_NEXT(i, in);
		invocation_free(i);
	}
}

static void fail(struct call *c, enum result_kind kind, const char *why, result_fn *fn)
{
	struct result r = {.kind = kind, .why = why};

	fn(c, &r);
}

static void invoke(const struct function *f, struct call *c, enum event_form form,
		   result_fn *fn)
{
	struct http_function *h = f->state;
	bool bye = c->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	struct invocation *i;
	struct blob *event;

	if (!bye && h->in_flight >= (unsigned)h->broker->conf.http_in_flight) {
		metric_add(h->throttled, 1);
		fail(c, RESULT_THROTTLED,
		     "too many invocations in flight: --http-in-flight", fn);
		return;
	}
	event = function_event(c, form);
	if (event == NULL) {
		fail(c, RESULT_FAILED, "the edge sent an event that cannot be read", fn);
		return;
	}
	i = xcalloc(1, sizeof *i);
	i->since_ms = loop_now(h->broker->loop);
	i->function = h;
	i->call = c;
	i->fn = fn;
	i->event = event;
	i->pause = timer_new(h->broker->loop, try, i);
	h->in_flight++;
	LIST_INSERT_HEAD(&h->invocations, i, in);
	metric_add(h->done, 1);
	try(i);
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

static void turn_away(struct invocation *i)
{
	static const struct result r = {
		.kind = RESULT_UNREACHABLE,
		.why = "circuit open: it failed too often in a row",
	};

	if (i->call->kind == GATEPOST__EVENT__KIND__DISCONNECT)
		timer_after(i->pause, PAUSE_CIRCUIT_MS);
	else
		finish(i, &r);
}

static void try(void *arg)
{
	struct invocation *i = arg;
	struct http_function *h = i->function;

	if (circuit_enter(&h->circuit, loop_now(h->broker->loop), &i->is_probe))
		post(i);
	else
		turn_away(i);
}

/* With headers for backends that would rather not read JSON to know whom they talk to. */
static void post(struct invocation *i)
{
	const struct call *c = i->call;
	char id[ID_TEXT];
	char *connection = xasprintf("connectionid: %s", id_text(&c->id, id));
	char *kind = xasprintf("eventtype: %s", kinds[c->kind]);
	char *route = xasprintf("routekey: %s", c->route ? c->route->config->key : "");
	const char *headers[] = {"Content-Type: application/json", connection, kind,
				 route};

	i->tries++;
	http_client_post(c->broker->http,
			 &(struct http_post){
				 .url = i->function->config->handler,
				 .headers = headers,
				 .n = sizeof headers / sizeof *headers,
				 .client = id_span(&c->id),
				 .body = i->event,
				 .timeout_ms = i->function->config->timeout_ms,
			 },
			 on_reply, i);
	free(connection);
	free(kind);
	free(route);
}

/* ---- what comes back ---- */

/* Does it begin as an object of JSON does, after blanks and a byte order mark? */
static bool is_like_object(struct span body)
{
	size_t at = body.n >= 3 && memcmp(body.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (at < body.n && memchr(" \t\r\n", body.p[at], 4) != NULL)
		at++;
	return at < body.n && body.p[at] == '{';
}

static bool is_proxy_result(const struct invocation *i, const struct http_reply *r)
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
			       S("function", i->function->config->name),
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

/* A text frame is UTF-8 (RFC 6455 5.6): what is not goes as bytes, unless it was meant as text. */
static struct blob *repair(const struct invocation *i, const struct http_reply *r)
{
	struct blob *b = NULL;

	if (i->call->kind != GATEPOST__EVENT__KIND__MESSAGE || utf8_check(r->body) ||
	    !is_text_type(r->content_type))
		return NULL;
	b = blob_alloc(utf8_repair(r->body, NULL));
	utf8_repair(r->body, b->p);
	log_info_flood("result.repaired", S("route", i->call->route->config->key),
		       S("function", i->function->config->name),
		       S("why", "invalid UTF-8 replaced with U+FFFD"),
		       I("at", utf8_good(r->body)));
	return b;
}

static void finish_as_it_is(struct invocation *i, const struct http_reply *r)
{
	bool message = i->call->kind == GATEPOST__EVENT__KIND__MESSAGE;
	char *type = r->content_type.n > 0 ? span_dup(r->content_type) : NULL;
	struct blob *repaired = repair(i, r);
	struct span body = repaired != NULL ? blob_span(repaired) : r->body;
	struct call_header header = {"Content-Type", type};
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

	finish(i, &result);
	blob_unref(repaired);
	free(type);
}

static void finish_proxy(struct invocation *i, const struct http_reply *r)
{
	struct result result = {0};
	struct event_result *parsed = event_result_parse(i->call, r->body, &result);

	result.payload = r->body;
	finish(i, &result);
	event_result_free(parsed);
}

static bool has_failed(const struct http_reply *r)
{
	return r->end != HTTP_ANSWERED || r->status < 200 || r->status >= 500 ||
	       r->status == 429 || r->function_error;
}

/* Is it away, rather than there and failing? A gateway in front of it speaks for it. */
static bool is_away(const struct http_reply *r)
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

static bool tries_again(struct invocation *i, const struct http_reply *r)
{
	int64_t took = loop_now(i->function->broker->loop) - i->since_ms;

	if (r->end == HTTP_TOOBIG || i->tries >= most_tries[i->call->kind])
		return false;
	if (i->call->kind == GATEPOST__EVENT__KIND__DISCONNECT && !r->is_stale)
		return false; /* it is owed, and comes again */
	if (i->call->kind == GATEPOST__EVENT__KIND__CONNECT &&
	    took + i->function->config->timeout_ms > VERDICT_MS)
		return false; /* the client would have been told 504 by then */
	timer_after(i->pause, (int64_t)PAUSE_FIRST_MS << (i->tries - 1));
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
		result.why = "Unauthorized"; /* an authorizer's word: 401 */
	else if (r->end == HTTP_ANSWERED)
		result.why = r->function_error
				     ? "function answered with X-Amz-Function-Error"
			     : r->status < 200
				     ? "function answered with a status below 200"
				     : "function answered with a status of 500 or over";
	return result;
}

/* Its time may be over only since ours stood still. */
static bool is_its_fault(const struct invocation *i, const struct http_reply *r)
{
	return is_away(r) && !edges_were_stopped(i->function->broker->edges, i->since_ms);
}

static void note(struct invocation *i, const struct http_reply *r)
{
	struct http_function *h = i->function;

	if (has_failed(r))
		metric_add(h->failed, 1);
	if (circuit_note(&h->circuit, loop_now(h->broker->loop), i->is_probe,
			 is_its_fault(i, r)))
		log_warn("function.circuit_open", S("function", h->config->name),
			 I("ms", h->circuit.rest_ms),
			 S("why", r->why ? r->why : "function answered 502, 503 or 504"));
}

static void on_reply(void *arg, const struct http_reply *r)
{
	struct invocation *i = arg;
	struct result result;

	note(i, r);
	if (!has_failed(r) && is_proxy_result(i, r)) {
		finish_proxy(i, r);
	} else if (!has_failed(r)) {
		finish_as_it_is(i, r);
	} else if (!tries_again(i, r)) {
		result = failure(r);
		finish(i, &result);
	}
}

static void finish(struct invocation *i, const struct result *r)
{
	i->function->in_flight--;
	i->fn(i->call, r);
	invocation_free(i);
}

const struct integration integration_http = {
	.sort = CONFIG_HTTP,
	.open = open_function,
	.close = close_function,
	.invoke = invoke,
};
