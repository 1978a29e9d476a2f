#include "broker/handle.h"

#include "bed_store.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

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
	struct id id = id_make(7, 1, 99);
	char text[ID_TEXT];
	struct connection_row row = {.edge = 7, .stage = span_str("dev")};

	row.id = span_str(id_text(&id, text));
	store_connection_put(bed.broker.store, &row, on_put, bed.broker.loop);
	loop_run(bed.broker.loop);
}

static void expect_done(void)
{
	const Gatepost__Answer *a = bed_store_answer();

	cr_assert(not(a->retry));
	cr_assert(a->response == NULL && a->frame == NULL);
}

Test(handle_disconnect, the_row_is_gone_when_it_is_done)
{
	put_row();
	cr_assert(eq(i64, bed_store_rows(), 1));
	disconnect(1);
	expect_done();
	cr_assert(eq(i64, bed_store_rows(), 0));
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
