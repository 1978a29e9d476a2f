/*
 * A connection has ended.
 *
 *   handle_disconnect   is the store there? tell $disconnect, if there is one
 *   on_result           take the row out
 *   on_removed          done; or not, then the edge sends it again
 */
#include "broker/handle.h"

#include "base/log.h"
#include "broker/route.h"
#include "store/connections.h"

static void on_result(struct call *c, const struct result *r);
static void on_removed(void *arg, enum err e);

void handle_disconnect(struct call *c)
{
	static const struct result nobody = {.kind = RESULT_OK};

	if (!store_is_up(c->broker->store)) {
		call_retry(c);
		return;
	}
	metric_add(c->broker->counts.disconnects, 1);
	c->route = route_find(c->routes, span_str("$disconnect"));
	if (c->route == NULL)
		on_result(c, &nobody);
	else
		function_invoke(c->route->function, c, EVENT_PROXY, on_result);
}

static void on_result(struct call *c, const struct result *r)
{
	char text[ID_TEXT];

	if (r->kind != RESULT_OK)
		log_warn_flood("function.failed", S("route", "$disconnect"),
			       S("function", c->route->function->config->name),
			       S("why", r->why));
	store_connection_remove(c->broker->store, id_edge(&c->id),
				span_str(id_text(&c->id, text)), on_removed, c);
}

static void on_removed(void *arg, enum err e)
{
	if (e == OK || e == ERR_NOTFOUND)
		call_end(arg);
	else
		call_retry(arg);
}
