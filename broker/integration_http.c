/*
 * Functions that are reached over HTTP: the event is POSTed to a URL. A URL that ends in
 * /2015-03-31/functions/NAME/invocations is Lambda's Invoke, as AWS's images serve it.
 *
 *   invoke → try → on_reply → (a pause, and try again) → fn
 *
 * What comes back:
 *   a JSON object with a statusCode   a Lambda proxy result
 *   anything else below 500           its status and its body, as they are
 *   429                               throttled
 *   5xx, X-Amz-Function-Error         the function failed
 *
 * A connect is tried again twice, a disconnect six times, when nobody answered; a message
 * is not, since it may have been done. A function that fails ten times in a row is left
 * alone for a second, then for longer and longer up to half a minute, and tried with one
 * invocation at a time: its circuit is open meanwhile.
 */
#include "broker/function.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/event.h"
#include "broker/http_client.h"
#include "broker/json.h"
#include "broker/route.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { TRIP = 10, REST_FIRST_MS = 1000, REST_MOST_MS = 30000, PAUSE_FIRST_MS = 100 };

struct circuit {
	unsigned failures; /* in a row */
	int64_t rest_ms;   /* how long it is left alone next */
	int64_t until_ms;  /* left alone until then */
};

struct http_function {
	struct broker *broker;
	const struct config_function *config;
	struct circuit circuit;
	unsigned in_flight;
	bool is_closed; /* by the configuration: freed with its last invocation */
	LIST_HEAD(, invocation) invocations;
	struct metric *done, *failed;
};

struct invocation {
	LIST_ENTRY(invocation) in;
	struct http_function *function;
	struct call *call;
	struct blob *event;
	result_fn *fn;
	struct timer *pause;
	unsigned tries;
	int64_t since_ms;
};

static void try(void *arg);
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
	struct broker *b = h->broker;
	struct invocation *i;
	struct blob *event;

	if (loop_now(b->loop) < h->circuit.until_ms) {
		fail(c, RESULT_UNREACHABLE,
		     "it failed again and again, and is left alone for a while", fn);
		return;
	}
	if (h->in_flight >= (unsigned)b->conf.http_in_flight) {
		fail(c, RESULT_THROTTLED, "http-in-flight invocations are under way", fn);
		return;
	}
	event = function_event(c, form);
	if (event == NULL) {
		fail(c, RESULT_FAILED, "the edge sent an event that cannot be read", fn);
		return;
	}
	i = xcalloc(1, sizeof *i);
	i->function = h;
	i->call = c;
	i->fn = fn;
	i->event = event;
	i->pause = timer_new(b->loop, try, i);
	i->since_ms = loop_now(b->loop);
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
	[GATEPOST__EVENT__KIND__DISCONNECT] = 7,
	[GATEPOST__EVENT__KIND__HTTP] = 1,
};

/* For backends that would rather not read JSON to know whom they talk to. */
static void try(void *arg)
{
	struct invocation *i = arg;
	const struct call *c = i->call;
	char id[ID_TEXT];
	char *connection = xasprintf("connectionid: %s", id_text(&c->id, id));
	char *kind = xasprintf("eventtype: %s", kinds[c->kind]);
	char *route = xasprintf("routekey: %s", c->route ? c->route->config->key : "");
	const char *headers[] = {"Content-Type: application/json", connection, kind,
				 route};

	i->tries++;
	http_client_post(c->broker->http, i->function->config->handler, headers, 4,
			 i->event, i->function->config->timeout_ms, on_reply, i);
	free(connection);
	free(kind);
	free(route);
}

/* ---- the circuit ---- */

static void note_success(struct http_function *h)
{
	h->circuit = (struct circuit){0};
}

static void note_failure(struct http_function *h)
{
	struct circuit *k = &h->circuit;

	metric_add(h->failed, 1);
	if (++k->failures < TRIP)
		return;
	k->rest_ms = k->rest_ms == 0 ? REST_FIRST_MS : 2 * k->rest_ms;
	if (k->rest_ms > REST_MOST_MS)
		k->rest_ms = REST_MOST_MS;
	k->until_ms = loop_now(h->broker->loop) + k->rest_ms;
	k->failures = TRIP - 1; /* one more try, when it has rested */
	log_warn("function.rests", S("function", h->config->name), I("ms", k->rest_ms),
		 S("why", "it failed ten times in a row"));
}

/* ---- what comes back ---- */

static bool is_proxy_result(const struct http_reply *r)
{
	struct json_step step = {.key = span_str("statusCode")};
	struct json_path path = {&step, 1};
	struct json_value v;

	return r->body.n > 0 && r->body.p[0] == '{' &&
	       json_find(r->body, &path, &v) == OK && v.kind != JSON_IS_MISSING;
}

static void finish_as_it_is(struct invocation *i, const struct http_reply *r)
{
	char *type = r->content_type.n > 0 ? span_dup(r->content_type) : NULL;
	struct call_header header = {"Content-Type", type};
	struct result result = {
		.kind = RESULT_OK,
		.payload = r->body,
		.status = r->status,
		.has_body = r->body.n > 0,
		.body = r->body,
		.headers = &header,
		.n_headers = type != NULL,
	};

	finish(i, &result);
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

static bool tries_again(struct invocation *i, const struct http_reply *r)
{
	bool nobody = r->end != HTTP_ANSWERED ? r->end != HTTP_TOOBIG
					      : r->status >= 500 || r->status == 429;

	if (!nobody || i->tries >= most_tries[i->call->kind])
		return false;
	timer_after(i->pause, (int64_t)PAUSE_FIRST_MS << (i->tries - 1));
	return true;
}

static struct result failure(const struct http_reply *r)
{
	static const enum result_kind kinds_of_end[] = {
		[HTTP_ANSWERED] = RESULT_FAILED, [HTTP_UNREACHABLE] = RESULT_UNREACHABLE,
		[HTTP_BROKEN] = RESULT_FAILED,   [HTTP_LATE] = RESULT_TIMEOUT,
		[HTTP_TOOBIG] = RESULT_FAILED,
	};
	struct result result = {.kind = kinds_of_end[r->end], .why = r->why};

	if (r->end == HTTP_ANSWERED && r->status == 429)
		result = (struct result){.kind = RESULT_THROTTLED,
					 .why = "it answered 429"};
	else if (r->end == HTTP_ANSWERED)
		result.why = r->function_error
				     ? "it answered X-Amz-Function-Error"
				     : "it answered with a status of 500 or over";
	return result;
}

static void on_reply(void *arg, const struct http_reply *r)
{
	struct invocation *i = arg;
	bool good = r->end == HTTP_ANSWERED && r->status < 500 && r->status != 429 &&
		    !r->function_error;
	struct result result;

	if (good)
		note_success(i->function);
	else if (r->status != 429)
		note_failure(i->function);
	if (!good && tries_again(i, r))
		return;
	if (!good) {
		result = failure(r);
		finish(i, &result);
	} else if (is_proxy_result(r)) {
		finish_proxy(i, r);
	} else {
		finish_as_it_is(i, r);
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
