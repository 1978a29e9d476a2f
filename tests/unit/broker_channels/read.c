#include "broker/channels/delivery/read.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct {
	size_t calls, n;
	bool is_failed;
	char epoch[40];
	int64_t offset;
} got;

static void start(void)
{
	channels_start();
	channels_join();
}

TestSuite(read, .init = start, .fini = channels_stop);

static void on_read(void *arg, const struct failure *f, const struct channel_history *h)
{
	(void)arg;
	got.calls++;
	got.is_failed = f != NULL;
	cr_assert(eq(int, f != NULL, h == NULL));
	if (f != NULL) {
		cr_assert(eq(str, (char *)(uintptr_t)f->code, "unavailable"));
		cr_assert(f->retryable);
		return;
	}
	snprintf(got.epoch, sizeof got.epoch, "%.*s", SPAN_ARG(h->position.epoch));
	got.offset = h->position.offset;
	got.n = h->n;
}

static void read_room(void)
{
	read_channel(channels_readers(channels),
		     &(struct read_request){.ns = &room,
					    .channel = span_str("room:1"),
					    .after = 3,
					    .until = 9,
					    .limit = 5,
					    .bytes = 1000,
					    .newest = true},
		     on_read, NULL);
}

Test(read, asks_for_what_the_request_names_with_the_known_position)
{
	static const char *const messages[] = {"{}", "{}"};
	const struct channel_read *r;

	channels_link("e1", 0xe1, 7, "");
	channels_carry("e1", "room:1", "0001a", 6, true);
	read_room();
	r = &fake_channels_read()->read;
	cr_assert(span_is(r->look.channel, "room:1"));
	cr_assert(span_is(r->look.generation, "c1"));
	cr_assert(span_is(r->look.known.epoch, "0001a"));
	cr_assert(eq(i64, r->look.known.offset, 6));
	cr_assert(eq(i64, r->look.ttl_ms, 60000));
	cr_assert(eq(i64, r->after, 3));
	cr_assert(eq(i64, r->until, 9));
	cr_assert(eq(i64, r->limit, 5));
	cr_assert(eq(i64, r->bytes, 1000));
	cr_assert(r->newest);
	fake_channels_history("0001a", 9, 0, 8, messages, 2);
	cr_assert(eq(sz, got.calls, 1));
	cr_assert(eq(i64, got.offset, 9));
	cr_assert(eq(sz, got.n, 2));
}

Test(read, fails_within_a_second_while_redis_does_not_answer_and_ignores_a_late_answer)
{
	read_room();
	cluster_run(850, "");
	cr_assert(eq(sz, got.calls, 0));
	cluster_run(50, "");
	cr_assert(eq(sz, got.calls, 1));
	cr_assert(got.is_failed);
	fake_channels_history("0001a", 9, 0, 1, NULL, 0);
	cr_assert(eq(sz, got.calls, 1));
}

Test(read, fails_within_a_second_also_when_the_generation_came_late)
{
	fake_channels_up();
	read_room();
	cluster_run(800, "");
	members_beat(cluster.members);
	cluster_beat("c1", false);
	cr_assert(eq(sz, fake_channels_waiting(), 1));
	cluster_run(100, "");
	cr_assert(eq(sz, got.calls, 1));
	cr_assert(got.is_failed);
}

Test(read, fails_when_the_generation_does_not_come)
{
	fake_channels_up();
	read_room();
	cluster_run(1000, "");
	cr_assert(eq(sz, got.calls, 1));
	cr_assert(eq(sz, fake_channels_waiting(), 0));
}

Test(read, fails_with_redis)
{
	read_room();
	fake_channels_fail(ERR_DOWN);
	cr_assert(eq(sz, got.calls, 1));
	cr_assert(got.is_failed);
}

Test(read, that_nobody_answers_is_freed_at_the_end)
{
	read_room();
	cluster_run(1000, "");
	read_room();
	cr_assert(eq(sz, got.calls, 1));
}
