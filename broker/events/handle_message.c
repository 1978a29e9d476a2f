/*
 * A client's message.
 *
 *   handle_message   invoke the route's function
 *   on_result        its reply, or an error frame
 *   on_answers       of actions on channels: the client's own, or those that the function chose
 *
 * source  AWS: "Set up WebSocket API route responses"; aws-websocket-api 1.3
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "broker/channels/client.h"
#include "broker/events/choose.h"
#include "broker/routes/route.h"

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

static void on_result(void *arg, const struct result *r)
{
	struct call *c = arg;

	if (r->kind != RESULT_OK) {
		log_warn_flood("function.failed", S("route", c->in.route->key),
			       S("function", c->in.route->function), S("why", r->why));
		call_reply_error(c, messages[r->kind]);
	} else if (c->in.route->two_way && r->has_body) {
		call_reply(c, r->body, r->binary);
	} else {
		call_end(c);
	}
}
