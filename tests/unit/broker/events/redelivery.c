#include "broker/events/redelivery.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { AT_ONCE = 1000, BATCH = 500 };

static struct redelivery *r;
static size_t delivered;

static bool deliver(const struct disconnect *d)
{
	struct id id;

	cr_assert(eq(int, id_parse(d->row.id, &id), OK));
	redelivery_keep_claim(r, &id);
	delivered++;
	return true;
}

static void start(void)
{
	fixture_start();
	fixture.deliver = deliver;
	r = fixture.redelivery;
}

TestSuite(redelivery, .init = start, .fini = fixture_stop);

static int64_t count(const char *name)
{
	return metric_value(metric_counter(fixture.metrics, name, NULL, ""));
}

static struct claim *hold(uint16_t edge, uint32_t slot)
{
	struct id id = id_make(edge, slot, 1);

	return redelivery_keep_claim(r, &id);
}

static void expect_kept(uint16_t edge, size_t n)
{
	const struct fake_asked *q = fake_store_asked(HOLD);

	cr_assert(eq(int, q->edge, edge));
	cr_assert(eq(sz, q->n, n));
	cr_assert(eq(i64, q->ms, CLAIM_MS));
	fake_store_done(HOLD, OK);
}

/* ---- claims ---- */

Test(redelivery, keeps_claims_alive_with_one_question_for_each_edge)
{
	hold(2, 1);
	hold(1, 1);
	hold(2, 2);
	fake_loop_run(fixture.loop, CLAIM_MS / 3);
	expect_kept(1, 1);
	expect_kept(2, 2);
	cr_assert(eq(sz, fake_store_pending(), 0));
}

Test(redelivery, keeps_at_most_so_many_claims_with_one_question)
{
	for (uint32_t i = 0; i < BATCH + 1; i++)
		hold(1, i);
	fake_loop_run(fixture.loop, CLAIM_MS / 3);
	expect_kept(1, BATCH);
	expect_kept(1, 1);
}

Test(redelivery, keeps_no_claim_that_was_released)
{
	redelivery_release_claim(hold(1, 1));
	redelivery_release_claim(NULL);
	fake_loop_run(fixture.loop, CLAIM_MS);
	cr_assert(eq(sz, fake_store_pending(), 0));
}

Test(redelivery, goes_on_keeping_a_claim_whatever_the_store_answers)
{
	static const enum err errs[] = {OK, ERR_DOWN, ERR_BUSY};
	struct claim *k = hold(1, 1);

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		fake_loop_run(fixture.loop, CLAIM_MS / 3);
		fake_store_done(HOLD, errs[i]);
		cr_assert(redelivery_has_claim(k));
	}
}

Test(redelivery, loses_its_claims_while_this_process_is_stopped)
{
	struct claim *k = hold(1, 1);

	fake_loop_stop_for(CLAIM_MS - 1);
	cr_assert(redelivery_has_claim(k));
	fake_loop_stop_for(1);
	cr_assert(not(redelivery_has_claim(k)));
}

/* The story: keeping claims alive was taken for their having been kept alive all the time. */
Test(redelivery, does_not_get_a_claim_back_that_expired_when_others_are_kept_alive)
{
	struct claim *old = hold(1, 1), *new;

	fake_loop_stop_for(CLAIM_MS);
	new = hold(1, 2);
	fake_loop_run(fixture.loop, 1); /* lost: the timer is late */
	fake_store_close();
	cr_assert(not(redelivery_has_claim(old)));
	redelivery_release_claim(new);
	new = hold(1, 3);
	cr_assert(redelivery_has_claim(new));
	fake_loop_run(fixture.loop, CLAIM_MS / 3);
	expect_kept(1, 1);
	cr_assert(not(redelivery_has_claim(old)));
	cr_assert(redelivery_has_claim(new));
}

/* ---- what is due ---- */

static void claimed(size_t n)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text), ds[BATCH];

	for (size_t i = 0; i < n; i++)
		ds[i] = d;
	fake_store_claimed(OK, ds, n);
}

Test(redelivery, delivers_what_is_due_of_an_edge)
{
	cr_assert(redelivery_claim(r, EDGE));
	cr_assert(eq(sz, fake_store_asked(CLAIM)->n, BATCH));
	cr_assert(eq(i64, fake_store_asked(CLAIM)->ms, CLAIM_MS));
	claimed(3);
	cr_assert(eq(sz, delivered, 3));
	cr_assert(eq(sz, fake_store_pending(), 0));
}

Test(redelivery, claims_of_one_edge_at_a_time)
{
	cr_assert(redelivery_claim(r, 1));
	cr_assert(not(redelivery_claim(r, 2)));
	claimed(0);
	cr_assert(redelivery_claim(r, 2));
}

Test(redelivery, claims_again_after_the_store_failed)
{
	cr_assert(redelivery_claim(r, 1));
	fake_store_claimed(ERR_DOWN, NULL, 0);
	cr_assert(eq(sz, delivered, 0));
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(redelivery_claim(r, 1));
}

/* 500, 500, and then there is no room until half of them are done. */
Test(redelivery, claims_until_there_is_no_room_and_goes_on_when_half_are_done)
{
	struct claim *k[AT_ONCE];

	for (size_t i = 0; i < AT_ONCE / 2; i++)
		k[i] = hold(1, (uint32_t)i);
	cr_assert(redelivery_claim(r, EDGE));
	cr_assert(not(redelivery_has_capacity(r)),
		  "those that are claimed have their place");
	claimed(BATCH);
	cr_assert(eq(sz, fake_store_pending(), 0));
	cr_assert(not(redelivery_has_capacity(r)));
	cr_assert(not(redelivery_claim(r, EDGE)));
	for (size_t i = 0; i < AT_ONCE / 2; i++)
		redelivery_release_claim(k[i]);
	fake_loop_run(fixture.loop, 0);
	cr_assert(eq(int, fake_store_asked(CLAIM)->edge, EDGE));
	cr_assert(eq(sz, fake_store_asked(CLAIM)->n, BATCH));
}

Test(redelivery, claims_more_when_a_whole_batch_came)
{
	cr_assert(redelivery_claim(r, EDGE));
	claimed(BATCH);
	cr_assert(eq(sz, fake_store_waiting(CLAIM), 1));
}

Test(redelivery, that_is_stopped_delivers_what_was_claimed_and_claims_no_more)
{
	cr_assert(redelivery_claim(r, EDGE));
	redelivery_stop(r);
	claimed(BATCH);
	cr_assert(eq(sz, delivered, BATCH));
	cr_assert(eq(sz, fake_store_waiting(CLAIM), 0));
}

/* ---- what cannot be read ---- */

Test(redelivery, makes_a_dead_letter_of_what_it_cannot_read)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	d.is_broken = true;
	cr_assert(redelivery_claim(r, EDGE));
	fake_store_claimed(OK, &d, 1);
	cr_assert(eq(sz, delivered, 0));
	cr_assert(eq(str, (char *)fake_store_asked(PARK)->text,
		     "foreign, or written by a later version"));
	fake_store_done(PARK, OK);
	cr_assert(eq(i64, count("gatepost_broker_disconnects_unreadable_total"), 1));
	cr_assert(eq(i64, count("gatepost_broker_disconnects_dropped_total"), 0));
}

Test(redelivery, makes_a_dead_letter_of_an_unreadable_disconnect)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	fixture.deliver = NULL;
	cr_assert(redelivery_claim(r, EDGE));
	fake_store_claimed(OK, &d, 1);
	cr_assert(eq(sz, fake_store_waiting(PARK), 1));
	fake_store_done(PARK, ERR_TOOBIG);
	cr_assert(eq(i64, count("gatepost_broker_disconnects_dropped_total"), 1));
}

/* ---- failures ---- */

static enum err deferred;

static void on_deferred(void *arg, enum err e)
{
	(void)arg;
	deferred = e;
}

Test(redelivery, waits_longer_after_each_failure_but_not_for_ever)
{
	static const struct {
		int tries;
		int64_t ms;
	} rows[] = {{1, 1000}, {2, 2000}, {9, 256000}, {10, 300000}, {40, 300000}};
	struct redelivery *patient = redelivery_new(
		&(struct redelivery_conf){.claim_ms = CLAIM_MS, .tries = 100},
		&(struct redelivery_uses){.loop = fixture.loop, .store = fake_store()});

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[ID_TEXT];
		struct disconnect d = fixture_disconnect(text);
		int64_t ms;

		d.tries = rows[i].tries;
		redelivery_defer(patient, &d, on_deferred, NULL);
		ms = fake_store_asked(LATER)->ms;
		cr_assert(ms >= rows[i].ms * 3 / 4 && ms <= rows[i].ms * 5 / 4,
			  "after %d tries %lld ms", rows[i].tries, (long long)ms);
		fake_store_done(LATER, OK);
	}
	redelivery_free(patient);
}

Test(redelivery, makes_a_dead_letter_after_the_last_try_and_passes_on_how_that_went)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);

	d.tries = TRIES - 1;
	redelivery_defer(r, &d, on_deferred, NULL);
	cr_assert(eq(sz, fake_store_waiting(LATER), 1));
	d.tries = TRIES;
	redelivery_defer(r, &d, on_deferred, NULL);
	fake_store_done(PARK, ERR_TOOBIG);
	cr_assert(eq(int, deferred, ERR_TOOBIG));
	cr_assert(eq(i64, count("gatepost_broker_disconnects_failed_total"), 2));
	cr_assert(eq(i64, count("gatepost_broker_disconnects_parked_total"), 1));
}
