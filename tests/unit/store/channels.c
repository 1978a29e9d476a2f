#include "store/channels.h"

#include "base/clock.h"
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { TTL_MS = 60000 };

TestSuite(channels, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

struct answer {
	enum err err;
	enum channel_outcome outcome;
	char whole[33];    /* the epoch: 11 digits of its time, */
	const char *epoch; /* and the rest, as it was proposed */
	int64_t offset, time_ms, base, first;
	char messages[4096]; /* "a b c " */
	size_t n;
};

static void keep_position(struct answer *a, struct position p)
{
	static char rest[64][32]; /* as many answers as a test may hold */
	static unsigned n;

	snprintf(a->whole, sizeof a->whole, "%.*s", SPAN_ARG(p.epoch));
	cr_assert(gt(sz, p.epoch.n, 11));
	n = (n + 1) % 64;
	snprintf(rest[n], sizeof rest[n], "%s", a->whole + 11);
	a->epoch = rest[n];
	a->offset = p.offset;
}

static void on_appended(void *arg, enum err e, const struct channel_appended *done)
{
	struct answer *a = arg;

	a->err = e;
	if (e == OK) {
		a->outcome = done->outcome;
		a->time_ms = done->time_ms;
		keep_position(a, done->position);
	}
	loop_stop(fixture.loop);
}

static void on_read(void *arg, enum err e, const struct channel_history *h)
{
	struct answer *a = arg;
	size_t at = 0;

	a->err = e;
	if (e == OK) {
		keep_position(a, h->position);
		a->base = h->base;
		a->first = h->first;
		a->n = h->n;
		for (size_t i = 0; i < h->n; i++)
			at += (size_t)snprintf(a->messages + at, sizeof a->messages - at,
					       "%.*s ", SPAN_ARG(h->messages[i].message));
	}
	loop_stop(fixture.loop);
}

static struct channel_append publication(const char *text)
{
	return (struct channel_append){
		.look = {span_str("room:1"),
			 span_str("g1"),
			 span_str("e1"),
			 {{0}, 0},
			 TTL_MS},
		.size = 100,
		.bytes = 1 << 20,
		.key_ttl_ms = TTL_MS,
		.now_ms = clock_wall_ms(),
		.message = span_str(text),
	};
}

static struct answer append(const struct channel_append *q)
{
	struct answer a = {0};

	store_channel_append(fixture.store, q, on_appended, &a);
	store_fixture_run(&fixture);
	return a;
}

/* The numbers of a position, as channel_position.lua packs them. */
enum number { OFFSET, BYTES, OLDEST, ALIVE };

static int64_t packed(enum number number)
{
	return atoll(store_fixture_redis(
		&fixture, "BITFIELD t:{room:1}:position GET i64 #%d", (int)number));
}

static void pack(enum number number, int64_t to)
{
	store_fixture_redis(&fixture, "BITFIELD t:{room:1}:position SET i64 #%d %lld",
			    (int)number, (long long)to);
}

static struct answer append_text(const char *text)
{
	struct channel_append q = publication(text);

	return append(&q);
}

static struct answer read_range(int64_t after, int64_t until, int64_t limit,
				int64_t bytes, bool newest)
{
	struct channel_append like = publication("");
	struct channel_read q = {like.look, after, until, limit, bytes, newest};
	struct answer a = {0};

	store_channel_read(fixture.store, &q, on_read, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static struct answer read_all(void)
{
	return read_range(0, -1, 1000, 1 << 20, false);
}

static void append_digits(int n)
{
	char text[8];

	for (int i = 1; i <= n; i++) {
		snprintf(text, sizeof text, "%d", i);
		cr_assert(eq(i64, append_text(text).offset, i));
	}
}

static void assert_appended(const struct answer *a, const char *epoch, int64_t offset)
{
	cr_assert(eq(int, a->err, OK));
	cr_assert(eq(int, (int)a->outcome, CHANNEL_APPENDED));
	cr_assert(eq(str, (char *)(uintptr_t)a->epoch, (char *)(uintptr_t)epoch));
	cr_assert(eq(i64, a->offset, offset));
}

Test(channels, count_their_messages_from_1_and_keep_them_in_order)
{
	struct answer a = append_text("a"), b = append_text("b"), all = read_all();

	assert_appended(&a, "e1", 1);
	assert_appended(&b, "e1", 2);
	cr_assert(a.time_ms > INT64_C(1700000000000) && b.time_ms >= a.time_ms);
	cr_assert(eq(str, all.messages, "a b "));
	cr_assert(eq(i64, all.base, 0));
	cr_assert(eq(i64, all.first, 1));
	cr_assert(eq(i64, all.offset, 2));
}

Test(channels, carry_any_bytes)
{
	struct channel_append q = publication("");
	struct answer a;

	q.message = span_of("\0\r\n\xff{", 5);
	a = append(&q);
	assert_appended(&a, "e1", 1);
	cr_assert(eq(int, (int)read_all().n, 1));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "STRLEN t:{room:1}:none"),
		     "0"));
}

Test(channels, begin_a_position_for_who_subscribes_before_anything_was_published)
{
	struct answer empty = read_all(), a;

	cr_assert(eq(str, (char *)(uintptr_t)empty.epoch, "e1"));
	cr_assert(eq(i64, empty.offset, 0));
	cr_assert(eq(sz, empty.n, 0));
	a = append_text("a");
	assert_appended(&a, "e1", 1);
}

Test(channels, keep_no_more_messages_than_their_size)
{
	struct channel_append q = publication("x");
	struct answer all;

	append_digits(3);
	q.size = 2;
	append(&q);
	all = read_all();
	cr_assert(eq(str, all.messages, "3 x "));
	cr_assert(eq(i64, all.base, 2));
	cr_assert(eq(i64, all.first, 3));
}

Test(channels, keep_no_more_bytes_than_they_may)
{
	struct channel_append q = publication("xy");
	struct answer all;

	append_digits(3); /* 14 bytes each */
	q.bytes = 2 * 14 + 15;
	append(&q);
	all = read_all();
	cr_assert(eq(str, all.messages, "2 3 xy "));
	cr_assert(eq(i64, packed(BYTES), 43));
	q.bytes = 3;
	append(&q);
	all = read_all();
	cr_assert(eq(str, all.messages, ""));
	cr_assert(eq(i64, all.offset, 5));
	cr_assert(eq(i64, all.base, 5));
	cr_assert(eq(i64, packed(BYTES), 0));
}

/* A message whose time is over is not read, though others keep the key alive. */
Test(channels, forget_a_message_when_its_time_is_over)
{
	struct answer all;

	append_digits(2);
	store_fixture_redis(&fixture, "LSET t:{room:1}:history 0 0000000000001old");
	all = read_all();
	cr_assert(eq(str, all.messages, "2 "));
	cr_assert(eq(i64, all.base, 1));
	store_fixture_redis(&fixture, "LSET t:{room:1}:history 0 0000000000001old");
	pack(OLDEST, 1);
	append_text("3");
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "LLEN t:{room:1}:history"),
		     "1"));
	cr_assert(eq(str, read_all().messages, "3 "));
}

Test(channels, are_read_in_parts_from_either_end)
{
	struct answer a;

	append_digits(6);
	a = read_range(1, 4, 100, 1 << 20, false);
	cr_assert(eq(str, a.messages, "2 3 4 "));
	a = read_range(0, -1, 2, 1 << 20, false);
	cr_assert(eq(str, a.messages, "1 2 "));
	a = read_range(0, -1, 2, 1 << 20, true);
	cr_assert(eq(str, a.messages, "5 6 "));
	cr_assert(eq(i64, a.first, 5));
	a = read_range(0, -1, 100, 2 * 14, false);
	cr_assert(eq(str, a.messages, "1 2 "));
	a = read_range(0, -1, 100, 2 * 14, true);
	cr_assert(eq(str, a.messages, "5 6 "));
	cr_assert(eq(i64, a.first, 5));
	a = read_range(0, -1, 100, 1, false);
	cr_assert(eq(str, a.messages, "1 "));
	a = read_range(0, -1, 0, 1 << 20, false);
	cr_assert(eq(sz, a.n, 0));
	cr_assert(eq(i64, a.offset, 6));
	a = read_range(6, -1, 100, 1 << 20, false);
	cr_assert(eq(sz, a.n, 0));
	a = read_range(9, 3, 100, 1 << 20, true);
	cr_assert(eq(sz, a.n, 0));
}

/* A broker died after the append and before the edge had its answer: the event comes again. */
Test(channels, give_an_event_that_comes_again_the_position_that_it_had)
{
	struct channel_append q = publication("a");
	struct answer first, again, next;

	q.from = span_str("AAEAAAAB");
	q.event = 7;
	first = append(&q);
	q.index = 1;
	append(&q);
	append_text("between");
	q.index = 0;
	again = append(&q);
	cr_assert(eq(int, (int)again.outcome, CHANNEL_REPEATED));
	cr_assert(eq(i64, again.offset, first.offset));
	cr_assert(eq(i64, again.time_ms, first.time_ms));
	q.index = 1;
	cr_assert(eq(i64, append(&q).offset, 2));
	q.event = 8;
	q.index = 0;
	next = append(&q);
	assert_appended(&next, "e1", 4);
	q.event = 7;
	q.from = span_str("AAEAAAAC");
	next = append(&q);
	assert_appended(&next, "e1", 5);
}

/* The first copy of an event may reach Redis after the second one, and brokers' clocks differ. */
Test(channels, know_an_event_again_whenever_it_comes)
{
	struct channel_append q = publication("a");
	const int64_t first_ms = q.now_ms;

	q.from = span_str("AAEAAAAB");
	q.event = 7;
	q.event_ms = 5 * 60 * 1000 - 1;
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_APPENDED));
	for (int64_t later = -2; later <= 2; later++) {
		q.now_ms = first_ms + later * 5 * 60 * 1000;
		cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_REPEATED));
		cr_assert(eq(i64, append(&q).time_ms, first_ms));
	}
	q.event = 70;
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_APPENDED));
}

Test(channels, append_once_for_each_idempotency_key)
{
	struct channel_append q = publication("a");
	struct answer first, again, other;

	q.key = span_str("order-1");
	first = append(&q);
	append_text("between");
	again = append(&q);
	cr_assert(eq(int, (int)again.outcome, CHANNEL_DUPLICATE));
	cr_assert(eq(i64, again.offset, first.offset));
	q.key = span_str("order-2");
	other = append(&q);
	assert_appended(&other, "e1", 3);
}

Test(channels, suppress_an_older_or_equal_version_which_takes_no_offset)
{
	struct channel_append q = publication("a");
	struct answer a;

	q.has_version = true;
	q.version = 9;
	append(&q);
	a = append(&q);
	cr_assert(eq(int, (int)a.outcome, CHANNEL_SUPPRESSED));
	cr_assert(eq(i64, a.offset, 1));
	q.version = 10; /* as a number, not as text */
	a = append(&q);
	assert_appended(&a, "e1", 2);
	q.version = 9;
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_SUPPRESSED));
	append_text("without one");
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_SUPPRESSED));
	q.version = UINT64_MAX;
	a = append(&q);
	assert_appended(&a, "e1", 4);
	q.version = UINT64_MAX - 1;
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_SUPPRESSED));
}

Test(channels, without_history_check_keys_and_versions_and_give_no_offset)
{
	struct channel_append q = publication("a");
	struct answer a;

	q.size = 0;
	q.key = span_str("k");
	a = append(&q);
	assert_appended(&a, "e1", 0);
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_DUPLICATE));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{room:1}:history"),
		     "0"));
}

/* What was known before is forgotten with the epoch: keys, versions, events, messages. */
static void assert_new_epoch(struct channel_append *q)
{
	struct answer a;

	q->look.proposed = span_str("e2");
	a = append(q);
	assert_appended(&a, "e2", 1);
	a = append(q);
	cr_assert(eq(int, (int)a.outcome, CHANNEL_REPEATED));
	cr_assert(eq(str, (char *)(uintptr_t)a.epoch, "e2"));
}

static struct channel_append publication_with_all(void)
{
	struct channel_append q = publication("a");

	q.key = span_str("k");
	q.has_version = true;
	q.version = 3;
	q.from = span_str("AAEAAAAB");
	return q;
}

Test(channels, begin_an_epoch_when_the_position_is_gone)
{
	struct channel_append q = publication_with_all();

	append(&q);
	store_fixture_redis(&fixture, "DEL t:{room:1}:position");
	assert_new_epoch(&q);
	cr_assert(eq(sz, read_all().n, 1));
}

Test(channels, begin_an_epoch_in_another_generation_of_the_store)
{
	struct channel_append q = publication_with_all();

	append(&q);
	q.look.generation = span_str("g2");
	assert_new_epoch(&q);
}

/* A replica without the last writes was promoted: subscribers have had offset 2 already. */
Test(channels, begin_an_epoch_when_subscribers_have_had_more)
{
	struct channel_append q = publication_with_all();
	struct answer a = append(&q);

	q.look.known = (struct position){span_str(a.whole), 1};
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_REPEATED));
	q.look.known.offset = 2;
	q.event = 1;
	assert_new_epoch(&q);
}

/* Redis was restored from a snapshot of before: what it has is of an epoch that is over. */
Test(channels, begin_an_epoch_that_is_newer_than_any_that_was_seen)
{
	struct channel_append q = publication_with_all();
	struct answer a = append(&q), b;
	char later[33];

	snprintf(later, sizeof later,
		 "7fffffffff0e1"); /* by a clock that was far ahead */
	q.look.known = (struct position){span_str(later), 1};
	q.look.proposed = span_str("e2");
	b = append(&q);
	assert_appended(&b, "e2", 1);
	cr_assert(eq(int, strncmp(b.whole, "7fffffffff1", 11), 0));
	cr_assert(gt(int, strcmp(b.whole, a.whole), 0));
	q.look.known = (struct position){span_str(a.whole), 1};
	cr_assert(eq(int, (int)append(&q).outcome, CHANNEL_REPEATED));
}

Test(channels, begin_an_epoch_too_for_who_only_reads)
{
	struct channel_append like = publication("");
	struct channel_read q = {like.look, 0, -1, 10, 1 << 20, false};
	struct answer a = {0};

	append_digits(3);
	a = append_text("4");
	q.look.proposed = span_str("e2");
	q.look.known = (struct position){span_str(a.whole), 5};
	store_channel_read(fixture.store, &q, on_read, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(str, (char *)(uintptr_t)a.epoch, "e2"));
	cr_assert(eq(i64, a.offset, 0));
	cr_assert(eq(sz, a.n, 0));
}

Test(channels, go_on_counting_after_their_history_was_cleared)
{
	struct done d = {.fixture = &fixture};
	struct answer a;

	append_digits(3);
	store_channel_clear(fixture.store, span_str("room:1"), on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	a = read_all();
	cr_assert(eq(sz, a.n, 0));
	cr_assert(eq(i64, a.base, 3));
	a = append_text("4");
	assert_appended(&a, "e1", 4);
	cr_assert(eq(str, read_all().messages, "4 "));
	cr_assert(eq(i64, packed(BYTES), 14));
}

Test(channels, live_for_their_ttl_and_their_positions_twice_as_long)
{
	append_text("a");
	cr_assert(lt(i64, atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:history")),
		     TTL_MS + TTL_MS / 16 + 1));
	cr_assert(gt(i64, atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:history")),
		     TTL_MS - 20000));
	cr_assert(gt(i64,
		     atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:position")),
		     TTL_MS));
	store_fixture_redis(&fixture, "PEXPIRE t:{room:1}:position 5000");
	read_all();
	cr_assert(gt(i64,
		     atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:position")),
		     TTL_MS));
}

/* Not every append says so: only one in a sixteenth of the ttl, or half a minute. */
Test(channels, live_on_when_something_is_appended_later)
{
	append_text("a");
	store_fixture_redis(&fixture, "PEXPIRE t:{room:1}:history 5000");
	store_fixture_redis(&fixture, "PEXPIRE t:{room:1}:position 5000");
	pack(ALIVE, packed(ALIVE) - 3750);
	append_text("b");
	cr_assert(gt(i64, atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:history")),
		     TTL_MS - 20000));
	cr_assert(gt(i64,
		     atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:position")),
		     TTL_MS));
}

Test(channels, live_as_long_as_a_changed_ttl_says)
{
	struct channel_append q = publication("b");

	append_text("a");
	q.look.ttl_ms = 100 * TTL_MS;
	append(&q);
	cr_assert(gt(i64, atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:history")),
		     99 * TTL_MS));
}

Test(channels, keep_a_new_history_alive_after_the_old_one_was_cleared)
{
	struct done d = {.fixture = &fixture};

	append_text("a");
	store_channel_clear(fixture.store, span_str("room:1"), on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	append_text("b");
	cr_assert(gt(i64, atoll(store_fixture_redis(&fixture, "PTTL t:{room:1}:history")),
		     TTL_MS - 20000));
}
