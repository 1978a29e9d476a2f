#include "broker/events/choose.h"

#include "base/log.h"
#include "broker/routes/route.h"
#include "http/path.h"
#include "proto/batch.h"

#include <stdlib.h>

/* Only the client is affected, and may send many: at most one line a second. */
void choose_log_unrouted(const struct call *c, const char *goes)
{
	char id[ID_TEXT], *why = route_explain(c->routes, c->in.body, c->in.binary);

	log_info_flood(
		"message.unrouted", S("id", id_text(&c->in.id, id)),
		I("bytes", c->in.body.n), S("why", why), S("answer", goes),
		S("hint",
		  "add the route, or $default; for deep nesting raise --json-depth"));
	free(why);
}

static const struct route *choose_message(struct call *c)
{
	bool too_big;
	const struct route *r =
		route_select(c->routes, c->in.body, c->in.binary, &too_big);

	if (too_big && r != NULL)
		choose_log_unrouted(c, "$default");
	c->turn.is_parallel = r != NULL && r->config->parallel;
	return r;
}

/* The path below the stage; the stage itself is its root. */
static bool below_stage(struct span path, const char *stage, struct span *rest)
{
	if (path_below(path, stage, rest))
		return true;
	*rest = span_str("/");
	return path_is(path, stage);
}

static const struct route_http *choose_http(struct call *c)
{
	Gatepost__Request *q = call_request(c);
	const struct route_http *r = NULL;
	struct span rest;

	if (q == NULL)
		return NULL;
	if (below_stage(span_from(q->path), c->in.setting->stage, &rest)) {
		r = route_http(c->routes, span_from(q->method), rest);
		c->in.path = c->http.path = span_dup(rest);
	} else {
		r = route_http_outside(c->routes, span_from(q->method),
				       span_from(q->path));
		c->in.path = c->http.path = span_dup(span_from(q->path));
	}
	gatepost__request__free_unpacked(q, NULL);
	return r;
}

static const struct event_route *event_of(const struct route *r)
{
	return r != NULL ? &r->event : NULL;
}

void choose_route(struct call *c)
{
	Gatepost__Event__Kind kind = c->in.kind;

	if (kind == GATEPOST__EVENT__KIND__MESSAGE) {
		c->message.route = choose_message(c);
		c->in.route = event_of(c->message.route);
	} else if (kind == GATEPOST__EVENT__KIND__CONNECT) {
		c->connect.route = routes_connect(c->routes);
		c->in.route = event_of(c->connect.route);
	} else if (kind == GATEPOST__EVENT__KIND__DISCONNECT) {
		c->disconnect.route = routes_disconnect(c->routes);
		c->in.route = event_of(c->disconnect.route);
	} else if (kind == GATEPOST__EVENT__KIND__HTTP) {
		c->http.route = choose_http(c);
		c->in.route = c->http.route != NULL ? &c->http.route->event : NULL;
	}
}
