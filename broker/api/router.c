/*
 * One request: find_target → query_is_right → the place → one of the resources
 */
#include "broker/api/router.h"

#include "base/percent.h"
#include "broker/api/answer.h"
#include "broker/api/channel_list.h"
#include "broker/api/channel_member.h"
#include "broker/api/channel_publish.h"
#include "broker/api/channel_read.h"
#include "broker/api/connection.h"
#include "broker/api/edge.h"
#include "broker/api/users.h"
#include "http/path.h"
#include "http/query.h"

/* What a path asks for. */
struct target {
	const struct place *place;
	struct span rest; /* what follows the place: nothing, or "/{id}…" */
};

typedef void all_fn(const struct router *r, struct http_request *q);
typedef void one_fn(const struct router *r, struct http_request *q, struct span rest);

static all_fn to_connections, to_disconnects, to_channels, to_users, to_edges;
static one_fn to_connection, to_disconnect, to_channel, to_user, to_edge;

static const struct place {
	const char *forms[2];
	all_fn *all;
	one_fn *one;
} places[] = {
	{{"/@connections", "/%40connections"}, to_connections, to_connection},
	{{"/@disconnects", "/%40disconnects"}, to_disconnects, to_disconnect},
	{{"/channels", "/channels"}, to_channels, to_channel},
	{{"/users", "/users"}, to_users, to_user},
	{{"/edges", "/edges"}, to_edges, to_edge},
};

/* Does path begin with this form, as a whole part? rest: what follows. */
static bool begins_with(struct span path, const char *form, struct span *rest)
{
	size_t n = strlen(form);

	if (path.n < n || memcmp(path.p, form, n) != 0 ||
	    (path.n > n && path.p[n] != '/'))
		return false;
	*rest = span_of(path.p + n, path.n - n);
	return true;
}

static bool is_place(struct span path, struct target *out)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		for (size_t k = 0; k < 2; k++)
			if (begins_with(path, places[i].forms[k], &out->rest)) {
				out->place = &places[i];
				return true;
			}
	return false;
}

/* ERR_DENIED: it is there, but below another stage. */
static enum err find_place(struct span path, const char *stage, struct target *out)
{
	struct span below;

	if (path_below(path, stage, &below) && is_place(below, out))
		return OK;
	if (is_place(path, out))
		return OK;
	for (; path.n > 0; path = span_of(path.p + 1, path.n - 1))
		if (is_place(path, out))
			return ERR_DENIED;
	return ERR_NOTFOUND;
}

/* Answers by itself, and returns false, when there is no such place. */
static bool find_target(const struct router *r, struct http_request *q,
			struct target *out)
{
	enum err e = find_place(q->head.path, r->stage(r->arg), out);

	if (e == ERR_DENIED)
		answer_refusal_logged(q, 403, "ForbiddenException", "Forbidden");
	else if (e != OK)
		answer_refusal_logged(q, 404, "NotFoundException",
				      "Not Found: use /@connections/{connectionId} or "
				      "/channels/{channel}");
	return e == OK;
}

/* The next part of a path, without its slash; rest moves behind it. */
static struct span next_part(struct span *rest)
{
	const uint8_t *begin = rest->p + 1;
	const uint8_t *end = memchr(begin, '/', rest->n - 1);
	size_t n = end ? (size_t)(end - begin) : rest->n - 1;

	*rest = span_of(begin + n, rest->n - 1 - n);
	return span_of(begin, n);
}

static void refuse_path(struct http_request *q)
{
	answer_refusal_logged(q, 404, "NotFoundException",
			      "Not Found: there is nothing of this name here");
}

/* The same for the id in a part of it. */
static bool find_id(struct http_request *q, struct span raw, struct id *id)
{
	char text[256];
	long n = percent_decode(raw, text, sizeof text);

	if (n >= 0 && id_parse(span_of(text, (size_t)n), id) == OK)
		return true;
	if (n < 0)
		answer_bad(q, "Invalid connectionId: %.*s", SPAN_ARG(raw));
	else
		answer_bad(q, "Invalid connectionId: %.*s", (int)n, text);
	return false;
}

static bool is_method(const struct http_request *q, const char *name)
{
	return span_is(q->head.method, name);
}

/* rest: "/channels/{channel}", and nothing behind it */
static bool find_channel(struct span *rest, struct span *channel)
{
	if (!span_is(next_part(rest), "channels") || rest->n < 2)
		return false;
	*channel = next_part(rest);
	return rest->n == 0;
}

/* rest: "/channels/{channel}" of a connection */
static void to_member(const struct router *r, struct http_request *q, const struct id *id,
		      struct span rest)
{
	struct span channel;

	if (!find_channel(&rest, &channel))
		refuse_path(q);
	else if (is_method(q, "PUT"))
		channel_member_put(r->channels, q, id, channel);
	else if (is_method(q, "DELETE"))
		channel_member_delete(r->channels, q, id, channel);
	else
		answer_wrong_method(q, "PUT, DELETE");
}

static void to_connection(const struct router *r, struct http_request *q,
			  struct span rest)
{
	static const char below[] = "/channels";
	struct span whole = span_of(rest.p + 1, rest.n - 1), part = next_part(&rest);
	bool is_member =
		rest.n >= strlen(below) && memcmp(rest.p, below, strlen(below)) == 0;
	struct id id;

	if (!find_id(q, is_member ? part : whole, &id))
		return;
	if (is_member)
		to_member(r, q, &id, rest);
	else if (is_method(q, "POST"))
		connection_post(r->commands, r->limits.max_post, q, &id);
	else if (is_method(q, "GET"))
		connection_get(r->commands, q, &id);
	else if (is_method(q, "DELETE"))
		connection_delete(r->commands, q, &id);
	else
		answer_wrong_method(q, "GET, POST, DELETE");
}

static void to_connections(const struct router *r, struct http_request *q)
{
	if (is_method(q, "POST"))
		bulk_post(r->commands, &r->limits, q);
	else if (is_method(q, "GET"))
		list_get(r->list, q);
	else
		answer_wrong_method(q, "GET, POST");
}

static void to_disconnect(const struct router *r, struct http_request *q,
			  struct span rest)
{
	struct id id;

	if (!find_id(q, span_of(rest.p + 1, rest.n - 1), &id))
		return;
	if (is_method(q, "POST"))
		disconnects_retry(r->disconnects, q, &id);
	else if (is_method(q, "DELETE"))
		disconnects_delete(r->disconnects, q, &id);
	else
		answer_wrong_method(q, "POST, DELETE");
}

static void to_disconnects(const struct router *r, struct http_request *q)
{
	if (is_method(q, "GET"))
		disconnects_get(r->disconnects, q);
	else if (is_method(q, "POST"))
		disconnects_retry_all(r->disconnects, q);
	else if (is_method(q, "DELETE"))
		disconnects_delete_all(r->disconnects, q);
	else
		answer_wrong_method(q, "GET, POST, DELETE");
}

static void to_channels(const struct router *r, struct http_request *q)
{
	if (is_method(q, "GET"))
		channel_list_get(r->channels, q);
	else if (is_method(q, "POST"))
		channel_publish_many(r->channels, q);
	else
		answer_wrong_method(q, "GET, POST");
}

static void to_history(const struct router *r, struct http_request *q,
		       struct span channel)
{
	if (is_method(q, "GET"))
		channel_read_history(r->channels, q, channel);
	else if (is_method(q, "DELETE"))
		channel_read_clear(r->channels, q, channel);
	else
		answer_wrong_method(q, "GET, DELETE");
}

static void to_presence(const struct router *r, struct http_request *q,
			struct span channel)
{
	if (is_method(q, "GET"))
		channel_read_presence(r->channels, q, channel);
	else
		answer_wrong_method(q, "GET");
}

static void to_channel(const struct router *r, struct http_request *q, struct span rest)
{
	struct span channel = next_part(&rest);

	if (span_is(rest, "/history"))
		to_history(r, q, channel);
	else if (span_is(rest, "/presence"))
		to_presence(r, q, channel);
	else if (rest.n > 0)
		refuse_path(q);
	else if (is_method(q, "POST"))
		channel_publish_one(r->channels, q, channel);
	else
		answer_wrong_method(q, "POST");
}

static void to_users(const struct router *r, struct http_request *q)
{
	(void)r;
	refuse_path(q);
}

static void to_edges(const struct router *r, struct http_request *q)
{
	if (is_method(q, "GET"))
		edge_list(r->commands, q);
	else
		answer_wrong_method(q, "GET");
}

static void to_edge(const struct router *r, struct http_request *q, struct span rest)
{
	struct span name = next_part(&rest);

	if (!span_is(rest, "/shed"))
		refuse_path(q);
	else if (is_method(q, "POST"))
		edge_shed(r->commands, q, name);
	else
		answer_wrong_method(q, "POST");
}

/* rest: "/channels/{channel}" of a user */
static void to_user_channel(const struct router *r, struct http_request *q,
			    struct span user, struct span rest)
{
	struct span channel;

	if (!find_channel(&rest, &channel))
		refuse_path(q);
	else if (is_method(q, "PUT"))
		users_subscribe(r->channels, q, user, channel);
	else if (is_method(q, "DELETE"))
		users_unsubscribe(r->channels, q, user, channel);
	else
		answer_wrong_method(q, "PUT, DELETE");
}

static void to_user(const struct router *r, struct http_request *q, struct span rest)
{
	struct span user = next_part(&rest);

	if (rest.n > 0)
		to_user_channel(r, q, user, rest);
	else if (is_method(q, "GET"))
		users_list(r->channels, q, user);
	else if (is_method(q, "DELETE"))
		users_close(r->channels, q, user);
	else
		answer_wrong_method(q, "GET, DELETE");
}

void router_route(const struct router *r, struct http_request *q)
{
	struct target t;

	if (!find_target(r, q, &t))
		return;
	if (!query_is_right(q->head.query)) /* else what it asks for would be left out */
		answer_bad(q, "the query is not name=value&…");
	else if (t.rest.n == 0 && !http_has_capacity(r->http, 0))
		answer_no_memory(q); /* answers about many may be large */
	else if (t.rest.n == 0)
		t.place->all(r, q);
	else
		t.place->one(r, q, t.rest);
}
