#include "broker/channels/client_access.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/channels/access.h"
#include "broker/channels/session.h"

#include <stdlib.h>

enum { MESSAGE_MOST = 200 }; /* bytes of a refusal in a function's words */

static bool is_publish(const struct session *s)
{
	return s->action.verb == VERB_PUBLISH;
}

static const struct channel_access *rule_of(const struct session *s)
{
	return is_publish(s) ? &s->ns->publish : &s->ns->subscribe;
}

/* ---- a function ---- */

/* The client gets the function's words, as far as they are text and not too long. */
static void refuse(struct session *s, struct span body)
{
	size_t n =
		utf8_good(span_of(body.p, body.n < MESSAGE_MOST ? body.n : MESSAGE_MOST));
	char *text = span_dup(span_of(body.p, n));

	session_refuse(s, "forbidden",
		       n > 0 ? (const char *)arena_copy(&s->arena, span_of(text, n + 1)).p
			     : "the function refused it");
	free(text);
}

static void log_failed(const struct session *s, const char *why)
{
	log_warn_flood("function.failed", S("route", s->asked.route->key),
		       S("function", s->asked.route->function), S("why", why));
}

/* Data of a function may be JSON that clients must not get. */
static bool replace_data(struct session *s, struct span data)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	if (data.n == 0 || !is_publish(s))
		return true;
	if (json_find(data, &whole, &v) != OK)
		return false;
	blob_unref(s->data);
	s->data = blob_new(data);
	s->action.data = blob_span(s->data);
	return true;
}

static void on_result(void *arg, const struct result *r)
{
	struct session *s = arg;

	if (r->kind != RESULT_OK) {
		log_failed(s, r->why);
		session_fail_later(s, "the function that decides failed, retry");
	} else if (r->status >= 400) {
		refuse(s, r->body);
	} else if (!replace_data(s, r->data)) {
		log_failed(s, "its data is not strict JSON");
		session_fail_later(s, "the function that decides failed, retry");
	} else {
		s->allowed(s);
	}
}

static void ask_function(struct session *s)
{
	const struct function *f = routes_function(s->event.routes, rule_of(s)->function);

	s->asks = (struct channel_event){
		.name = s->action.channel,
		.name_space = s->ns->name,
		.action = is_publish(s) ? "publish" : "subscribe",
	};
	s->asked_route = *s->event.in->route;
	s->asked_route.function = f->config->name;
	s->asked_route.two_way = true;
	s->asked = *s->event.in;
	s->asked.route = &s->asked_route;
	s->asked.channel = &s->asks;
	s->asked.binary = false;
	s->asked.body = s->action.data;
	function_invoke(f, &s->asked, EVENT_PROXY, on_result, s);
}

/* ---- the rule ---- */

static void decide(struct session *s)
{
	if (s->refusal.code != NULL)
		session_fail(s, &s->refusal);
	else
		ask_function(s);
}

static bool is_read(const struct session *s)
{
	return s->action.verb == VERB_HISTORY || s->action.verb == VERB_PRESENCE;
}

/* Who is subscribed may read. */
static void on_subscribed(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct session *s = arg;

	if (e == OK && o->subscribed)
		s->allowed(s);
	else if (e == OK || e == ERR_NOTFOUND)
		decide(s);
	else
		session_fail_later(s, "the edge did not answer, retry");
}

void client_access(struct session *s, void (*allowed)(struct session *s))
{
	int tokens = s->ns->token_authorizer;
	struct access_request q = {
		.rule = rule_of(s),
		.channel = s->action.channel,
		.user = session_user(s),
		.token = s->action.token,
		.now_ms = clock_wall_ms(),
	};
	struct access found;

	if (tokens != CONFIG_NONE)
		q.tokens = routes_authorizer(s->event.routes, (size_t)tokens);
	if (s->context != NULL)
		q.authorizer =
			span_of(s->context->authorizer.data, s->context->authorizer.len);
	s->allowed = allowed;
	access_check(&q, &found);
	free(s->info);
	s->info = found.info;
	s->expires_ms = found.expires_ms;
	s->refusal =
		found.verdict == ACCESS_REFUSED ? found.failure : (struct failure){0};
	if (found.verdict == ACCESS_ALLOWED)
		allowed(s);
	else if (is_read(s))
		(void)command_look_at(s->clients->uses.commands, &s->event.in->id,
				      s->action.channel, on_subscribed, s);
	else
		decide(s);
}
