#include "store/occupancy.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

TestSuite(occupancy, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

#define redis(...) ((char *)(uintptr_t)store_fixture_redis(&fixture, __VA_ARGS__))

static const struct span room = {(const uint8_t *)"room:1", 6};
static const struct occupancy pending = {.is_occupied = true,
					 .is_pending = true,
					 .event = "AAAAAAAAAAAAAAE=",
					 .time_ms = 1234,
					 .tries = 2,
					 .epoch = "18bf",
					 .offset = 41};

struct held {
	enum err err;
	bool is_new;
};

static void on_held(void *arg, enum err e, bool is_new)
{
	*(struct held *)arg = (struct held){e, is_new};
	loop_stop(fixture.loop);
}

static struct held hold(const char *boot, int64_t ttl_ms)
{
	struct held h;

	store_occupancy_hold(fixture.store, store_occupancy_shard(room), boot, ttl_ms,
			     on_held, &h);
	store_fixture_run(&fixture);
	return h;
}

static void assert_kept(const char *boot, bool is_new)
{
	struct held h = hold(boot, 10000);

	cr_assert(eq(int, h.err, OK));
	cr_assert(eq(int, h.is_new, is_new));
}

static enum err put(const char *boot, const struct occupancy *is)
{
	struct done d = {.fixture = &fixture};

	store_occupancy_write(fixture.store, boot, room, is, on_done, &d);
	return store_fixture_wait(&d);
}

static void release(const char *boot)
{
	struct done d = {.fixture = &fixture};

	store_occupancy_release(fixture.store, store_occupancy_shard(room), boot, on_done,
				&d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
}

/* "channel occupied pending event time tries epoch offset; …" */
struct shard {
	enum err err;
	char text[512];
	uint64_t next;
};

static void on_rows(void *arg, enum err e, const struct occupancy_row *rows, size_t n,
		    uint64_t next)
{
	struct shard *s = arg;
	size_t at = 0;

	s->err = e;
	s->next = next;
	for (size_t i = 0; i < n; i++) {
		const struct occupancy *is = &rows[i].is;

		at += (size_t)snprintf(s->text + at, sizeof s->text - at,
				       "%.*s %d %d %s %lld %d %s %lld; ",
				       SPAN_ARG(rows[i].channel), is->is_occupied,
				       is->is_pending, is->event, (long long)is->time_ms,
				       is->tries, is->epoch, (long long)is->offset);
	}
	loop_stop(fixture.loop);
}

static void assert_shard(const char *text)
{
	struct shard s = {.text = ""};

	store_occupancy_read(fixture.store, store_occupancy_shard(room), 0, on_rows, &s);
	store_fixture_run(&fixture);
	cr_assert(eq(int, s.err, OK));
	cr_assert(eq(u64, s.next, 0));
	cr_assert(eq(str, s.text, (char *)(uintptr_t)text));
}

Test(occupancy, shard_is_kept_by_one_broker_at_a_time)
{
	assert_kept("b1", true);
	assert_kept("b1", false);
	cr_assert(eq(int, hold("b2", 10000).err, ERR_DENIED));
	release("b2"); /* it is another's */
	assert_kept("b1", false);
	release("b1");
	assert_kept("b2", true);
}

Test(occupancy, shard_is_free_when_its_lease_is_over_and_who_had_it_hears_of_that)
{
	cr_assert(hold("b1", 10000).is_new);
	redis("PEXPIRE t:{o%u}:keeper 1", store_occupancy_shard(room));
	while (strcmp(redis("EXISTS t:{o%u}:keeper", store_occupancy_shard(room)), "1") ==
	       0)
		continue;
	cr_assert(eq(int, put("b1", &pending), ERR_DENIED));
	assert_kept("b1", true);
}

Test(occupancy, is_written_by_the_keeper_alone_and_read_as_it_was)
{
	cr_assert(eq(int, put("b1", &pending), ERR_DENIED));
	assert_kept("b1", true);
	cr_assert(eq(int, put("b1", &pending), OK));
	cr_assert(eq(int, put("b2", &(struct occupancy){.is_occupied = false}),
		     ERR_DENIED));
	assert_shard("room:1 1 1 AAAAAAAAAAAAAAE= 1234 2 18bf 41; ");
}

Test(occupancy, of_a_vacated_channel_whose_event_is_handled_is_nothing)
{
	struct occupancy vacated = {
		.is_pending = true, .event = "AAAAAAAAAAAAAAI=", .time_ms = 5};

	assert_kept("b1", true);
	cr_assert(eq(int, put("b1", &(struct occupancy){.is_occupied = true}), OK));
	assert_shard("room:1 1 0  0 0  0; ");
	cr_assert(eq(int, put("b1", &vacated), OK));
	assert_shard("room:1 0 1 AAAAAAAAAAAAAAI= 5 0  0; ");
	vacated.is_pending = false;
	cr_assert(eq(int, put("b1", &vacated), OK));
	assert_shard("");
	cr_assert(eq(str, redis("EXISTS t:{o%u}:occupancy", store_occupancy_shard(room)),
		     "0"));
}

Test(occupancy, that_cannot_be_read_is_left_out)
{
	static const char *const texts[] = {
		"", "vacated", "gone", "occupied x", "occupied a 1 0 7", "vacated a b 0"};

	assert_kept("b1", true);
	cr_assert(eq(int, put("b1", &pending), OK));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		redis("HSET t:{o%u}:occupancy x%d %s", store_occupancy_shard(room),
		      (int)i, texts[i]);
	assert_shard("room:1 1 1 AAAAAAAAAAAAAAE= 1234 2 18bf 41; ");
}

Test(occupancy, of_a_full_redis_can_still_be_vacated_and_its_shard_kept)
{
	struct occupancy vacated = {.is_pending = true, .event = "AAAAAAAAAAAAAAI="};

	assert_kept("b1", true);
	cr_assert(eq(int, put("b1", &(struct occupancy){.is_occupied = true}), OK));
	redis("CONFIG SET maxmemory 1");
	assert_kept("b1", false);
	cr_assert(eq(int, put("b1", &vacated), OK));
	vacated.is_pending = false;
	cr_assert(eq(int, put("b1", &vacated), OK));
	cr_assert(eq(int, put("b1", &pending), ERR_BUSY));
	assert_shard("");
}
