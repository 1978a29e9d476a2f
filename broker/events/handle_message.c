/*
 * A client's message.
 *
 *   handle_message   invoke the route's function
 *   on_result        its reply, or an error frame
 *   on_answers       of the client's own actions on channels
 *   on_chosen        of those that the function has chosen
 *
 * source  AWS: "Set up WebSocket API route responses"; aws-websocket-api 1.3
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/channels/client/client.h"
#include "broker/events/choose.h"
#include "broker/events/chosen.h"
#include "broker/events/refusal.h"
#include "broker/routes/route.h"

#include <stdlib.h>

static void on_result(void *arg, const struct result *r);

/* API Gateway's texts, since clients may compare them. */
static const char *const messages[] = {
	[RESULT_FAILED] = "Internal server error",
	[RESULT_TIMEOUT] = "Endpoint request timed out",
	[RESULT_THROTTLED] = "Too Many Requests",
	[RESULT_UNREACHABLE] = "Internal server error",
};

/* A function gets JSON, and binary messages only if that is configured. */
static bool takes_binary(const struct call *c)
{
	return c->message.route->function->config->sort == CONFIG_BUILTIN ||
	       routes_config(c->routes)->binary;
}

static void refuse_binary(struct call *c)
{
	char id[ID_TEXT];

	log_info_flood("message.refused", S("id", id_text(&c->in.id, id)),
		       S("route", c->in.route->key),
		       S("why", "binary message, but the function takes JSON"),
		       I("close", 1003), S("hint", "gatepost.binary: true"));
	call_close(c, 1003, "Binary messages are not accepted: gatepost.binary is off");
}

static bool is_lost(void *arg)
{
	return call_is_lost(arg);
}

static void on_answers(void *arg, const struct action *actions, size_t n,
		       const struct failure *failure)
{
	(void)failure;
	call_answer(arg, actions, n);
}

static void handle_actions(struct call *c)
{
	const struct client_event e = {
		.in = &c->in, .routes = c->routes, .is_lost = is_lost};

	client_handle(c->uses->clients, &e, on_answers, c);
}

void handle_message(struct call *c)
{
	metric_add(c->counts->messages, 1);
	if (c->message.route == NULL) {
		choose_log_unrouted(c, "Forbidden");
		call_reply_error(c, "Forbidden");
	} else if (c->message.route->is_channels) {
		handle_actions(c);
	} else if (c->in.binary && !takes_binary(c)) {
		refuse_binary(c);
	} else {
		function_invoke(c->message.route->function, &c->in, EVENT_PROXY,
				on_result, c);
	}
}

/* The id that the client gave its message; empty: none. */
static struct span id_of(const struct call *c)
{
	static const struct json_step step = {.key = {(const uint8_t *)"id", 2}};
	static const struct json_path path = {&step, 1};
	struct json_value v;

	if (c->in.binary || json_find(c->in.body, &path, &v) != OK ||
	    (v.kind != JSON_IS_STRING && v.kind != JSON_IS_NUMBER) ||
	    v.raw.n > ACTION_ID_MOST)
		return (struct span){0};
	return v.raw;
}

/* Behind the function's body. */
static void on_chosen(void *arg, const struct action *actions, size_t n,
		      const struct failure *failure)
{
	struct call *c = arg;
	const struct refusal *f = c->response;
	struct action *all = xcalloc(n + 1, sizeof *all);

	(void)failure;
	if (f != NULL)
		all[0] = (struct action){
			.kind = ACTION_FRAME,
			.body = blob_span(f->body),
			.binary = f->binary,
		};
	memcpy(all + (f != NULL), actions, n * sizeof *all);
	call_answer(c, all, n + (f != NULL));
	free(all);
}

/* Does it want something of channels? That is begun then. */
static bool begin_chosen(struct call *c, const struct result *r)
{
	const struct chosen_list lists[] = {{VERB_SUBSCRIBE, r->subscribe},
					    {VERB_PUBLISH, r->publish}};
	struct client_event e = {.in = &c->in, .routes = c->routes, .is_lost = is_lost};
	const char *why;

	if (r->subscribe.n == 0 && r->publish.n == 0)
		return false;
	c->chosen = chosen_new(lists, 2, &why);
	if (why != NULL)
		log_warn_flood("result.part.dropped", S("route", c->in.route->key),
			       S("function", c->in.route->function), S("why", why));
	if (c->chosen == NULL)
		return false;
	if (c->in.route->two_way && r->has_body) {
		c->response = refusal_new(r->status, NULL, 0, r->body);
		c->response->binary = r->binary;
	}
	e.id = id_of(c);
	chosen_do(c->chosen, c->uses->clients, &e, on_chosen, c);
	return true;
}

static void on_result(void *arg, const struct result *r)
{
	struct call *c = arg;

	if (r->kind != RESULT_OK) {
		log_warn_flood("function.failed", S("route", c->in.route->key),
			       S("function", c->in.route->function), S("why", r->why));
		call_reply_error(c, messages[r->kind]);
	} else if (begin_chosen(c, r)) {
		return;
	} else if (c->in.route->two_way && r->has_body) {
		call_reply(c, r->body, r->binary);
	} else {
		call_end(c);
	}
}
