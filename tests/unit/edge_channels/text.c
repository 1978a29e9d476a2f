#include "edge/channels/text.h"

#include "ws/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

/* The payload of the frame, which is freed. */
static const char *payload(struct blob *b)
{
	static char out[1024];
	struct frame f;

	cr_assert(eq(int, frame_parse_server(blob_span(b), &f), OK));
	cr_assert(eq(u32, f.op, FRAME_TEXT));
	snprintf(out, sizeof out, "%.*s", (int)f.payload, (const char *)b->p + f.header);
	blob_unref(b);
	return out;
}

Test(text, of_a_reset_has_the_position_and_an_escaped_channel)
{
	cr_assert(eq(str,
		     (char *)payload(text_reset(span_str("a\"b"), span_str("e1"), 7,
						TEXT_TRIMMED)),
		     "{\"type\":\"reset\",\"channel\":\"a\\\"b\",\"epoch\":\"e1\","
		     "\"offset\":7,\"recovered\":false,\"reason\":\"trimmed\"}"));
}

Test(text, of_a_reset_without_history_has_no_position)
{
	cr_assert(eq(str,
		     (char *)payload(
			     text_reset(span_str("a"), span_of(NULL, 0), 0, TEXT_LOST)),
		     "{\"type\":\"reset\",\"channel\":\"a\",\"recovered\":false,"
		     "\"reason\":\"lost\"}"));
}

Test(text, of_unsubscribed_has_the_reason)
{
	cr_assert(eq(
		str, (char *)payload(text_unsubscribed(span_str("a"), span_str("x\"y"))),
		"{\"type\":\"unsubscribed\",\"channel\":\"a\",\"reason\":\"x\\\"y\"}"));
}

Test(text, of_an_array_has_the_payloads_with_commas)
{
	struct blob *frames[] = {frame_blob(FRAME_TEXT, span_str("{\"a\":1}")),
				 frame_blob(FRAME_TEXT, span_str("2"))};

	cr_assert(eq(str, (char *)payload(text_array(frames, 2)), "[{\"a\":1},2]"));
	blob_unref(frames[0]);
	blob_unref(frames[1]);
}
