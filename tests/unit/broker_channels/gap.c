#include "broker/channels/delivery/gap.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static void start(void)
{
	channels_start();
	channels_join();
	channels_link("e1", 0xe1, 7, "room:1 chat");
}

TestSuite(gap, .init = start, .fini = channels_stop);

static void ask_of(const char *channel, const char *epoch, uint64_t offset)
{
	struct batch *b = cluster_letter();
	Gatepost__Gap *g =
		batch_add(b, GATEPOST__ITEM__BODY_GAP, &gatepost__gap__descriptor);

	g->channel = batch_copy(b, span_str(channel));
	g->position = proto_arena_alloc(&b->arena, sizeof *g->position);
	gatepost__position__init(g->position);
	g->position->epoch = batch_copy(b, span_str(epoch));
	g->position->offset = offset;
	cluster_post("e1");
}

static const Gatepost__Fill *fill(void)
{
	const Gatepost__Item *i = channels_read("e1", GATEPOST__ITEM__BODY_FILL);

	cr_assert(i != NULL, "no Fill");
	return i->fill;
}

static void assert_position(const Gatepost__Position *p, const char *epoch,
			    uint64_t offset)
{
	cr_assert(span_is(span_from(p->epoch), epoch));
	cr_assert(eq(u64, p->offset, offset));
}

static int64_t counted(const char *labels)
{
	return cluster_metric("gatepost_broker_gaps_total", labels);
}

static const char *const messages[] = {"{\"data\":1,\"tags\":{\"a\":\"b\"}}",
				       "{\"data\":2}", "{\"data\":3}"};

Test(gap, is_filled_with_what_follows_the_position)
{
	const Gatepost__Fill *f;
	const struct channel_read *r;

	ask_of("room:1", "0001a", 4);
	r = &fake_channels_read()->read;
	cr_assert(eq(i64, r->after, 4));
	cr_assert(eq(i64, r->until, -1));
	cr_assert(eq(i64, r->limit, 1000));
	cr_assert(eq(i64, r->bytes, 1 << 20));
	cr_assert(eq(i64, r->look.known.offset, 4));
	fake_channels_history("0001a", 7, 0, 5, messages, 3);
	f = fill();
	cr_assert(span_is(span_from(f->channel), "room:1"));
	assert_position(f->from, "0001a", 4);
	assert_position(f->top, "0001a", 7);
	cr_assert(not(f->lost));
	cr_assert(eq(sz, f->n_publications, 3));
	cr_assert(eq(u64, f->publications[0]->offset, 5));
	cr_assert(eq(u64, f->publications[2]->offset, 7));
	cr_assert(eq(sz, f->publications[0]->n_tags, 1));
	cr_assert(span_is(
		span_from(f->publications[1]->body),
		"{\"type\":\"message\",\"channel\":\"room:1\",\"offset\":6,\"epoch\":"
		"\"0001a\",\"time\":5000,\"data\":2}"));
	cr_assert(eq(i64, counted("result=\"filled\""), 1));
}

Test(gap, that_is_none_is_answered_with_the_position_alone)
{
	const Gatepost__Fill *f;

	ask_of("room:1", "0001a", 7);
	fake_channels_history("0001a", 7, 0, 8, NULL, 0);
	f = fill();
	cr_assert(not(f->lost));
	cr_assert(eq(sz, f->n_publications, 0));
	assert_position(f->top, "0001a", 7);
}

Test(gap, over_1_MiB_is_filled_in_part)
{
	static char text[300000];
	const char *large[5] = {text, text, text, text, text};
	const Gatepost__Fill *f;

	snprintf(text, sizeof text, "{\"data\":%0299000d}", 0);
	ask_of("room:1", "0001a", 0);
	fake_channels_history("0001a", 5, 0, 1, large, 5);
	f = fill();
	cr_assert(not(f->lost));
	cr_assert(eq(sz, f->n_publications, 4));
	assert_position(f->top, "0001a", 5);
}

/* What follows is not there any more. */
struct loss {
	const char *epoch; /* asked for */
	uint64_t offset;
	int64_t base; /* of the history, which is up to 9 in 0002a */
};

static const struct loss losses[] = {
	{"0002a", 4, 5}, /* trimmed */
	{"0002a", 8, 9}, /* cleared */
	{"0001a", 4, 0}, /* another epoch, also when all of it is there */
	{"0001a", 9, 9}, {"0002a", 10, 9}, /* beyond the last one */
};

Test(gap, that_cannot_be_filled_is_lost_and_gets_the_newest_publication)
{
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		const struct loss *l = &losses[i];
		bool is_empty = l->base == 9;
		const Gatepost__Fill *f;

		ask_of("room:1", l->epoch, l->offset);
		fake_channels_history("0002a", 9, l->base, 6, messages, is_empty ? 0 : 3);
		cr_assert(fake_channels_read()->read.newest);
		cr_assert(eq(i64, fake_channels_read()->read.limit, 1));
		fake_channels_history("0002a", 9, l->base, 9, messages, is_empty ? 0 : 1);
		f = fill();
		cr_assert(f->lost);
		assert_position(f->from, l->epoch, l->offset);
		assert_position(f->top, "0002a", 9);
		cr_assert(eq(sz, f->n_publications, is_empty ? 0 : 1));
		if (!is_empty)
			cr_assert(eq(u64, f->publications[0]->offset, 9));
		cr_assert(eq(i64, counted("result=\"lost\""), (int64_t)i + 1));
	}
}

Test(gap, of_a_namespace_that_is_gone_or_keeps_no_history_any_more_is_lost_where_it_is)
{
	static const char *const channels_of[] = {"gone:1", "chat"};

	for (size_t i = 0; i < 2; i++) {
		const Gatepost__Fill *f;

		ask_of(channels_of[i], "0001a", 4);
		cr_assert(eq(sz, fake_channels_waiting(), 0));
		f = fill();
		cr_assert(f->lost);
		assert_position(f->top, "0001a", 4);
	}
}

Test(gap, is_not_answered_while_redis_is_unreachable)
{
	ask_of("room:1", "0001a", 4);
	fake_channels_fail(ERR_DOWN);
	cr_assert(channels_read("e1", GATEPOST__ITEM__BODY_FILL) == NULL);
	ask_of("room:1", "0001a", 4);
	fake_channels_history("0001a", 9, 8, 9, messages, 1);
	fake_channels_fail(ERR_DOWN);
	cr_assert(channels_read("e1", GATEPOST__ITEM__BODY_FILL) == NULL);
	cr_assert(eq(i64, counted("result=\"failed\""), 2));
}

Test(gap, of_an_edge_whose_link_has_ended_meanwhile_is_forgotten)
{
	ask_of("room:1", "0001a", 4);
	cluster_hello("e1b", 0xe1, 7);
	fake_channels_history("0001a", 7, 0, 5, messages, 3);
	cr_assert(channels_read("e1", GATEPOST__ITEM__BODY_FILL) == NULL);
}

Test(gap, of_many_channels_are_read_64_at_a_time)
{
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof name, "room:%d", i);
		ask_of(name, "0001a", 1);
	}
	cr_assert(eq(sz, fake_channels_waiting(), 64));
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof name, "room:%d", i);
		cr_assert(span_is(fake_channels_read()->read.look.channel, name));
		fake_channels_history("0001a", 1, 0, 2, NULL, 0);
		cr_assert(eq(sz, fake_channels_waiting(), i < 36 ? 64 : 99 - i));
	}
}

Test(gap, that_waits_at_the_end_is_freed)
{
	for (int i = 0; i < 100; i++)
		ask_of("room:1", "0001a", 1);
	cr_assert(eq(sz, fake_channels_waiting(), 64));
}
