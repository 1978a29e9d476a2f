/*
 * A connection has ended.
 *
 *   handle_disconnect   nobody is to hear of it? take the row out, done
 *   on_begun            the row has left the table, what is owed is written down: the
 *                       edge has its answer; now the function
 *   on_result           the function has it: forget what is owed
 *                       it failed: another time, or, after the last try, parked
 *
 * Two steps, so that the table tells at once who is here, and whoever dies, somebody
 * finds what is owed (broker/cluster/reaper.c).
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "broker/events/redelivery.h"
#include "broker/cluster/edges.h"
#include "broker/function/route.h"
#include "broker/cluster/row.h"
#include "store/disconnects.h"

static void on_removed(void *arg, enum err e);
static void begin(struct call *c);
static void on_begun(void *arg, enum err e, const struct disconnect *d);
static void invoke(struct call *c);
static void on_result(struct call *c, const struct result *r);
static void on_failed(struct call *c, const char *why);
static void on_ended(void *arg, enum err e);
static void on_written(void *arg, enum err e);

void handle_disconnect(struct call *c)
{
	struct store *st = c->broker->store;
	char text[ID_TEXT];

	if (c->is_owed && !owed_is_ours(c)) {
		call_end(c); /* it waited in its lane while this broker was stopped */
		return;
	}
	if (!store_is_up(st)) {
		call_retry(c);
		return;
	}
	metric_add(c->broker->counts.disconnects, !c->is_owed);
	c->route = route_find(c->routes, span_str("$disconnect"));
	if (c->route == NULL)
		store_connection_remove(st, id_edge(&c->id),
					span_str(id_text(&c->id, text)), on_removed, c);
	else if (c->is_owed)
		invoke(c);
	else
		begin(c);
}

static void on_removed(void *arg, enum err e)
{
	if (e == OK || e == ERR_NOTFOUND)
		call_end(arg);
	else
		call_retry(arg);
}

/* What the store keeps of c; texts are of x and text, for as long as d is used. */
static void write_down(const struct call *c, const Gatepost__Context *x,
		       char text[ID_TEXT], struct disconnect *d)
{
	*d = (struct disconnect){
		.row = {.id = span_str(id_text(&c->id, text)), .edge = id_edge(&c->id)},
		.time_ms = c->time_ms,
		.code = c->code,
		.reason = c->body,
		.tries = c->tries,
	};
	row_fill(&d->row, x, c->context, routes_config(c->routes)->stage);
}

static void begin(struct call *c)
{
	Gatepost__Context *x = call_context(c);
	char text[ID_TEXT];
	struct disconnect d;

	if (x ==
	    NULL) { /* no edge of ours makes this: there is nothing to tell a function */
		call_end(c);
		return;
	}
	write_down(c, x, text, &d);
	c->is_left = !owed_has_room(c->broker->owed);
	if (!c->is_left)
		owed_hold(c->broker->owed, c); /* from now on it has its place */
	store_disconnect_begin(c->broker->store, &d,
			       c->is_left ? 0 : owed_claim_ms(c->broker), on_begun, c);
	gatepost__context__free_unpacked(x, NULL);
}

static void on_begun(void *arg, enum err e, const struct disconnect *d)
{
	struct call *c = arg;

	if (e == ERR_CLAIMED) { /* the edge's answer was lost, not its event */
		call_end(c);
		return;
	}
	if (e != OK) {
		call_retry(c);
		return;
	}
	if (!edge_link_is_live(
		    c->peer)) { /* its edge has asked another broker meanwhile */
		call_end(c);
		return;
	}
	call_adopt(c, d);
	call_part(c);
	if (c->is_left) /* too many are under way: it is claimed when there is room */
		call_end(c);
	else
		invoke(c);
}

static void invoke(struct call *c)
{
	owed_hold(c->broker->owed, c);
	function_invoke(c->route->function, c, EVENT_PROXY, on_result);
}

static void on_result(struct call *c, const struct result *r)
{
	char text[ID_TEXT];

	owed_release(c);
	if (r->kind != RESULT_OK)
		on_failed(c, r->why);
	else
		store_disconnect_end(c->broker->store, id_edge(&c->id),
				     span_str(id_text(&c->id, text)), on_ended, c);
}

/* The function has it, whatever the store says: if that still owes it, it comes to it once more. */
static void on_ended(void *arg, enum err e)
{
	(void)e;
	call_end(arg);
}

static void on_failed(struct call *c, const char *why)
{
	Gatepost__Context *x = owed_is_ours(c) ? call_context(c) : NULL;
	char text[ID_TEXT];
	struct disconnect d;

	c->tries++;
	log_warn_flood("function.failed", S("route", "$disconnect"),
		       S("function", c->route->function->config->name), S("why", why),
		       I("tries", c->tries));
	if (x == NULL) {
		call_end(c); /* whose claim it is now does what is to be done */
		return;
	}
	write_down(c, x, text, &d);
	d.error = span_str(why);
	owed_put_off(c->broker->owed, &d, on_written, c);
	gatepost__context__free_unpacked(x, NULL);
}

/* If it could not be written, the claim lapses, and the function is asked again then. */
static void on_written(void *arg, enum err e)
{
	struct call *c = arg;

	if (e == ERR_TOOBIG)
		owed_dropped(c->broker->owed);
	call_end(c);
}
