/* A plain HTTP request: GET /dev/ping. */
#include "broker/events/handle.h"

#include "base/log.h"
#include "base/mem.h"
#include "http/path.h"
#include "broker/function/route.h"
#include "proto/batch.h"

static void on_result(struct call *c, const struct result *r);

/* The path below the stage; the stage itself is its root. */
static bool below_stage(struct span path, const char *stage, struct span *rest)
{
	if (path_below(path, stage, rest))
		return true;
	*rest = span_str("/");
	return path_is(path, stage);
}

static void refuse(struct call *c, int status, const char *message, struct span path)
{
	char id[ID_TEXT];

	log_info_flood("request.refused", S("id", id_text(&c->id, id)),
		       I("status", status), S("why", message), B("path", path));
	call_refuse(c, status, message);
}

static void answer(struct call *c, struct span method, struct span path)
{
	const char *stage = routes_config(c->routes)->stage;
	struct span rest;

	if (below_stage(path, stage, &rest)) {
		c->http = route_http(c->routes, method, rest);
		c->http_path = span_dup(rest);
	}
	if (c->http != NULL)
		function_invoke(c->http->function, c, EVENT_PROXY, on_result);
	else if (path_is(path, stage))
		refuse(c, 426, "This is a WebSocket address: upgrade", path);
	else
		refuse(c, 404, "Not Found", path);
}

void handle_http(struct call *c)
{
	Gatepost__Request *q = call_request(c);

	metric_add(c->broker->counts.requests, 1);
	if (q == NULL) {
		log_warn_flood("request.unreadable", I("bytes", c->request.n),
			       S("hint", "run the same version of edge and broker"));
		call_refuse(c, 500, "Internal server error");
		return;
	}
	answer(c, span_from(q->method), span_from(q->path));
	gatepost__request__free_unpacked(q, NULL);
}

static void fail(struct call *c, const struct result *r)
{
	log_warn_flood("function.failed", S("route", c->http->key),
		       S("function", c->http->function->config->name), S("why", r->why));
	switch (r->kind) {
	case RESULT_TIMEOUT: call_refuse(c, 504, "Endpoint request timed out"); return;
	case RESULT_THROTTLED: call_refuse(c, 429, "Too Many Requests"); return;
	case RESULT_UNREACHABLE: call_refuse(c, 503, "Service Unavailable"); return;
	case RESULT_OK:
	case RESULT_FAILED: call_refuse(c, 502, "Internal server error"); return;
	}
}

static void on_result(struct call *c, const struct result *r)
{
	if (r->kind == RESULT_OK)
		call_respond(c, r->status, r->headers, r->n_headers, r->body);
	else
		fail(c, r);
}
