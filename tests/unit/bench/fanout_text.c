#include "bench/fanout_text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

enum { SIZE = 128 };

static const struct fanout_mark mark = {0x12ab, 7, 0x99, 63, 0x123456789abc};
static char text[FANOUT_AROUND + SIZE];
static struct fanout_said said;

static void read_text(const char *in)
{
	fanout_text_read(span_str(in), SIZE, &said);
}

/* A message as the gateway sends it, made of what a client has published. */
static struct span message(const char *before)
{
	const struct fanout_text gatepost = {"room", false};
	static char out[2 * sizeof text];
	size_t n = fanout_text_publish(&gatepost, &mark, SIZE, text);
	const char *data = strstr(text, "#");

	size_t all = (size_t)snprintf(out, sizeof out, "%s%.*s\"}", before, SIZE, data);
	cr_assert(le(sz, (size_t)(data - text) + SIZE, n));
	return span_of(out, all);
}

static void assert_is_the_mark(void)
{
	cr_assert(eq(int, said.kind, FANOUT_MESSAGE));
	cr_assert(eq(u32, said.mark.number, mark.number));
	cr_assert(eq(u32, said.mark.channel, mark.channel));
	cr_assert(eq(u32, said.mark.sequence, mark.sequence));
	cr_assert(eq(u32, said.mark.publisher, mark.publisher));
	cr_assert(eq(i64, said.mark.sent_us, mark.sent_us));
}

Test(fanout_text, a_message_carries_the_mark_that_was_published)
{
	struct span in =
		message("{\"type\":\"message\",\"channel\":\"room:7\",\"data\":\"");

	fanout_text_read(in, SIZE, &said);
	assert_is_the_mark();
	cr_assert(eq(u64, said.offset, 0));
	cr_assert(eq(u64, said.epoch, 0));
}

Test(fanout_text, a_message_with_history_has_its_offset_and_epoch)
{
	struct span in =
		message("{\"type\":\"message\",\"channel\":\"room:7\",\"offset\":42,"
			"\"epoch\":\"one\",\"time\":1,\"data\":\"");

	fanout_text_read(in, SIZE, &said);
	assert_is_the_mark();
	cr_assert(eq(u64, said.offset, 42));
	uint64_t one = said.epoch;
	read_text("{\"type\":\"ack\",\"epoch\":\"two\",\"offset\":42}");
	cr_assert(ne(u64, said.epoch, one));
	read_text("{\"type\":\"ack\",\"epoch\":\"one\",\"offset\":42}");
	cr_assert(eq(u64, said.epoch, one));
}

Test(fanout_text, data_alone_is_a_message)
{
	const struct fanout_text floor = {"", true};
	size_t n = fanout_text_publish(&floor, &mark, SIZE, text);

	cr_assert(eq(int, memcmp(text, "send 7 #", 8), 0));
	cr_assert(eq(sz, n, 7 + SIZE));
	fanout_text_read(span_of(text + 7, SIZE), SIZE, &said);
	assert_is_the_mark();
}

Test(fanout_text, data_with_a_byte_changed_added_or_missing_is_no_message)
{
	const struct fanout_text floor = {"", true};

	fanout_text_publish(&floor, &mark, SIZE, text);
	char *data = text + 7;
	for (size_t i = 0; i < SIZE; i++) {
		char was = data[i];

		data[i] = '!';
		fanout_text_read(span_of(data, SIZE), SIZE, &said);
		data[i] = was;
		bool between = i == 9 || i == 18 || i == 27 || i == 30;
		cr_assert(between || said.kind == FANOUT_OTHER, "byte %zu", i);
	}
	fanout_text_read(span_of(data, SIZE - 1), SIZE, &said);
	cr_assert(eq(int, said.kind, FANOUT_OTHER));
	struct span in = message("{\"type\":\"message\",\"data\":\".");
	fanout_text_read(in, SIZE, &said);
	cr_assert(eq(int, said.kind, FANOUT_OTHER));
}

Test(fanout_text, acks_and_errors_have_the_id_that_was_asked_with)
{
	read_text("{\"type\":\"ack\",\"id\":17,\"offset\":3,\"epoch\":\"e\"}");
	cr_assert(eq(int, said.kind, FANOUT_ACK));
	cr_assert(eq(u32, said.id, 17));
	cr_assert(eq(u64, said.offset, 3));
	read_text("{\"type\":\"error\",\"id\":0,\"code\":\"unavailable\",\"retryable\":"
		  "true}");
	cr_assert(eq(int, said.kind, FANOUT_ERROR));
	cr_assert(said.has_id && said.id == 0 && said.retryable);
	read_text("{\"type\":\"error\",\"code\":\"forbidden\",\"retryable\":false}");
	cr_assert(not(said.has_id));
	cr_assert(not(said.retryable));
	read_text("joined");
	cr_assert(eq(int, said.kind, FANOUT_ACK));
}

Test(fanout_text, what_the_server_does_on_its_own_is_told_apart)
{
	read_text("{\"type\":\"reset\",\"channel\":\"room:1\"}");
	cr_assert(eq(int, said.kind, FANOUT_RESET));
	read_text("{\"type\":\"unsubscribed\",\"channel\":\"room:1\"}");
	cr_assert(eq(int, said.kind, FANOUT_UNSUBSCRIBED));
	read_text("{\"type\":\"presence\",\"channel\":\"room:1\"}");
	cr_assert(eq(int, said.kind, FANOUT_OTHER));
	read_text("");
	cr_assert(eq(int, said.kind, FANOUT_OTHER));
}

Test(fanout_text, a_channel_without_a_namespace_is_its_number)
{
	const struct fanout_text none = {"", false}, room = {"room", false};
	size_t n = fanout_text_subscribe(&none, 3, 9, text);

	cr_assert(span_is(span_of(text, n),
			  "{\"action\":\"subscribe\",\"channel\":\"3\",\"id\":9}"));
	n = fanout_text_subscribe(&room, 3, 9, text);
	cr_assert(span_is(span_of(text, n),
			  "{\"action\":\"subscribe\",\"channel\":\"room:3\",\"id\":9}"));
}
