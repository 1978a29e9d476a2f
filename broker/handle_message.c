/* A client's message: its route's function answers. */
#include "broker/handle.h"

#include "broker/route.h"

static void on_result(struct call *c, const struct result *r);

void handle_message(struct call *c)
{
	metric_add(c->broker->counts.messages, 1);
	function_invoke(route_select(c->broker->routes, c->body, c->binary), c,
			on_result);
}

static void on_result(struct call *c, const struct result *r)
{
	call_reply(c, r->body, r->binary);
}
