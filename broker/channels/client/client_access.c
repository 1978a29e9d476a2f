#include "broker/channels/client/client_access.h"

#include "base/clock.h"
#include "broker/channels/client/access.h"
#include "broker/channels/client/client_function.h"
#include "broker/channels/client/session.h"

#include <stdlib.h>

static bool is_publish(const struct session *s)
{
	return s->action.verb == VERB_PUBLISH;
}

static const struct channel_access *rule_of(const struct session *s)
{
	return is_publish(s) ? &s->ns->publish : &s->ns->subscribe;
}

/* The rule allows it; the webhook may still refuse. */
static void permit(struct session *s)
{
	client_hook(s, s->allowed);
}

static void decide(struct session *s)
{
	if (s->refusal.code != NULL)
		session_fail(s, &s->refusal);
	else
		client_ask_function(s, rule_of(s)->function, permit);
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
		permit(s);
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
		permit(s);
	else if (is_read(s))
		(void)command_look_at(s->clients->uses.commands, &s->event.in->id,
				      s->action.channel, on_subscribed, s);
	else
		decide(s);
}
