#include "broker/events/handle.h"

#include "bed_store.h"
#include "broker/events/lane.h"
#include "broker/events/redelivery.h"
#include "store/disconnects.h"
#include "store/leases.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

static void start(void)
{
	bed_store_start();
	bed.handler = handle_disconnect;
}

TestSuite(handle_disconnect, .init = start, .fini = bed_store_stop, .timeout = 60);

static void disconnect(uint64_t seq)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.seq = seq;
	e.kind = GATEPOST__EVENT__KIND__DISCONNECT;
	e.code = 1001;
	bed_take_event(0, &e);
}

static void on_put(void *arg, enum err e)
{
	cr_assert(eq(int, e, OK));
	loop_stop(arg);
}

/* The row of the bed's connection. */
static void put_row(void)
{
	struct id id = bed_id();
	char text[ID_TEXT];
	struct connection_row row = {.edge = BED_NUMBER, .stage = span_str("dev")};

	row.id = span_str(id_text(&id, text));
	store_connection_put(bed.broker.store, BED_BOOT, &row, on_put, bed.broker.loop);
	loop_run(bed.broker.loop);
}

static void expect_done(void)
{
	const Gatepost__Answer *a = bed_store_answer();

	cr_assert(not(a->retry));
	cr_assert(a->response == NULL && a->frame == NULL);
}

static struct edge_state state;

static void on_look(void *arg, enum err e, const struct edge_state *s)
{
	cr_assert(eq(int, e, OK));
	state = *s;
	loop_stop(arg);
}

/* How many disconnects its edge owes. */
static int64_t owed(void)
{
	store_edge_look(bed.broker.store, BED_NUMBER, on_look, bed.broker.loop);
	loop_run(bed.broker.loop);
	return state.owed;
}

Test(handle_disconnect, the_row_is_gone_when_it_is_done)
{
	put_row();
	cr_assert(eq(i64, bed_store_rows(), 1));
	disconnect(1);
	expect_done();
	cr_assert(eq(i64, bed_store_rows(), 0));
	cr_assert(eq(i64, owed(), 0));
}

/* The same event again, after its answer was lost. */
Test(handle_disconnect, a_row_that_is_gone_already_is_done_too)
{
	disconnect(1);
	expect_done();
}

Test(handle_disconnect, without_a_store_the_edge_asks_again)
{
	bed_store_lose();
	disconnect(1);
	cr_assert(bed_store_answer()->retry);
}

Test(handle_disconnect, a_store_that_does_not_answer_makes_the_edge_ask_again)
{
	redis_server_freeze(&bed_redis);
	disconnect(1);
	cr_assert(bed_store_answer()->retry);
	redis_server_thaw(&bed_redis);
}

/* ---- those that are owed, and were begun by another broker or by the reaper ---- */

static void on_begun(void *arg, enum err e, const struct disconnect *d)
{
	cr_assert(eq(int, e, OK));
	cr_assert(eq(int, d->code, 1006));
	loop_stop(arg);
}

/* What another broker has begun with, and died. */
static void fill(struct disconnect *d, char text[ID_TEXT])
{
	struct id id = bed_id();

	*d = (struct disconnect){.time_ms = 5, .code = 1006, .tries = 2};
	d->reason = span_str("gone");
	d->row.id = span_str(id_text(&id, text));
	d->row.edge = BED_NUMBER;
}

static void begin_elsewhere(struct disconnect *d, char text[ID_TEXT], int64_t claim_ms)
{
	fill(d, text);
	store_disconnect_begin(bed.broker.store, d, claim_ms, on_begun, bed.broker.loop);
	loop_run(bed.broker.loop);
	cr_assert(eq(i64, owed(), 1));
}

static int64_t seen_ms;
static uint16_t seen_code;

/* Later in the call: what its function would be told. */
static void look_at(struct call *c)
{
	handle_disconnect(c);
	seen_ms = c->time_ms;
	seen_code = c->code;
}

Test(handle_disconnect, one_that_is_owed_is_handled_for_nobody_and_owed_no_more)
{
	char text[ID_TEXT];
	struct disconnect d;

	begin_elsewhere(&d, text, 60000);
	bed.handler = look_at;
	lane_take(bed.broker.lanes, call_new_owed(&bed.broker, &d));
	while (owed() > 0) /* the suite's timeout ends this */
		;
	cr_assert(eq(i64, seen_ms, 5));
	cr_assert(eq(int, seen_code, 1006));
	cr_assert(eq(sz, bed_said(0), 0));
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

Test(handle_disconnect,
     one_that_another_had_begun_who_died_is_done_when_its_edge_says_it_again)
{
	char text[ID_TEXT];
	struct disconnect d;

	begin_elsewhere(&d, text, 0);
	disconnect(1);
	expect_done();
	while (owed() > 0) /* the suite's timeout ends this */
		;
}

Test(handle_disconnect, one_that_another_is_at_is_left_to_it_when_its_edge_says_it_again)
{
	char text[ID_TEXT];
	struct disconnect d;

	begin_elsewhere(&d, text, 60000);
	disconnect(1);
	expect_done();
	cr_assert(eq(i64, owed(), 1));
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
}

/* ---- claims that nobody kept alive, since this broker was stopped ---- */

enum { SHORT_LEASE_MS = 600 };

static void shorten_lease(void)
{
	struct broker *b = &bed.broker;

	owed_free(b->owed);
	b->conf.lease_ms = SHORT_LEASE_MS;
	b->owed = owed_new(b);
}

static void be_stopped(void)
{
	usleep((SHORT_LEASE_MS + 100) * 1000);
}

Test(handle_disconnect, one_that_waited_while_this_broker_was_stopped_is_left_to_others)
{
	char text[ID_TEXT];
	struct disconnect d;
	struct call *c;

	shorten_lease();
	begin_elsewhere(&d, text, 60000);
	c = call_new_owed(&bed.broker, &d);
	owed_hold(bed.broker.owed, c);
	be_stopped();
	cr_assert(eq(i64, owed(), 1));
	lane_take(bed.broker.lanes, c);
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 0));
	cr_assert(eq(i64, owed(), 1));
}

static void stop(void *loop)
{
	loop_stop(loop);
}

/* The next one has a time of its own. */
static void end_turn(void)
{
	loop_defer(bed.broker.loop, stop, bed.broker.loop);
	loop_run(bed.broker.loop);
}

/* $disconnect is for workers from here on; as none polls, it fails when that time is over. */
static void let_function_fail(void)
{
	struct config *c = config_builtin("dev", CONFIG_SELECTION, "builtin:reject");
	const struct config_route *route = &c->routes[1];

	cr_assert(eq(str, route->key, "$disconnect"));
	c->functions[route->function].sort = CONFIG_LAMBDA;
	bed.broker.conf.api_id = "api";
	bed.broker.conf.account_id = "1";
	bed.broker.conf.runtime_address = "127.0.0.1";
	bed.broker.conf.runtime_queue = 1;
	bed.broker.conf.runtime_wait_ms = SHORT_LEASE_MS;
	bed_use(c);
}

/* The story: its context was read before it was asked whose it is, and was never freed (chaos, seed 3017). */
Test(handle_disconnect, one_that_failed_while_this_broker_was_stopped_is_left_to_others)
{
	char text[ID_TEXT];
	struct disconnect d;

	let_function_fail();
	begin_elsewhere(&d, text, 60000);
	shorten_lease();
	lane_take(bed.broker.lanes, call_new_owed(&bed.broker, &d));
	end_turn();
	cr_assert(eq(sz, lanes_size(bed.broker.lanes), 1));
	be_stopped();
	while (lanes_size(bed.broker.lanes) > 0) /* the suite's timeout ends this */
		cr_assert(eq(i64, owed(), 1));
	cr_assert(eq(i64, owed(), 1));
}

/* The story: keeping claims alive was taken for their having been kept alive all the time. */
Test(handle_disconnect,
     a_claim_that_lapsed_is_not_ours_again_when_the_others_are_kept_alive)
{
	char text[ID_TEXT];
	struct disconnect d;
	struct call *old, *new;

	shorten_lease();
	fill(&d, text);
	old = call_new_owed(&bed.broker, &d);
	owed_hold(bed.broker.owed, old);
	cr_assert(owed_is_ours(old));
	be_stopped();
	new = call_new_owed(&bed.broker, &d);
	do
		(void)owed();
	while (!owed_is_ours(new)); /* the suite's timeout ends this */
	cr_assert(not(owed_is_ours(old)));
	call_free(old);
	call_free(new);
}
