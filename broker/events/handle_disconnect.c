/*
 * A connection has ended.
 *
 *   handle_disconnect   leave the presence of its channels
 *   go_on               without a route: remove the row, done
 *   on_begun            the row is out of the table, the disconnect is pending:
 *                       answer the edge, then invoke the function
 *   on_result           success: no longer pending
 *                       failure: retry later, or, after the last try, a dead letter
 *
 * Two steps: the table is right at once, and if a broker dies, another one finds the
 * pending disconnect (broker/cluster/reaper.c).
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "broker/channels/presence/presence.h"
#include "broker/cluster/row.h"
#include "broker/events/redelivery.h"
#include "broker/routes/route.h"

static void on_left(void *arg, const struct failure *failure);
static void go_on(struct call *c);
static void on_removed(void *arg, enum err e);
static void begin(struct call *c);
static void on_begun(void *arg, enum err e, const struct disconnect *d);
static void invoke(struct call *c);
static void on_result(void *arg, const struct result *r);
static void fail(struct call *c, bool is_ours, const char *why);
static void on_ended(void *arg, enum err e);
static void on_deferred(void *arg, enum err e);

static void enter(struct call *c, enum phase to)
{
	phase_enter(&c->disconnect.phase, to);
}

static void release(struct call *c)
{
	redelivery_release_claim(c->disconnect.claim);
	c->disconnect.claim = NULL;
}

static void end(struct call *c)
{
	enter(c, PHASE_DONE);
	release(c);
	call_end(c);
}

static void retry(struct call *c)
{
	enter(c, PHASE_DONE);
	release(c);
	call_retry(c);
}

/* All at once; a pending disconnect has none: who has found it removes the whole edge's. */
static void leave_channels(struct call *c)
{
	enter(c, PHASE_LEAVING);
	c->disconnect.n_leaving = 1; /* until all are asked */
	for (size_t i = 0; i < c->disconnect.n_channels; i++) {
		c->disconnect.n_leaving++;
		presence_leave(c->uses->presence, c->disconnect.channels[i], &c->in.id,
			       on_left, c);
	}
	on_left(c, NULL);
}

void handle_disconnect(struct call *c)
{
	bool is_pending = c->disconnect.phase == PHASE_PENDING;

	if (is_pending && !redelivery_has_claim(c->disconnect.claim)) {
		end(c); /* it waited in its lane while this broker was stopped */
		return;
	}
	if (!store_is_up(c->uses->store)) {
		retry(c);
		return;
	}
	metric_add(c->counts->disconnects, !is_pending);
	call_forget_user(c, c->uses->store);
	if (c->disconnect.n_channels > 0)
		leave_channels(c);
	else
		go_on(c);
}

/* What has left already changes nothing when it is tried again. */
static void on_left(void *arg, const struct failure *failure)
{
	struct call *c = arg;

	c->disconnect.has_failed = c->disconnect.has_failed || failure != NULL;
	if (--c->disconnect.n_leaving > 0)
		return;
	if (c->disconnect.has_failed)
		retry(c);
	else
		go_on(c);
}

static void go_on(struct call *c)
{
	char text[ID_TEXT];

	if (c->disconnect.route == NULL) {
		enter(c, PHASE_REMOVING);
		store_connection_remove(c->uses->store, id_edge(&c->in.id),
					span_str(id_text(&c->in.id, text)), on_removed,
					c);
	} else if (c->disconnect.phase == PHASE_PENDING) {
		invoke(c);
	} else {
		begin(c);
	}
}

static void on_removed(void *arg, enum err e)
{
	if (e == OK || e == ERR_NOTFOUND)
		end(arg);
	else
		retry(arg);
}

/* What the store keeps of c; its texts point into x and text while d is used. */
static void write_down(const struct call *c, const Gatepost__Context *x,
		       char text[ID_TEXT], struct disconnect *d)
{
	*d = (struct disconnect){
		.row = {.id = span_str(id_text(&c->in.id, text)),
			.edge = id_edge(&c->in.id)},
		.time_ms = c->in.time_ms,
		.code = c->in.code,
		.reason = c->in.body,
		.tries = c->disconnect.tries,
	};
	row_fill(&d->row, x, c->in.context, c->in.setting->stage);
}

static void begin(struct call *c)
{
	struct redelivery *r = c->uses->redelivery;
	Gatepost__Context *x = call_context(c);
	char text[ID_TEXT];
	struct disconnect d;

	if (x == NULL) { /* malformed: there is no event for a function */
		end(c);
		return;
	}
	write_down(c, x, text, &d);
	enter(c, PHASE_BEGINNING);
	if (redelivery_has_capacity(r)) /* from now on it counts */
		c->disconnect.claim = redelivery_keep_claim(r, &c->in.id);
	store_disconnect_begin(c->uses->store, &d,
			       c->disconnect.claim ? redelivery_claim_ms(r) : 0, on_begun,
			       c);
	gatepost__context__free_unpacked(x, NULL);
}

static void on_begun(void *arg, enum err e, const struct disconnect *d)
{
	struct call *c = arg;

	if (e == ERR_CLAIMED) { /* the edge's answer was lost, not its event */
		end(c);
		return;
	}
	if (e != OK) {
		retry(c);
		return;
	}
	if (call_is_lost(c)) { /* its edge has sent it to another broker meanwhile */
		end(c);
		return;
	}
	call_adopt(c, d);
	call_acknowledge(c);
	if (c->disconnect.claim == NULL) /* too many are under way: it is claimed later */
		end(c);
	else
		invoke(c);
}

static void invoke(struct call *c)
{
	enter(c, PHASE_RUNNING);
	function_invoke(c->disconnect.route->function, &c->in, EVENT_PROXY, on_result, c);
}

static void on_result(void *arg, const struct result *r)
{
	struct call *c = arg;
	bool is_ours = redelivery_has_claim(c->disconnect.claim);
	char text[ID_TEXT];

	release(c);
	if (r->kind != RESULT_OK) {
		fail(c, is_ours, r->why);
		return;
	}
	enter(c, PHASE_ENDING);
	store_disconnect_end(c->uses->store, id_edge(&c->in.id),
			     span_str(id_text(&c->in.id, text)), on_ended, c);
}

/* The function has handled it. If the store failed and it is still pending, the function gets it again. */
static void on_ended(void *arg, enum err e)
{
	(void)e;
	end(arg);
}

static void fail(struct call *c, bool is_ours, const char *why)
{
	Gatepost__Context *x = is_ours ? call_context(c) : NULL;
	char text[ID_TEXT];
	struct disconnect d;

	c->disconnect.tries++;
	log_warn_flood("function.failed", S("route", "$disconnect"),
		       S("function", c->in.route->function), S("why", why),
		       I("tries", c->disconnect.tries));
	if (x == NULL) {
		end(c); /* the broker with the claim continues */
		return;
	}
	write_down(c, x, text, &d);
	d.error = span_str(why);
	enter(c, PHASE_DEFERRING);
	redelivery_defer(c->uses->redelivery, &d, on_deferred, c);
	gatepost__context__free_unpacked(x, NULL);
}

/* If it could not be written, the claim expires, and the function is invoked again. */
static void on_deferred(void *arg, enum err e)
{
	struct call *c = arg;

	if (e == ERR_TOOBIG)
		redelivery_drop(c->uses->redelivery);
	end(c);
}
