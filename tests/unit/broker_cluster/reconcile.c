#include "broker/cluster/reconcile.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

static struct reconcile *r;
static size_t ended;
static enum err with;
static char texts[3][ID_TEXT];
static const char *ids[3];

static void on_end(void *arg, uint16_t edge, enum err e)
{
	(void)arg;
	cr_assert(eq(u16, edge, 7));
	ended++;
	with = e;
}

static void start(void)
{
	cluster_start();
	r = reconcile_new(fake_store(), cluster.commands, cluster.metrics, on_end, NULL);
	for (uint32_t i = 0; i < 3; i++) {
		struct id id = id_make(7, i, i);

		ids[i] = id_text(&id, texts[i]);
	}
}

static void stop(void)
{
	reconcile_free(r);
	cluster_stop();
}

TestSuite(reconcile, .init = start, .fini = stop);

/* The edge's answer to the command of this ticket: a byte for each id. */
static void known(uint64_t ticket, const char *results)
{
	Gatepost__Outcome *o = batch_add(cluster_letter(), GATEPOST__ITEM__BODY_OUTCOME,
					 &gatepost__outcome__descriptor);
	uint8_t *bytes = proto_arena_alloc(&cluster_letter()->arena, 8);
	size_t n = 0;

	for (; results[n] != '\0'; n++)
		bytes[n] = results[n] == '-' ? GATEPOST__OUTCOME__RESULT__GONE
					     : GATEPOST__OUTCOME__RESULT__OK;
	o->ticket = ticket;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	o->results = (ProtobufCBinaryData){.len = n, .data = bytes};
	cluster_post("e1");
}

Test(reconcile, removes_the_rows_that_the_edge_does_not_know_page_by_page)
{
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	reconcile_begin(r, 7);
	cr_assert(eq(u64, fake_store_asked(SCAN)->cursor, 0));
	fake_store_rows(OK, ids, 2, 5);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__KNOW));
	cr_assert(eq(sz, c->ids.len, 2 * ID_BYTES));
	known(1, "+-");
	cr_assert(eq(sz, fake_store_asked(SWEEP)->n, 1));
	cr_assert(eq(str, (char *)fake_store_asked(SWEEP)->ids[0], (char *)ids[1]));
	fake_store_done(SWEEP, OK);
	cr_assert(eq(u64, fake_store_asked(SCAN)->cursor, 5));
	fake_store_rows(OK, ids + 2, 1, 0);
	known(2, "+");
	cr_assert(eq(sz, fake_store_waiting(SWEEP), 0));
	cr_assert(eq(sz, ended, 1));
	cr_assert(eq(int, with, OK));
	cr_assert(eq(i64, cluster_metric("gatepost_broker_rows_swept_total", NULL), 1));
}

Test(reconcile, skips_rows_with_a_foreign_id_and_pages_without_rows)
{
	const char *foreign[] = {"not an id", ids[0]};

	cluster_link("e1", 0xe1, 7);
	reconcile_begin(r, 7);
	fake_store_rows(OK, foreign, 2, 5);
	cr_assert(eq(sz, cluster_read_command("e1")->ids.len, ID_BYTES));
	known(1, "+");
	fake_store_rows(OK, foreign, 1, 6);
	cr_assert(eq(u64, fake_store_asked(SCAN)->cursor, 6));
	fake_store_rows(OK, NULL, 0, 0);
	cr_assert(eq(sz, ended, 1));
	cr_assert(eq(int, with, OK));
}

Test(reconcile, of_one_edge_is_not_begun_twice_at_a_time)
{
	cluster_link("e1", 0xe1, 7);
	reconcile_begin(r, 7);
	reconcile_begin(r, 7);
	cr_assert(eq(sz, fake_store_waiting(SCAN), 1));
	fake_store_rows(OK, NULL, 0, 0);
	reconcile_begin(r, 7);
	cr_assert(eq(sz, fake_store_waiting(SCAN), 1));
	cr_assert(eq(sz, ended, 1));
}

/* ---- every step × what may fail there ---- */

enum step { FIRST_SCAN, SECOND_SCAN, KNOW, SWEEPING };

struct failure {
	enum step step;
	enum err e;   /* of the store; KNOW: of the edge */
	enum err end; /* what the run ends with */
};

static struct failure failures[] = {
	{FIRST_SCAN, ERR_DOWN, ERR_DOWN},
	{FIRST_SCAN, ERR_BUSY, ERR_BUSY},
	{FIRST_SCAN, ERR_MALFORMED, ERR_MALFORMED},
	{SECOND_SCAN, ERR_DOWN, ERR_DOWN},
	{SECOND_SCAN, ERR_BUSY, ERR_BUSY},
	{KNOW, ERR_NOTFOUND, ERR_DOWN}, /* no link any more when it is to be asked */
	{KNOW, ERR_DOWN, ERR_DOWN},     /* its link ends while it is asked */
	{KNOW, ERR_MALFORMED,
	 ERR_MALFORMED}, /* it answers for fewer than were asked for */
	{SWEEPING, ERR_DOWN, ERR_DOWN},
	{SWEEPING, ERR_BUSY, ERR_BUSY},
};

ParameterizedTestParameters(reconcile, every_step_that_fails)
{
	return cr_make_param_array(struct failure, failures,
				   sizeof failures / sizeof *failures);
}

static void fail_at_know(enum err e)
{
	if (e == ERR_NOTFOUND) {
		cluster_hello("e1b", 0xe1, 7);
		fake_store_rows(OK, ids, 2, 0);
	} else if (e == ERR_DOWN) {
		fake_store_rows(OK, ids, 2, 0);
		cluster_hello("e1b", 0xe1, 7);
		fake_loop_run(cluster.loop, 0);
	} else {
		fake_store_rows(OK, ids, 2, 0);
		known(1, "+");
	}
}

ParameterizedTest(struct failure *f, reconcile, every_step_that_fails)
{
	cluster_link("e1", 0xe1, 7);
	reconcile_begin(r, 7);
	switch (f->step) {
	case FIRST_SCAN: fake_store_rows(f->e, NULL, 0, 0); break;
	case SECOND_SCAN:
		fake_store_rows(OK, ids, 1, 5);
		known(1, "+");
		fake_store_rows(f->e, NULL, 0, 0);
		break;
	case KNOW: fail_at_know(f->e); break;
	case SWEEPING:
		fake_store_rows(OK, ids, 1, 5);
		known(1, "-");
		fake_store_done(SWEEP, f->e);
		break;
	}
	cr_assert(eq(sz, ended, 1));
	cr_assert(eq(int, with, f->end));
	cr_assert(eq(sz, fake_store_waiting(SCAN), 0));
	reconcile_begin(r, 7); /* and it can be begun again */
	cr_assert(eq(sz, fake_store_waiting(SCAN), 1));
}

Test(reconcile, that_waits_for_an_edge_at_the_end_is_cancelled)
{
	cluster_link("e1", 0xe1, 7);
	reconcile_begin(r, 7);
	fake_store_rows(OK, ids, 2, 0);
	reconcile_free(r);
	r = NULL;
	known(1, "++");
	cr_assert(eq(sz, ended, 0));
}
