#include "broker/channels/client/frame.h"

#include <criterion/criterion.h>

static const struct frame_head none;

static struct frame_head head(const char *id, const char *channel)
{
	return (struct frame_head){span_str(id), span_str(channel)};
}

static struct position at(const char *epoch, int64_t offset)
{
	return (struct position){span_str(epoch), offset};
}

/* Frees b. */
static void is_frame(struct blob *b, const char *want)
{
	cr_assert(span_is(blob_span(b), want), "%.*s", SPAN_ARG(blob_span(b)));
	blob_unref(b);
}

Test(frame, an_error_has_code_message_and_whether_to_retry)
{
	struct frame_head h = head("7", "a\"b");
	static const struct failure down = {"unavailable", "Redis is \"away\"", true};
	static const struct failure bad = {"bad_request", "no", false};

	is_frame(frame_error(&h, &down),
		 "{\"type\":\"error\",\"id\":7,\"channel\":\"a\\\"b\",\"code\":"
		 "\"unavailable\",\"message\":\"Redis is "
		 "\\\"away\\\"\",\"retryable\":true}");
	is_frame(frame_error(&none, &bad), "{\"type\":\"error\",\"code\":\"bad_request\","
					   "\"message\":\"no\",\"retryable\":false}");
}

Test(frame, an_ack_echoes_the_id_as_it_was_written)
{
	struct frame_head h = head("\"\\u0041\"", "room:1");

	is_frame(frame_ack(&h),
		 "{\"type\":\"ack\",\"id\":\"\\u0041\",\"channel\":\"room:1\"}");
}

Test(frame, a_subscription_has_its_position)
{
	struct frame_head h = head("1", "c");
	struct position p = at("e", 5);

	is_frame(frame_subscribed(&h, &p, RECOVERY_NOT_ASKED),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"epoch\":\"e\","
		 "\"offset\":5}");
	is_frame(frame_subscribed(&h, &p, RECOVERY_DONE),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"epoch\":\"e\","
		 "\"offset\":5,"
		 "\"recovered\":true}");
	is_frame(frame_subscribed(&h, &p, RECOVERY_FAILED),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"epoch\":\"e\","
		 "\"offset\":5,"
		 "\"recovered\":false}");
}

Test(frame, a_position_is_left_out_without_history)
{
	struct frame_head h = head("1", "c");
	struct position p = {0};

	is_frame(frame_subscribed(&h, &p, RECOVERY_NOT_ASKED),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\"}");
}

Test(frame, a_publication_s_ack_has_what_became_of_it)
{
	struct frame_head h = head("1", "c");
	struct published p = {.position = at("e", 0), .edges = 2, .connections = 30};

	is_frame(frame_published(&h, &p, false), "{\"type\":\"ack\",\"id\":1,\"channel\":"
						 "\"c\",\"epoch\":\"e\",\"offset\":0}");
	is_frame(frame_published(&h, &p, true), "{\"type\":\"ack\",\"id\":1,\"channel\":"
						"\"c\",\"epoch\":\"e\",\"offset\":0,"
						"\"edges\":2,\"connections\":30}");
	p.duplicate = true;
	is_frame(frame_published(&h, &p, false), "{\"type\":\"ack\",\"id\":1,\"channel\":"
						 "\"c\",\"epoch\":\"e\",\"offset\":0,"
						 "\"duplicate\":true}");
	p = (struct published){.suppressed = true};
	is_frame(frame_published(&h, &p, false),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"suppressed\":true}");
}

Test(frame, a_history_has_its_messages_and_where_to_go_on)
{
	struct frame_head h = head("1", "c");
	struct blob *messages[] = {blob_new(span_str("{\"offset\":1}")),
				   blob_new(span_str("{\"offset\":2}"))};
	struct frame_history all = {.at = at("e", 9), .messages = messages, .n = 2};

	is_frame(frame_history(&h, &all),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"epoch\":\"e\","
		 "\"offset\":9,"
		 "\"messages\":[{\"offset\":1},{\"offset\":2}]}");
	all.next = at("e", 2);
	all.n = 0;
	is_frame(frame_history(&h, &all),
		 "{\"type\":\"ack\",\"id\":1,\"channel\":\"c\",\"epoch\":\"e\","
		 "\"offset\":9,"
		 "\"messages\":[],\"next\":{\"epoch\":\"e\",\"offset\":2}}");
	blob_unref(messages[0]);
	blob_unref(messages[1]);
}

Test(frame, a_ping_s_ack_has_the_time)
{
	struct frame_head h = head("\"p\"", "");

	is_frame(frame_pong(&h, 1700000000000),
		 "{\"type\":\"ack\",\"id\":\"p\",\"time\":1700000000000}");
}
