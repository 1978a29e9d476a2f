/*
 * A client's message.
 *
 *   handle_is_parallel   its route
 *   handle_message       ask the route's function
 *   on_result            its answer, or an error frame
 *
 * source  AWS: "Set up WebSocket API route responses"; aws-websocket-api 1.3
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "broker/function/route.h"

#include <stdlib.h>

static void on_result(struct call *c, const struct result *r);

/* API Gateway's texts, so that clients that look for them find them. */
static const char *const messages[] = {
	[RESULT_FAILED] = "Internal server error",
	[RESULT_TIMEOUT] = "Endpoint request timed out",
	[RESULT_THROTTLED] = "Too Many Requests",
	[RESULT_UNREACHABLE] = "Internal server error",
};

/* Nobody's trouble but the client's, who may send many: a line a second. */
static void log_unrouted(const struct call *c, const char *goes)
{
	char id[ID_TEXT], *why = route_explain(c->routes, c->body, c->binary);

	log_info_flood(
		"message.unrouted", S("id", id_text(&c->id, id)), I("bytes", c->body.n),
		S("why", why), S("answer", goes),
		S("hint",
		  "add the route, or $default; for deep nesting raise --json-depth"));
	free(why);
}

bool handle_is_parallel(struct call *c)
{
	bool too_big;

	if (c->kind != GATEPOST__EVENT__KIND__MESSAGE)
		return false;
	c->route = route_select(c->routes, c->body, c->binary, &too_big);
	if (too_big && c->route != NULL)
		log_unrouted(c, "$default");
	return c->route != NULL && c->route->config->parallel;
}

/* A function gets JSON, and a message that is no text only when it has asked for that. */
static bool takes_binary(const struct call *c)
{
	return c->route->function->config->sort == CONFIG_BUILTIN ||
	       routes_config(c->routes)->binary;
}

static void refuse_binary(struct call *c)
{
	char id[ID_TEXT];

	log_info_flood("message.refused", S("id", id_text(&c->id, id)),
		       S("route", c->route->config->key),
		       S("why", "binary message, but the function takes JSON"),
		       I("close", 1003), S("hint", "gatepost.binary: true"));
	call_close(c, 1003, "Binary messages are not taken: gatepost.binary is off");
}

void handle_message(struct call *c)
{
	metric_add(c->broker->counts.messages, 1);
	if (c->route == NULL) {
		log_unrouted(c, "Forbidden");
		call_reply_error(c, "Forbidden");
	} else if (c->binary && !takes_binary(c)) {
		refuse_binary(c);
	} else {
		function_invoke(c->route->function, c, EVENT_PROXY, on_result);
	}
}

static void on_result(struct call *c, const struct result *r)
{
	if (r->kind != RESULT_OK) {
		log_warn_flood("function.failed", S("route", c->route->config->key),
			       S("function", c->route->function->config->name),
			       S("why", r->why));
		call_reply_error(c, messages[r->kind]);
	} else if (c->route->config->two_way && r->has_body) {
		call_reply(c, r->body, r->binary);
	} else {
		call_end(c);
	}
}
