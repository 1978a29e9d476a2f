/*
 * What the API reads is what a client's action reads: the query becomes an action, and its ack
 * the body of the answer.
 *
 *   channel_read_history, _presence → write_query → client_do → on_done
 */
#include "broker/api/channel_read.h"

#include "base/mem.h"
#include "broker/api/answer.h"
#include "http/query.h"
#include "json/read.h"
#include "store/channels.h"

#include <assert.h>
#include <stdlib.h>

/* A read under way, with what the event points to. */
struct reading {
	struct pending pending;
	struct routes *routes;
	struct invocation invocation;
	struct evbuffer *json;
};

static void close_reading(struct pending *p)
{
	struct reading *r = (struct reading *)p;

	routes_unref(r->routes);
	evbuffer_free(r->json);
}

/* ---- the query ---- */

/* The members of an action, as the query has them; NULL, or what is wrong: a sentence. */
typedef const char *write_fn(struct span query, struct evbuffer *out);

static void write_text(struct evbuffer *out, const char *name, const char *text)
{
	evbuffer_add_printf(out, ",\"%s\":", name);
	json_escape(span_str(text), out);
}

static bool is_number(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < 19 && strspn(text, "0123456789") == n &&
	       (text[0] != '0' || n == 1);
}

static const char *write_limit(struct span query, struct evbuffer *out)
{
	char *limit = query_parameter(query, "limit");
	bool ok = limit == NULL || (is_number(limit) && strlen(limit) <= 4 &&
				    atoi(limit) <= ACTION_LIMIT_MOST);

	if (ok && limit)
		evbuffer_add_printf(out, ",\"limit\":%s", limit);
	free(limit);
	return ok ? NULL : "limit is not a whole number from 0 to 1000";
}

/* EPOCH:OFFSET. False: it is something else. */
static bool write_position(struct span query, const char *name, struct evbuffer *out)
{
	char *text = query_parameter(query, name);
	char *colon = text ? strrchr(text, ':') : NULL;
	bool ok = text == NULL || (colon && colon > text && is_number(colon + 1));

	if (ok && text) {
		*colon = '\0';
		evbuffer_add_printf(out, ",\"%s\":{\"epoch\":", name);
		json_escape(span_str(text), out);
		evbuffer_add_printf(out, ",\"offset\":%s}", colon + 1);
	}
	free(text);
	return ok;
}

static const char *write_history(struct span query, struct evbuffer *out)
{
	char *reverse = query_parameter(query, "reverse");
	bool backwards = reverse && strcmp(reverse, "true") == 0;
	bool ok = reverse == NULL || backwards || strcmp(reverse, "false") == 0;

	free(reverse);
	if (!ok)
		return "reverse is not true or false";
	if (backwards)
		evbuffer_add_printf(out, ",\"reverse\":true");
	if (!write_position(query, "since", out))
		return "since is not EPOCH:OFFSET";
	if (!write_position(query, "until", out))
		return "until is not EPOCH:OFFSET";
	return write_limit(query, out);
}

static const char *write_presence(struct span query, struct evbuffer *out)
{
	char *cursor = query_parameter(query, "cursor");

	if (cursor)
		write_text(out, "cursor", cursor);
	free(cursor);
	return write_limit(query, out);
}

/* ---- the action ---- */

static bool is_lost(void *arg)
{
	(void)arg;
	return false;
}

static void on_done(void *arg, const struct action *actions, size_t n,
		    const struct failure *failure)
{
	struct reading *r = arg;
	struct http_request *q = pending_take(&r->pending);
	static const struct failure none = {
		"internal", "This broker has no answer: see its log", false};

	if (q && failure) {
		answer_failure(q, failure);
	} else if (q && (n == 0 || actions[0].kind != ACTION_FRAME)) {
		answer_failure(q, &none);
	} else if (q) {
		struct evbuffer *out = evbuffer_new();

		assert(out != NULL);
		evbuffer_add(out, actions[0].body.p, actions[0].body.n);
		answer_json(q, 200, out);
		evbuffer_free(out);
	}
	pending_free(&r->pending);
}

/* Do the action; json is taken. */
static void act(struct channel_api *c, struct http_request *q, enum channel_verb verb,
		struct evbuffer *json)
{
	static const struct json_path whole = {NULL, 0};
	struct reading *r = pending_new(&c->pendings, sizeof *r, q, close_reading);
	struct client_todo todo = {.verb = verb};
	struct span text = span_of(evbuffer_pullup(json, -1), evbuffer_get_length(json));
	struct client_event e = {
		.in = &r->invocation, .is_lost = is_lost, .is_trusted = true};
	enum err read;

	r->json = json;
	e.routes = r->routes = routes_ref(c->uses.routes(c->uses.arg));
	read = json_find(text, &whole, &todo.v);
	assert(read == OK); /* it was written here */
	client_do(c->uses.clients, &e, text, &todo, 1, on_done, r);
}

static void read_channel_of(struct channel_api *c, struct http_request *q,
			    struct span part, enum channel_verb verb, write_fn *write)
{
	struct channel_target t;
	struct evbuffer *json;
	const char *why;

	if (!channel_api_read(c, q, part, &t))
		return;
	json = evbuffer_new();
	assert(json != NULL);
	evbuffer_add_printf(json, "{\"channel\":");
	json_escape(channel_api_name(&t), json);
	why = write(q->head.query, json);
	evbuffer_add_printf(json, "}");
	if (why == NULL) {
		act(c, q, verb, json);
		return;
	}
	evbuffer_free(json);
	answer_failure(q, &(struct failure){"bad_request", why, false});
}

void channel_read_history(struct channel_api *c, struct http_request *q, struct span part)
{
	read_channel_of(c, q, part, VERB_HISTORY, write_history);
}

void channel_read_presence(struct channel_api *c, struct http_request *q,
			   struct span part)
{
	read_channel_of(c, q, part, VERB_PRESENCE, write_presence);
}

/* ---- clear ---- */

static void on_cleared(void *arg, enum err e)
{
	static const struct failure down = {
		"unavailable", "Redis is unreachable, try again in a moment", true};
	struct pending *p = arg;
	struct http_request *q = pending_take(p);

	if (q && e == OK)
		answer_empty(q, 204);
	else if (q)
		answer_failure(q, &down);
	pending_free(p);
}

void channel_read_clear(struct channel_api *c, struct http_request *q, struct span part)
{
	struct channel_target t;

	if (channel_api_read(c, q, part, &t))
		store_channel_clear(
			c->uses.store, channel_api_name(&t), on_cleared,
			pending_new(&c->pendings, sizeof(struct pending), q, NULL));
}
