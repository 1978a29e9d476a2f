#include "broker/channels/delivery/message.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void assert_text(struct blob *b, const char *text)
{
	cr_assert(span_is(blob_span(b), text), "%.*s", SPAN_ARG(blob_span(b)));
	blob_unref(b);
}

static struct publication with(const char *data)
{
	return (struct publication){.data = span_str(data)};
}

static struct publication with_all(void)
{
	struct publication q = with("[1]");

	q.user = span_str("u\"1");
	q.n_tags = 2;
	q.tags[0] = (struct channel_tag){span_str("k"), span_str("v\n")};
	q.tags[1] = (struct channel_tag){span_str("\xc3\xa9"), span_str("")};
	return q;
}

static const char all[] =
	"{\"data\":[1],\"tags\":{\"k\":\"v\\n\",\"\xc3\xa9\":\"\"},\"user\":\"u\\\"1\"}";

/* ---- tails ---- */

Test(message, tail_has_the_data_as_they_came)
{
	struct publication q = with("{\"a\" : 1.0}");

	assert_text(message_tail(&q), "{\"data\":{\"a\" : 1.0}}");
}

Test(message, tail_has_tags_and_user_when_there_are_any)
{
	struct publication q = with_all();

	assert_text(message_tail(&q), all);
}

Test(message, tail_has_binary_data_in_base64)
{
	struct publication q = {.data = span_of("\0\xff", 2), .is_binary = true};

	assert_text(message_tail(&q), "{\"data64\":\"AP8=\"}");
}

/* ---- frames ---- */

Test(message, frame_has_position_and_time_before_the_tail)
{
	assert_text(
		message_frame(span_str("room:\"1"),
			      (struct position){span_str("00ab"), 42}, 1700000000000,
			      span_str(all)),
		"{\"type\":\"message\",\"channel\":\"room:\\\"1\",\"offset\":42,"
		"\"epoch\":\"00ab\",\"time\":1700000000000,\"data\":[1],\"tags\":{\"k\":"
		"\"v\\n\",\"\xc3\xa9\":\"\"},\"user\":\"u\\\"1\"}");
}

Test(message, frame_has_no_position_without_an_epoch)
{
	assert_text(message_frame(span_str("a"), (struct position){.offset = 0}, 1,
				  span_str("{\"data\":1}")),
		    "{\"type\":\"message\",\"channel\":\"a\",\"time\":1,\"data\":1}");
}

Test(message, frame_of_a_tail_without_anything_is_an_object)
{
	assert_text(message_frame(span_str("a"), (struct position){.offset = 0}, 1,
				  span_str("")),
		    "{\"type\":\"message\",\"channel\":\"a\",\"time\":1}");
}

/* ---- raw ---- */

Test(message, raw_is_a_string_without_quotes_and_escapes_and_any_other_value_as_it_is)
{
	struct publication q = with("\"a\\n\\u00e9\"");

	assert_text(message_raw(&q), "a\n\xc3\xa9");
	q = with("\"plain\"");
	assert_text(message_raw(&q), "plain");
	q = with("\"\"");
	assert_text(message_raw(&q), "");
	q = with("{\"a\":\"b\"}");
	assert_text(message_raw(&q), "{\"a\":\"b\"}");
	q = (struct publication){.data = span_str("\"quoted\""), .is_binary = true};
	assert_text(message_raw(&q), "\"quoted\"");
}

/* ---- tags ---- */

static void assert_all_tags(const struct message_tags *t)
{
	cr_assert(eq(sz, t->n, 2));
	cr_assert(span_is(t->at[0].key, "k") && span_is(t->at[0].value, "v\n"));
	cr_assert(span_is(t->at[1].key, "\xc3\xa9") && span_is(t->at[1].value, ""));
}

Test(message, tags_of_a_tail_are_those_of_its_publication)
{
	struct publication q = with_all();
	struct message_tags t;
	struct blob *tail = message_tail(&q);

	message_tags_of(&q, &t);
	assert_all_tags(&t);
	message_tags_close(&t);
	message_tags(blob_span(tail), &t);
	blob_unref(tail);
	assert_all_tags(&t);
	message_tags_close(&t);
}

Test(message, tags_of_a_foreign_tail_are_those_that_can_be_read)
{
	static const struct {
		const char *tail;
		size_t n;
	} rows[] = {
		{"", 0},
		{"{\"tags\":", 0},
		{"{\"data\":1}", 0},
		{"{\"tags\":7}", 0},
		{"{\"tags\":{}}", 0},
		{"{\"tags\":{\"a\":1,\"b\":\"x\",\"c\":null}}", 1},
		{"{\"tags\":{\"a\":\"\\ud800\"}}", 1},
		{"{\"tags\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\","
		 "\"6\":"
		 "\"\",\"7\":\"\",\"8\":\"\",\"9\":\"\",\"10\":\"\",\"11\":\"\",\"12\":"
		 "\"\","
		 "\"13\":\"\",\"14\":\"\",\"15\":\"\",\"16\":\"\",\"17\":\"\"}}",
		 CHANNEL_TAGS},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct message_tags t;

		message_tags(span_str(rows[i].tail), &t);
		cr_assert(eq(sz, t.n, rows[i].n), "%s", rows[i].tail);
		message_tags_close(&t);
	}
}
