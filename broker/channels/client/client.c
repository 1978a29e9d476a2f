/*
 * client_handle   the elements of the message, each with its action
 * begin           read one, may it?, do it
 * finish          all of them are answered
 */
#include "broker/channels/client/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/channels/client/client_access.h"
#include "broker/channels/client/client_function.h"
#include "broker/channels/client/client_history.h"
#include "broker/channels/client/client_presence.h"
#include "broker/channels/client/client_publish.h"
#include "broker/channels/client/client_subscribe.h"
#include "broker/channels/client/session.h"
#include "json/walk.h"

#include <stdlib.h>

enum { RATES_MOST = 100 * 1000 }; /* connections that have published within a second */

static void run(struct session *s);

static struct metric *counter(struct metrics *m, const char *action)
{
	char *labels = xasprintf("action=\"%s\"", action);
	struct metric *k = metric_counter(m, "gatepost_broker_channel_actions_total",
					  labels, "Actions of clients on channels");

	free(labels);
	return k;
}

static void count_recoveries(struct clients *c, struct metrics *m)
{
	static const char *const labels[] = {
		[RECOVERY_COMPLETE] = "recovered=\"true\",reason=\"\"",
		[RECOVERY_EPOCH] = "recovered=\"false\",reason=\"epoch\"",
		[RECOVERY_TRIMMED] = "recovered=\"false\",reason=\"trimmed\"",
		[RECOVERY_AHEAD] = "recovered=\"false\",reason=\"ahead\"",
		[RECOVERY_LIMIT] = "recovered=\"false\",reason=\"limit\"",
		[RECOVERY_NO_HISTORY] = "recovered=\"false\",reason=\"history\"",
	};

	for (size_t i = 0; i < RECOVERIES; i++)
		c->recoveries[i] =
			metric_counter(m, "gatepost_broker_recoveries_total", labels[i],
				       "Subscribes with a position to recover from");
}

struct clients *clients_new(const struct clients_uses *uses)
{
	struct clients *c = xcalloc(1, sizeof *c);

	c->uses = *uses;
	c->rates = rates_new(RATES_MOST);
	LIST_INIT(&c->sessions);
	for (size_t i = 0; i < VERBS; i++)
		c->actions[i] =
			counter(uses->metrics, channel_verb_name((enum channel_verb)i));
	c->errors = metric_counter(
		uses->metrics, "gatepost_broker_channel_errors_total", NULL,
		"Actions of clients on channels that were answered with "
		"an error");
	count_recoveries(c, uses->metrics);
	return c;
}

void clients_free(struct clients *c)
{
	if (c == NULL)
		return;
	while (!LIST_EMPTY(&c->sessions))
		session_free(LIST_FIRST(&c->sessions));
	rates_free(c->rates);
	free(c);
}

/* text: that todos point into. Takes todos. */
static struct session *session_new(struct clients *c, const struct client_event *e,
				   struct client_todo *todos, size_t n, struct span text,
				   client_fn *fn, void *arg)
{
	struct session *s = xcalloc(1, sizeof *s);

	s->clients = c;
	s->event = *e;
	s->fn = fn;
	s->arg = arg;
	s->context = gatepost__context__unpack(NULL, e->in->context.n, e->in->context.p);
	s->todos = todos;
	s->n_todos = n;
	s->text = text;
	s->room = xmalloc(text.n + 1);
	s->run = run;
	proto_arena_init(&s->arena);
	LIST_INSERT_HEAD(&c->sessions, s, next);
	return s;
}

static void finish(struct session *s)
{
	s->fn(s->arg, s->actions, s->n_actions, s->has_failed ? &s->failure : NULL);
	session_free(s);
}

/* ---- one action ---- */

static void allowed(struct session *s)
{
	switch (s->action.verb) {
	case VERB_SUBSCRIBE: client_subscribe(s); break;
	case VERB_PUBLISH: client_publish(s); break;
	case VERB_HISTORY: client_history(s); break;
	case VERB_PRESENCE: client_presence(s); break;
	case VERB_UNSUBSCRIBE: client_unsubscribe(s); break;
	case VERB_PING: break;
	}
}

/* Into the part of the room that its text has for itself. */
static const char *read_todo(struct session *s)
{
	static const struct json_path whole = {NULL, 0};
	const struct client_todo *todo = &s->todos[s->at];
	uint8_t *room = s->room + (todo->v.raw.p - s->text.p);
	struct json_value v;

	s->action = (struct channel_action){.verb = todo->verb};
	/* What a function returned may be other JSON than a client may get. */
	if (s->event.is_trusted && json_find(todo->v.raw, &whole, &v) != OK)
		return "what the function returned is not strict JSON";
	if (todo->v.kind == JSON_IS_STRING && s->event.is_trusted)
		return channel_action_named(todo->v.raw, todo->verb, room, &s->action);
	return channel_action_of(&todo->v, todo->verb, room, &s->action);
}

static void pong(struct session *s)
{
	struct frame_head h = session_head(s);

	session_ack(s, frame_pong(&h, clock_wall_ms()));
}

static void begin(struct session *s)
{
	const struct channel_action *a = &s->action;
	const char *why = read_todo(s);

	metric_add(s->clients->actions[a->verb], 1);
	if (why != NULL) {
		session_refuse(s, "bad_request", why);
		return;
	}
	if (a->verb == VERB_PING) {
		pong(s);
		return;
	}
	if (!channel_name_ok(a->channel)) {
		session_refuse(s, "bad_request",
			       "channel has a control character, *, { or }");
		return;
	}
	s->ns = config_namespace(routes_config(s->event.routes), a->channel);
	if (s->ns == NULL)
		session_refuse(s, "unknown_namespace", "no such namespace is configured");
	else if (s->event.is_trusted)
		allowed(s);
	else if (a->verb == VERB_UNSUBSCRIBE)
		client_hook(s, allowed);
	else
		client_access(s, allowed);
}

/* One after the other: as long as they end at once, without one call inside another. */
static void run(struct session *s)
{
	if (s->has_begun)
		s->at++;
	s->has_begun = true;
	s->is_running = true;
	for (; s->at < s->n_todos; s->at++) {
		if (s->event.is_lost(s->arg))
			break;
		s->is_waiting = true;
		begin(s);
		if (s->is_waiting) {
			s->is_running = false;
			return;
		}
	}
	finish(s);
}

/* ---- the actions of a message ---- */

struct reading {
	struct client_todo *todos;
	size_t n;
};

/* The action of an object by its route; NULL, or why it is none. */
static const char *add_todo(const struct client_event *e, const struct json_value *v,
			    struct reading *r)
{
	char key[ROUTE_KEY_MOST];
	size_t n;
	const struct route *route = route_of(e->routes, v->raw, key, &n);

	if (r->n == ACTIONS_MOST)
		return "more than 100 actions in one message";
	if (route == NULL || !route->is_channels)
		return "not all actions of the message are actions on channels";
	if (!channel_verb_of(span_of(key, n), &r->todos[r->n].verb))
		return "no such action on channels";
	r->todos[r->n++].v = *v;
	return NULL;
}

static const char *add_elements(const struct client_event *e,
				const struct json_value *all, struct reading *r)
{
	struct json_walk w = json_walk(all);
	struct json_value v;
	struct span name;
	const char *why = NULL;

	while (why == NULL && json_walk_next(&w, &name, &v))
		why = add_todo(e, &v, r);
	return why;
}

/* A message alone has the action of its route; $default may be builtin:channels too. */
static const char *add_single(const struct client_event *e, const struct json_value *v,
			      struct reading *r)
{
	if (!channel_verb_of(span_str(e->in->route->key), &r->todos[0].verb))
		return add_todo(e, v, r);
	r->todos[r->n++].v = *v;
	return NULL;
}

static const char *read_message(const struct client_event *e, struct json_value *v,
				struct reading *r)
{
	static const struct json_path whole = {NULL, 0};
	bool is_list;

	if (e->in->binary)
		return "actions on channels are text messages";
	if (json_find(e->in->body, &whole, v) != OK)
		return "the message is not JSON";
	is_list = v->kind == JSON_IS_ARRAY;
	r->todos = xcalloc(is_list ? ACTIONS_MOST : 1, sizeof *r->todos);
	return is_list ? add_elements(e, v, r) : add_single(e, v, r);
}

/* One error for all of it; with its id, if it is one action. */
static void refuse_message(struct session *s, const struct json_value *v, const char *why)
{
	s->is_running = true;
	s->n_todos = 0;
	if (v->kind == JSON_IS_OBJECT)
		(void)channel_action_of(v, VERB_PING, s->room, &s->action);
	session_refuse(s, "bad_request", why);
}

void client_handle(struct clients *c, const struct client_event *e, client_fn *fn,
		   void *arg)
{
	struct reading r = {0};
	struct json_value v = {0};
	const char *why = read_message(e, &v, &r);
	struct session *s = session_new(c, e, r.todos, r.n, e->in->body, fn, arg);

	if (why != NULL)
		refuse_message(s, &v, why);
	run(s);
}

void client_do(struct clients *c, const struct client_event *e, struct span text,
	       const struct client_todo *todos, size_t n, client_fn *fn, void *arg)
{
	struct client_todo *copy = xcalloc(n, sizeof *copy);

	memcpy(copy, todos, n * sizeof *copy);
	run(session_new(c, e, copy, n, text, fn, arg));
}
