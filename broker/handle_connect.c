/*
 * A client wants in.
 *
 *   handle_connect   is it our stage, is the store there? then put its row
 *   on_put           the row stands: ask $connect
 *   on_result        the verdict is the function's
 *
 * The row stands before the function runs, so that whoever dies in between, somebody
 * finds it and gives the function its disconnect.
 */
#include "broker/handle.h"

#include "base/mem.h"
#include "broker/function.h"
#include "broker/path.h"
#include "broker/route.h"
#include "proto/batch.h"
#include "store/connections.h"

#include <stdlib.h>

static void on_put(void *arg, enum err e);
static void on_result(struct call *c, const struct result *r);

static bool is_our_stage(struct call *c)
{
	Gatepost__Request *q = call_request(c);
	bool ours = q != NULL && path_is_stage(span_from(q->path), c->broker->conf.stage);

	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
	return ours;
}

static void put_row(struct call *c, const Gatepost__Context *x)
{
	char text[ID_TEXT];
	struct connection_row row = {
		.id = span_str(id_text(&c->id, text)),
		.edge = id_edge(&c->id),
		.connected_at_ms = x->connected_at_ms,
		.source_ip = span_from(x->source_ip),
		.user_agent = span_from(x->user_agent),
		.domain_name = span_from(x->domain),
		.stage = span_str(c->broker->conf.stage),
	};

	store_connection_put(c->broker->store, &row, on_put, c);
}

/*
 * Without the store nobody comes in. A row that may stand already, from an earlier try,
 * would then stay for ever: such a client waits until the store can tell.
 */
static void put_off(struct call *c, const char *why)
{
	if (c->again)
		call_retry(c);
	else
		call_refuse(c, 503, why);
}

void handle_connect(struct call *c)
{
	Gatepost__Context *x;

	metric_add(c->broker->counts.connects, 1);
	if (!is_our_stage(c)) {
		call_refuse(c, 403, "Forbidden");
		return;
	}
	if (!store_is_up(c->broker->store)) {
		put_off(c, "The connection table is away: try again");
		return;
	}
	x = call_context(c);
	if (x == NULL) {
		call_refuse(c, 500, "Internal server error");
		return;
	}
	put_row(c, x);
	gatepost__context__free_unpacked(x, NULL);
}

static void on_put(void *arg, enum err e)
{
	struct call *c = arg;

	if (e == OK)
		function_invoke(route_find(c->broker->routes, "$connect"), c, on_result);
	else if (e == ERR_DOWN) /* the row may stand: the same event again finds it so */
		call_retry(c);
	else
		put_off(c, "The connection table is busy: try again");
}

static void on_result(struct call *c, const struct result *r)
{
	call_respond(c, r->status, NULL, 0, r->body);
}
