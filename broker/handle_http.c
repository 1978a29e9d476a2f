/* A plain HTTP request: GET /dev/ping. */
#include "broker/handle.h"

#include "broker/path.h"
#include "broker/route.h"
#include "proto/batch.h"

static void on_result(struct call *c, const struct result *r);

static void answer(struct call *c, struct span method, struct span path)
{
	const char *stage = c->broker->conf.stage;
	const struct function *f = NULL;
	struct span rest;

	if (path_is_stage(path, stage)) {
		call_refuse(c, 426, "This is a WebSocket address: upgrade");
		return;
	}
	if (path_below_stage(path, stage, &rest))
		f = route_http(c->broker->routes, method, rest);
	if (f == NULL)
		call_refuse(c, 404, "Not Found");
	else
		function_invoke(f, c, on_result);
}

void handle_http(struct call *c)
{
	Gatepost__Request *q = call_request(c);

	metric_add(c->broker->counts.requests, 1);
	if (q == NULL) {
		call_refuse(c, 500, "Internal server error");
		return;
	}
	answer(c, span_from(q->method), span_from(q->path));
	gatepost__request__free_unpacked(q, NULL);
}

static void on_result(struct call *c, const struct result *r)
{
	static const struct call_header h[] = {
		{"Content-Type", "text/plain; charset=utf-8"}};

	call_respond(c, r->status, h, 1, r->body);
}
