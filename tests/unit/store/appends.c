/* Many appends at once: how they share calls, and how each has its own answer. */

#include "store/channels.h"

#include "base/clock.h"
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 256 };

TestSuite(appends, .init = store_fixture_init, .fini = store_fixture_fini, .timeout = 60);

static struct {
	struct asked {
		char channel[16];
		enum err err;
		enum channel_outcome outcome;
		int64_t offset;
		int turn; /* how many had their answers before */
	} at[MOST];
	int n, answered;
} all;

static void on_appended(void *arg, enum err e, const struct channel_appended *done)
{
	struct asked *a = arg;

	a->err = e;
	a->turn = all.answered++;
	if (e == OK) {
		a->outcome = done->outcome;
		a->offset = done->position.offset;
	}
	if (all.answered == all.n)
		loop_stop(fixture.loop);
}

/* To the channel room:number. event 0: none. */
static struct asked *ask(int number, uint64_t event, struct span message)
{
	struct asked *a = &all.at[all.n++];
	struct channel_append q = {
		.look = {.generation = span_str("g1"),
			 .proposed = span_str("e1"),
			 .ttl_ms = 60000},
		.size = 1000,
		.bytes = 1 << 24,
		.now_ms = clock_wall_ms(),
		.message = message,
	};

	snprintf(a->channel, sizeof a->channel, "room:%d", number);
	q.look.channel = span_str(a->channel);
	q.event = event;
	if (event > 0)
		q.from = span_str("AAEAAAAB");
	store_channel_append(fixture.store, &q, on_appended, a);
	return a;
}

static void ask_rooms(int appends, int rooms)
{
	for (int i = 0; i < appends; i++)
		ask(i % rooms, 0, span_str("a"));
}

static void wait_for_all(void)
{
	while (all.answered < all.n)
		store_fixture_run(&fixture);
}

static void forget_all(void)
{
	memset(&all, 0, sizeof all);
}

/* Redis has the script, and has counted no call yet. */
static void warm_up(void)
{
	ask(99, 0, span_str("a"));
	wait_for_all();
	forget_all();
	store_fixture_redis(&fixture, "CONFIG RESETSTAT");
}

static int calls(void)
{
	const char *line = strstr(store_fixture_redis(&fixture, "INFO commandstats"),
				  "cmdstat_evalsha:calls=");

	return line == NULL ? 0 : atoi(strchr(line, '=') + 1);
}

Test(appends, that_are_asked_for_at_once_share_calls_and_keep_their_order)
{
	warm_up();
	ask_rooms(200, 10);
	wait_for_all();
	cr_assert(eq(int, calls(), 4)); /* 64 in each */
	for (int i = 0; i < all.n; i++) {
		cr_assert(eq(int, all.at[i].err, OK));
		cr_assert(eq(i64, all.at[i].offset, 1 + i / 10));
		cr_assert(eq(int, all.at[i].turn, i));
	}
}

Test(appends, of_much_data_share_calls_of_a_quarter_of_a_mebibyte)
{
	static char large[100 * 1024];
	struct span message = span_of(large, sizeof large);

	warm_up();
	for (int i = 0; i < 5; i++)
		ask(1, 0, message);
	wait_for_all();
	cr_assert(eq(int, calls(), 3));
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(i64, all.at[i].offset, 1 + i));
}

Test(appends, that_one_key_refuses_fail_alone)
{
	ask_rooms(5, 5);
	wait_for_all();
	warm_up();
	store_fixture_redis(&fixture, "SET t:{room:3}:history foreign");
	ask_rooms(10, 5);
	wait_for_all();
	cr_assert(eq(int, calls(), 1));
	for (int i = 0; i < all.n; i++) {
		bool is_foreign = i % 5 == 3;

		cr_assert(eq(int, all.at[i].err, is_foreign ? ERR_MALFORMED : OK));
		cr_assert(is_foreign || all.at[i].offset == 2 + i / 5);
	}
	cr_assert(store_is_up(fixture.store));
}

Test(appends, are_busy_while_the_memory_of_redis_is_full)
{
	warm_up();
	ask_rooms(3, 3);
	wait_for_all();
	forget_all();
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	ask_rooms(3, 3);
	wait_for_all();
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(int, all.at[i].err, ERR_BUSY));
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 0");
	forget_all();
	ask_rooms(3, 3);
	wait_for_all();
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(i64, all.at[i].offset, 2));
}

Test(appends, are_busy_at_a_replica_which_is_left)
{
	warm_up();
	store_fixture_redis(&fixture, "REPLICAOF 127.0.0.1 1");
	ask_rooms(3, 3);
	wait_for_all();
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(int, all.at[i].err, ERR_BUSY));
	store_fixture_redis(&fixture, "REPLICAOF NO ONE");
	store_fixture_run_until_up(&fixture);
}

/* They wait for the reply to the first call, which does not come. */
Test(appends,
     are_down_in_time_when_redis_freezes_and_have_one_offset_when_asked_for_again)
{
	enum { ROOMS = 100 };
	int64_t began;

	warm_up();
	redis_server_freeze(&fixture.server);
	began = clock_ms();
	for (int i = 0; i < ROOMS; i++)
		ask(i, 1, span_str("a"));
	wait_for_all();
	cr_assert(lt(i64, clock_ms() - began, 2000));
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(int, all.at[i].err, ERR_DOWN));
	redis_server_thaw(&fixture.server);
	forget_all();
	for (int i = 0; i < ROOMS; i++)
		ask(i, 1, span_str("a"));
	wait_for_all();
	for (int i = 0; i < all.n; i++) {
		cr_assert(eq(int, all.at[i].err, OK));
		cr_assert(eq(int, (int)all.at[i].outcome,
			     i < 64 ? CHANNEL_REPEATED : CHANNEL_APPENDED));
		cr_assert(eq(i64, all.at[i].offset, i == 99 ? 2 : 1));
	}
}

Test(appends, are_down_when_the_link_is_lost)
{
	warm_up();
	redis_server_freeze(&fixture.server);
	ask_rooms(100, 10);
	redis_server_kill(&fixture.server);
	wait_for_all();
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(int, all.at[i].err, ERR_DOWN));
	redis_server_restart(&fixture.server);
	store_fixture_run_until_up(&fixture);
	forget_all();
	ask_rooms(20, 10);
	wait_for_all();
	for (int i = 0; i < all.n; i++)
		cr_assert(eq(i64, all.at[i].offset, 1 + i / 10));
}

/* Those in flight go with the store. */
Test(appends, may_be_under_way_when_the_store_is_freed)
{
	warm_up();
	ask_rooms(100, 10);
	redis_server_freeze(&fixture.server);
	ask_rooms(100, 10);
	store_free(fixture.store);
	fixture.store = NULL;
	redis_server_thaw(&fixture.server);
	cr_assert(eq(int, all.answered, 0));
}

static void init_node(void)
{
	fixture.server.extra = "cluster-enabled yes";
	store_fixture_init();
	store_fixture_redis(&fixture, "CLUSTER ADDSLOTSRANGE 0 16383");
	while (strstr(store_fixture_redis(&fixture, "CLUSTER INFO"), "state:ok") == NULL)
		;
}

TestSuite(appends_to_a_node, .init = init_node, .fini = store_fixture_fini,
	  .timeout = 60);

/* A node of a cluster refuses the keys of two channels in a call. */
Test(appends_to_a_node, take_a_call_each)
{
	for (int round = 0; round < 2; round++) {
		forget_all();
		ask_rooms(100, 10);
		wait_for_all();
		for (int i = 0; i < all.n; i++) {
			cr_assert(eq(int, all.at[i].err, OK));
			cr_assert(eq(i64, all.at[i].offset, 10 * round + 1 + i / 10));
		}
	}
}
