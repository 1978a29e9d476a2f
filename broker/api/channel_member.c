/*
 * A subscription that the API makes or ends is an action of the connection, with its answer sent
 * to the client:
 *
 *   channel_member_change → command_get → on_context → client_do → on_done → command_apply → on_applied
 */
#include "broker/api/channel_member.h"

#include "base/mem.h"
#include "broker/api/answer.h"
#include "json/read.h"

#include <assert.h>
#include <stdlib.h>

/* A change under way, with what the event points to. */
struct change {
	struct pending pending;
	struct channel_api *api;
	enum channel_verb verb;
	struct id id;
	struct routes *routes;
	struct invocation invocation;
	struct blob *context;
	struct evbuffer *channel; /* a JSON string */
	channel_member_fn *fn;
	void *arg;
};

static void on_context(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_done(void *arg, const struct action *actions, size_t n,
		    const struct failure *failure);
static void on_applied(void *arg, enum err e, const Gatepost__Outcome *o);

static void close_change(struct pending *p)
{
	struct change *c = (struct change *)p;

	routes_unref(c->routes);
	blob_unref(c->context);
	evbuffer_free(c->channel);
}

void channel_member_change(struct channel_api *api, const struct id *id,
			   enum channel_verb verb, struct span channel,
			   channel_member_fn *fn, void *arg)
{
	struct change *c = pending_new(&api->pendings, sizeof *c, NULL, close_change);

	c->api = api;
	c->verb = verb;
	c->id = *id;
	c->fn = fn;
	c->arg = arg;
	c->channel = evbuffer_new();
	assert(c->channel != NULL);
	json_escape(channel, c->channel);
	command_get(api->uses.commands, id, on_context, c);
}

static void end(struct change *c, enum err e, const struct failure *f)
{
	c->fn(c->arg, e, f);
	pending_free(&c->pending);
}

/* ---- of a path ---- */

static void on_changed(void *arg, enum err e, const struct failure *f)
{
	struct pending *p = arg;
	struct http_request *q = pending_take(p);

	if (q && f)
		answer_failure(q, f);
	else if (q && e == OK)
		answer_empty(q, 204);
	else if (q)
		answer_err(q, e);
	pending_free(p);
}

static void begin(struct channel_api *api, struct http_request *q, const struct id *id,
		  struct span part, enum channel_verb verb)
{
	struct channel_target t;

	if (channel_api_read(api, q, part, &t))
		channel_member_change(
			api, id, verb, channel_api_name(&t), on_changed,
			pending_new(&api->pendings, sizeof(struct pending), q, NULL));
}

void channel_member_put(struct channel_api *c, struct http_request *q,
			const struct id *id, struct span part)
{
	begin(c, q, id, part, VERB_SUBSCRIBE);
}

void channel_member_delete(struct channel_api *c, struct http_request *q,
			   const struct id *id, struct span part)
{
	begin(c, q, id, part, VERB_UNSUBSCRIBE);
}

/* ---- the action ---- */

static bool is_lost(void *arg)
{
	(void)arg;
	return false;
}

/* A string in the place of an action is its channel. */
static void on_context(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct change *c = arg;
	struct client_event event = {
		.in = &c->invocation, .is_lost = is_lost, .is_trusted = true};
	struct client_todo todo = {.verb = c->verb, .v = {.kind = JSON_IS_STRING}};

	if (e != OK) {
		end(c, e, NULL);
		return;
	}
	c->context = blob_new(span_from(o->context));
	c->invocation = (struct invocation){
		.id = c->id,
		.kind = GATEPOST__EVENT__KIND__MESSAGE,
		.context = blob_span(c->context),
	};
	event.routes = c->routes = routes_ref(c->api->uses.routes(c->api->uses.arg));
	todo.v.raw =
		span_of(evbuffer_pullup(c->channel, -1), evbuffer_get_length(c->channel));
	client_do(c->api->uses.clients, &event, todo.v.raw, &todo, 1, on_done, c);
}

/* What the client of the connection gets. */
struct filler {
	const struct action *actions;
	size_t n;
};

static void fill(void *arg, struct batch *out, Gatepost__Command *to)
{
	const struct filler *f = arg;

	to->n_actions = f->n;
	to->actions = action_pack(out, f->actions, f->n);
}

static size_t bytes_of(const struct action *actions, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		bytes += actions[i].body.n;
		for (size_t k = 0;
		     actions[i].activate && k < actions[i].activate->n_missed; k++)
			bytes += actions[i].activate->missed[k]->body.len;
	}
	return bytes;
}

/* {"type":"unsubscribed","channel":…,"reason":"server"}: the client has not asked for it. */
static struct evbuffer *unsubscribed(struct change *c)
{
	struct evbuffer *out = evbuffer_new();

	assert(out != NULL);
	evbuffer_add_printf(out, "{\"type\":\"unsubscribed\",\"channel\":");
	evbuffer_add(out, evbuffer_pullup(c->channel, -1),
		     evbuffer_get_length(c->channel));
	evbuffer_add_printf(out, ",\"reason\":\"server\"}");
	return out;
}

static void apply(struct change *c, const struct action *actions, size_t n)
{
	struct filler f = {actions, n};

	command_apply(c->api->uses.commands, &c->id, bytes_of(actions, n), fill, &f,
		      on_applied, c);
}

/* The end of the subscription, and behind it what says so. */
static void apply_end(struct change *c, struct span channel)
{
	struct evbuffer *frame = unsubscribed(c);
	struct action both[] = {
		{.kind = ACTION_UNSUBSCRIBE, .channel = channel},
		{.kind = ACTION_FRAME,
		 .body = span_of(evbuffer_pullup(frame, -1), evbuffer_get_length(frame))},
	};

	apply(c, both, 2);
	evbuffer_free(frame);
}

static void on_done(void *arg, const struct action *actions, size_t n,
		    const struct failure *failure)
{
	struct change *c = arg;

	if (failure) {
		end(c, OK, failure);
		return;
	}
	for (size_t i = 0; c->verb == VERB_UNSUBSCRIBE && i < n; i++)
		if (actions[i].kind == ACTION_UNSUBSCRIBE) {
			apply_end(c, actions[i].channel);
			return;
		}
	apply(c, actions, n);
}

static void on_applied(void *arg, enum err e, const Gatepost__Outcome *o)
{
	(void)o;
	end(arg, e, NULL);
}
