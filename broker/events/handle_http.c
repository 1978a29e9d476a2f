/* A plain HTTP request: GET /dev/ping. */
#include "broker/events/handle.h"

#include "base/log.h"
#include "broker/routes/route.h"
#include "http/path.h"
#include "proto/batch.h"

static void on_result(void *arg, const struct result *r);

static void refuse(struct call *c, int status, const char *message, struct span path)
{
	char id[ID_TEXT];

	log_info_flood("request.refused", S("id", id_text(&c->in.id, id)),
		       I("status", status), S("why", message), B("path", path));
	call_refuse(c, status, message);
}

/* There is no route for it. */
static void refuse_unrouted(struct call *c)
{
	Gatepost__Request *q = call_request(c);

	if (q == NULL) {
		log_warn_flood("request.unreadable", I("bytes", c->in.request.n),
			       S("hint", "run the same version of edge and broker"));
		call_refuse(c, 500, "Internal server error");
		return;
	}
	if (path_is(span_from(q->path), c->in.setting->stage))
		refuse(c, 426, "This is a WebSocket address: upgrade",
		       span_from(q->path));
	else
		refuse(c, 404, "Not Found", span_from(q->path));
	gatepost__request__free_unpacked(q, NULL);
}

void handle_http(struct call *c)
{
	metric_add(c->counts->requests, 1);
	if (c->http.route != NULL)
		function_invoke(c->http.route->function, &c->in, EVENT_PROXY, on_result,
				c);
	else
		refuse_unrouted(c);
}

static void fail(struct call *c, const struct result *r)
{
	log_warn_flood("function.failed", S("route", c->in.route->key),
		       S("function", c->in.route->function), S("why", r->why));
	switch (r->kind) {
	case RESULT_TIMEOUT: call_refuse(c, 504, "Endpoint request timed out"); return;
	case RESULT_THROTTLED: call_refuse(c, 429, "Too Many Requests"); return;
	case RESULT_UNREACHABLE: call_refuse(c, 503, "Service Unavailable"); return;
	case RESULT_OK:
	case RESULT_FAILED: call_refuse(c, 502, "Internal server error"); return;
	}
}

static void on_result(void *arg, const struct result *r)
{
	struct call *c = arg;

	if (r->kind == RESULT_OK)
		call_respond(c, r->status, r->headers, r->n_headers, r->body);
	else
		fail(c, r);
}
