#include "broker/channels/client/client_function.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/channels/client/session.h"

#include <stdlib.h>

enum { MESSAGE_MOST = 200 }; /* bytes of a refusal in a function's words */

/* The client gets the function's words, as far as they are text and not too long. */
static void refuse(struct session *s, struct span body)
{
	size_t n =
		utf8_good(span_of(body.p, body.n < MESSAGE_MOST ? body.n : MESSAGE_MOST));
	char *text = span_dup(span_of(body.p, n));

	session_refuse(
		s, "forbidden",
		n > 0 ? (const char *)proto_arena_copy(&s->arena, span_of(text, n + 1)).p
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

	if (data.n == 0 || s->action.verb != VERB_PUBLISH)
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
		s->decided(s);
	}
}

/* The event is the client's, about the channel; its body is the data of a publish. */
static void invoke(struct session *s, size_t function, result_fn *fn)
{
	const struct function *f = routes_function(s->event.routes, function);

	s->asks = (struct channel_event){
		.name = s->action.channel,
		.name_space = s->ns->name,
		.action = channel_verb_name(s->action.verb),
	};
	s->asked_route = *s->event.in->route;
	s->asked_route.function = f->config->name;
	s->asked_route.two_way = true;
	s->asked = *s->event.in;
	s->asked.route = &s->asked_route;
	s->asked.channel = &s->asks;
	s->asked.binary = false;
	s->asked.body = s->action.data;
	function_invoke(f, &s->asked, EVENT_PROXY, fn, s);
}

void client_ask_function(struct session *s, size_t function,
			 void (*then)(struct session *s))
{
	s->decided = then;
	invoke(s, function, on_result);
}

/* ---- the webhook ---- */

static unsigned bit_of(enum channel_verb verb)
{
	switch (verb) {
	case VERB_SUBSCRIBE: return CHANNEL_ON_SUBSCRIBE;
	case VERB_UNSUBSCRIBE: return CHANNEL_ON_UNSUBSCRIBE;
	case VERB_PUBLISH: return CHANNEL_ON_PUBLISH;
	case VERB_HISTORY:
	case VERB_PRESENCE:
	case VERB_PING: break;
	}
	return 0;
}

static void on_told(void *arg, const struct result *r)
{
	struct session *s = arg;

	if (r->kind != RESULT_OK)
		log_failed(s, r->why);
	s->decided(s);
}

void client_hook(struct session *s, void (*then)(struct session *s))
{
	if (s->ns->hook == CONFIG_NONE || !(s->ns->hook_on & bit_of(s->action.verb))) {
		then(s);
		return;
	}
	s->decided = then;
	invoke(s, (size_t)s->ns->hook,
	       s->action.verb == VERB_UNSUBSCRIBE ? on_told : on_result);
}
