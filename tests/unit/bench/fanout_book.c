#include "bench/fanout_book.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Two channels of two subscribers: subscriptions 0 and 1, 2 and 3. */
static const struct fanout_shape shape = {2, 2, 2, 16};
static struct fanout_book *book;

static void setup(void)
{
	book = fanout_book_new(&shape);
}

static void teardown(void)
{
	fanout_book_free(book);
}

TestSuite(fanout_book, .init = setup, .fini = teardown);

static struct fanout_said publish(uint32_t channel, uint32_t publisher)
{
	struct fanout_said said = {.kind = FANOUT_MESSAGE,
				   .mark = {.channel = channel, .publisher = publisher}};

	fanout_book_publish(book, &said.mark);
	return said;
}

static struct fanout_said at(struct fanout_said said, uint64_t epoch, uint64_t offset)
{
	said.epoch = epoch;
	said.offset = offset;
	return said;
}

static void answer(enum fanout_kind kind, uint32_t number, uint64_t offset,
		   bool retryable, bool refusals)
{
	const struct fanout_said said = {.kind = kind,
					 .has_id = true,
					 .id = number,
					 .retryable = retryable,
					 .offset = offset};

	fanout_book_answer(book, &said, refusals);
}

static void ack(uint32_t number, uint64_t offset)
{
	answer(FANOUT_ACK, number, offset, false, false);
}

static uint64_t count(enum fanout_trouble t)
{
	return fanout_book_counts(book)->troubles[t];
}

Test(fanout_book, all_in_order_is_no_trouble_and_ends_what_is_in_flight)
{
	struct fanout_said a = publish(0, 0), b = publish(0, 0), c = publish(1, 1);

	cr_assert(eq(u64, fanout_book_counts(book)->in_flight, 3));
	for (uint32_t s = 0; s < 2; s++) {
		fanout_book_message(book, s, &a);
		fanout_book_message(book, s, &b);
		fanout_book_message(book, s + 2, &c);
	}
	for (uint32_t i = 0; i < 3; i++)
		ack(i, 0);
	fanout_book_end(book, true);
	cr_assert(eq(u64, fanout_book_troubles(book), 0));
	cr_assert(eq(u64, fanout_book_counts(book)->in_flight, 0));
	cr_assert(eq(u64, fanout_book_counts(book)->delivered, 6));
}

Test(fanout_book, what_one_subscription_did_not_get_is_lost)
{
	struct fanout_said a = publish(0, 0), b = publish(0, 0);

	fanout_book_message(book, 0, &a);
	fanout_book_message(book, 0, &b);
	fanout_book_message(book, 1, &b);
	ack(0, 0);
	ack(1, 0);
	fanout_book_end(book, true);
	cr_assert(eq(u64, count(FANOUT_LOST), 1));
	cr_assert(eq(u64, fanout_book_troubles(book), 1));
}

Test(fanout_book, a_second_copy_is_a_duplicate)
{
	struct fanout_said a = publish(0, 0);

	fanout_book_message(book, 0, &a);
	fanout_book_message(book, 0, &a);
	cr_assert(eq(u64, count(FANOUT_DUPLICATE), 1));
	cr_assert(eq(u64, fanout_book_counts(book)->delivered, 1));
}

Test(fanout_book, of_one_publisher_an_older_one_is_out_of_order_and_of_another_it_is_not)
{
	struct fanout_said a = publish(0, 0), b = publish(0, 0), c = publish(0, 1);

	fanout_book_message(book, 0, &c);
	fanout_book_message(book, 0, &b);
	cr_assert(eq(u64, fanout_book_troubles(book), 0));
	fanout_book_message(book, 0, &a);
	cr_assert(eq(u64, count(FANOUT_REORDERED), 1));
}

Test(fanout_book, what_another_channel_should_have_got_is_foreign)
{
	struct fanout_said a = publish(0, 0), never = a;

	fanout_book_message(book, 2, &a);
	never.mark.number = 1;
	fanout_book_message(book, 0, &never);
	never = a;
	never.mark.sequence = 2;
	fanout_book_message(book, 0, &never);
	cr_assert(eq(u64, count(FANOUT_FOREIGN), 3));
}

Test(fanout_book, offsets_go_on_from_the_position_of_the_subscribe_without_a_hole)
{
	struct fanout_said a = publish(0, 0), b = publish(0, 0);

	fanout_book_subscribed(book, 0, 5, 10);
	fanout_book_subscribed(book, 1, 5, 10);
	struct fanout_said next = at(a, 5, 11), hole = at(b, 5, 13);
	fanout_book_message(book, 0, &next);
	cr_assert(eq(u64, fanout_book_troubles(book), 0));
	fanout_book_message(book, 0, &hole);
	cr_assert(eq(u64, count(FANOUT_OFFSET), 1));
}

Test(fanout_book, a_message_without_an_offset_in_a_channel_with_history_is_wrong)
{
	struct fanout_said a = publish(0, 0);

	fanout_book_subscribed(book, 0, 5, 10);
	fanout_book_message(book, 0, &a);
	cr_assert(eq(u64, count(FANOUT_OFFSET), 1));
}

Test(fanout_book, the_offset_of_the_ack_is_that_of_the_message_whichever_comes_first)
{
	struct fanout_said a = at(publish(0, 0), 5, 1), b = at(publish(1, 0), 5, 1);

	fanout_book_message(book, 0, &a);
	ack(0, 2);
	cr_assert(eq(u64, count(FANOUT_OFFSET), 1));
	ack(1, 2);
	fanout_book_message(book, 2, &b);
	cr_assert(eq(u64, count(FANOUT_OFFSET), 2));
}

Test(fanout_book, a_channel_has_one_epoch)
{
	struct fanout_said a = at(publish(0, 0), 6, 1);

	fanout_book_subscribed(book, 0, 5, 0);
	fanout_book_subscribed(book, 2, 7, 0);
	cr_assert(eq(u64, fanout_book_troubles(book), 0));
	fanout_book_message(book, 0, &a);
	cr_assert(eq(u64, count(FANOUT_EPOCH), 1));
}

Test(fanout_book, a_refused_publication_need_not_come_and_may)
{
	struct fanout_said a = publish(0, 0), b = publish(0, 0);

	fanout_book_message(book, 0, &a);
	answer(FANOUT_ERROR, 0, 0, true, true);
	answer(FANOUT_ERROR, 1, 0, true, true);
	cr_assert(eq(u64, fanout_book_counts(book)->in_flight, 0));
	fanout_book_message(book, 0, &b);
	fanout_book_message(book, 1, &b);
	fanout_book_end(book, true);
	cr_assert(eq(u64, fanout_book_troubles(book), 0));
	cr_assert(eq(u64, fanout_book_counts(book)->refused, 2));
	cr_assert(eq(u64, fanout_book_counts(book)->in_flight, 0));
}

Test(fanout_book, an_error_is_trouble_when_none_is_allowed_or_it_cannot_be_retried)
{
	publish(0, 0);
	publish(0, 0);
	answer(FANOUT_ERROR, 0, 0, true, false);
	answer(FANOUT_ERROR, 1, 0, false, true);
	cr_assert(eq(u64, count(FANOUT_REFUSED), 2));
}

Test(fanout_book, answers_come_once_and_for_each)
{
	publish(0, 0);
	publish(0, 0);
	ack(0, 0);
	ack(0, 0);
	ack(2, 0);
	cr_assert(eq(u64, count(FANOUT_UNASKED), 2));
	fanout_book_end(book, true);
	cr_assert(eq(u64, count(FANOUT_UNANSWERED), 1));
}
