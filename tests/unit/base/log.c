#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#undef I /* complex.h's, which Criterion brings */
#include "base/log.h"

#include "capture.h"

/* What is written for one value, from the field on. */
static char *written(enum log_format format, struct span value)
{
	struct capture *c = capture_start(STDERR_FILENO);

	log_init("edge-0", LOG_INFO, format);
	log_info("test.line", B("v", value));
	return capture_end(c);
}

static void expect_text(struct span value, const char *want)
{
	char *line = written(LOG_TEXT, value);
	char *at = strstr(line, " v=");

	cr_assert(at != NULL);
	cr_assert(eq(str, at, (char *)want));
	free(line);
}

Test(log, a_line_says_when_how_grave_who_what_and_the_pairs)
{
	struct capture *c = capture_start(STDERR_FILENO);

	log_init("edge-2", LOG_INFO, LOG_TEXT);
	log_warn("connection.open", S("id", "AAIAAAAMQb8"), I("edge", -3),
		 S("peer", NULL));

	char *line = capture_end(c);

	cr_assert(eq(chr, line[23], 'Z'));
	cr_assert(eq(str, line + 24,
		     " warn edge-2 connection.open id=AAIAAAAMQb8 edge=-3 peer=\"\"\n"));
	free(line);
}

Test(log, a_level_below_the_least_is_not_written)
{
	struct capture *c = capture_start(STDERR_FILENO);

	log_init("edge-2", LOG_WARN, LOG_TEXT);
	log_debug("a.b");
	log_info("a.b", I("n", 1));

	char *line = capture_end(c);

	cr_assert(eq(str, line, ""));
	free(line);
}

Test(log, a_value_from_outside_cannot_forge_a_line_or_a_pair)
{
	expect_text(span_str("plain:10.0.0.7"), " v=plain:10.0.0.7\n");
	expect_text(span_str("a b"), " v=\"a b\"\n");
	expect_text(span_str("a=b"), " v=\"a=b\"\n");
	expect_text(span_str("a\n2026 error"), " v=\"a\\u000a2026 error\"\n");
	expect_text(span_str("\"\\"), " v=\"\\\"\\\\\"\n");
	expect_text(span_str("\x1b[2J"), " v=\"\\u001b[2J\"\n");
	expect_text(span_of("a\0b", 3), " v=\"a\\u0000b\"\n");
}

Test(log, text_is_kept_and_bytes_that_are_no_text_are_named)
{
	expect_text(span_str("grüße €😀"), " v=\"grüße €😀\"\n");
	expect_text(span_str("\xff\xc0\x80"), " v=\"\\xff\\xc0\\x80\"\n");
	expect_text(span_str("\xed\xa0\x80"), " v=\"\\xed\\xa0\\x80\"\n");
	expect_text(span_str("\xe2\x82"), " v=\"\\xe2\\x82\"\n");
	expect_text(span_str("\xc2\x9b"), " v=\"\\u009b\"\n");
	expect_text(span_str("\xe2\x80\xae"), " v=\"\\u202e\"\n");
}

Test(log, json_is_valid_for_every_byte)
{
	uint8_t all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;

	char *line = written(LOG_JSON, span_of(all, sizeof all));
	json_t *root = json_loads(line, JSON_ALLOW_NUL, NULL);

	cr_assert(root != NULL, "%s", line);
	cr_assert(eq(str, (char *)json_string_value(json_object_get(root, "process")),
		     "edge-0"));
	cr_assert(eq(str, (char *)json_string_value(json_object_get(root, "event")),
		     "test.line"));
	cr_assert(json_object_get(root, "v") != NULL);
	json_decref(root);
	free(line);
}

/* Every length around the room there is, so that the cut falls on every place in a token. */
Test(log, a_line_that_is_too_long_is_cut_and_stays_whole)
{
	char long_text[5000];

	log_init("edge-0", LOG_INFO, LOG_JSON);
	for (size_t n = 3900; n < 4100; n++) {
		struct capture *c = capture_start(STDERR_FILENO);

		memset(long_text, 'x', sizeof long_text);
		memcpy(long_text + n - 6, "\n\xe2\x82\xac\"", 5);
		log_info("test.line", B("a", span_of(long_text, n)), S("b", "behind it"),
			 I("c", 1));

		char *line = capture_end(c);
		json_t *root = json_loads(line, JSON_ALLOW_NUL, NULL);

		cr_assert(root != NULL, "%zu: %s", n, line);
		cr_assert(le(sz, strlen(line), 4096));
		cr_assert(line[strlen(line) - 1] == '\n');
		json_decref(root);
		free(line);
	}
}

Test(log, a_flood_is_one_line_and_the_next_says_how_many_were_left_out)
{
	struct capture *c = capture_start(STDERR_FILENO);
	struct log_flood flood = {0};

	log_init("edge-0", LOG_INFO, LOG_TEXT);
	for (int i = 0; i < 1000; i++)
		log_write_flood(&flood, LOG_WARN, "test.flood", LOG_FIELDS(I("i", i)));
	cr_assert(ge(u64, flood.left_out, 900));
	flood.left_out = 41;
	flood.second--; /* as if it had been a second ago */
	log_write_flood(&flood, LOG_WARN, "test.flood", LOG_FIELDS(I("i", -1)));

	char *lines = capture_end(c);

	cr_assert(strstr(lines, "test.flood i=0\n") != NULL);
	cr_assert(strstr(lines, "test.flood i=-1 left_out=41\n") != NULL);
	free(lines);
}
