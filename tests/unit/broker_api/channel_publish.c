#include "broker/api/channel_publish.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(channel_publish, .init = start, .fini = fixture_fini, .timeout = 20);

static void end(size_t i, const struct published *p)
{
	struct fake_publication *f = &fake_channels.publications[i];

	f->fn(f->arg, p);
}

static const struct published done = {.position = {{(const uint8_t *)"e1", 2}, 7}};

Test(channel_publish, the_body_is_published_to_the_channel_of_the_path)
{
	struct client *c = client_new();
	const struct fake_publication *f = fake_channels.publications;

	client_ask(
		c, "POST", "/dev/channels/room%3A1", "",
		"{\"data\":{\"a\" : 1},\"key\":\"k\",\"tags\":{\"t\":\"v\"},"
		"\"version\":\"18446744073709551615\",\"user\":\"u\\u00fc\",\"more\":1}");
	fixture_until_publications(1);
	cr_expect(eq(str, (char *)f->channel, "room:1"));
	cr_expect(eq(str, (char *)f->data, "{\"a\" : 1}"));
	cr_expect(eq(str, (char *)f->key, "k"));
	cr_expect(eq(str, (char *)f->tag, "t=v"));
	cr_expect(eq(str, (char *)f->user, "u\xc3\xbc"));
	cr_expect(f->has_version && f->version == UINT64_MAX);
	cr_expect(not(f->is_binary || f->receipt));
	end(0, &done);
	cr_assert(eq(str, (char *)client_reply(c)->body,
		     "{\"epoch\":\"e1\",\"offset\":7}"));
}

Test(channel_publish, an_answer_says_what_was_special)
{
	struct client *c = client_new();

	client_ask(c, "POST", "/channels/tick:1", "", "{\"data\":1,\"receipt\":true}");
	fixture_until_publications(1);
	end(0, &(struct published){.edges = 2, .connections = 30});
	cr_expect(eq(str, (char *)client_reply(c)->body,
		     "{\"edges\":2,\"connections\":30}"));
	client_ask(c, "POST", "/channels/room:1", "", "{\"data\":1}");
	fixture_until_publications(2);
	end(1, &(struct published){.position = done.position, .duplicate = true});
	cr_expect(eq(str, (char *)client_reply(c)->body,
		     "{\"epoch\":\"e1\",\"offset\":7,\"duplicate\":true}"));
	client_ask(c, "POST", "/channels/tick:1", "", "{\"data\":1}");
	fixture_until_publications(3);
	end(2, &(struct published){.suppressed = true});
	cr_expect(eq(str, (char *)client_reply(c)->body, "{\"suppressed\":true}"));
}

Test(channel_publish, bytes_that_are_no_json_come_in_base64)
{
	struct client *c = client_new();

	client_ask(c, "POST", "/channels/tick:1", "", "{\"data64\":\"/wE=\"}");
	fixture_until_publications(1);
	cr_expect(fake_channels.publications[0].is_binary);
	cr_expect(eq(str, (char *)fake_channels.publications[0].data, "\xff\x01"));
	end(0, &(struct published){0});
	cr_expect(eq(str, (char *)client_reply(c)->body, "{}"));
}

static void expect_refused(const char *target, const char *body, int status,
			   const char *message, const char *code)
{
	const struct reply *r = ask("POST", target, body);

	cr_expect(eq(int, r->status, status), "%s: %s", body, r->body);
	cr_expect(ne(ptr, strstr(r->body, message), NULL), "%s: %s", body, r->body);
	cr_expect(ne(ptr, strstr(r->body, code), NULL), "%s: %s", body, r->body);
	cr_expect(zero(sz, fake_channels.n_publications));
}

Test(channel_publish, what_is_wrong_is_named)
{
	static const char bad[] = "\"code\":\"bad_request\",\"retryable\":false}";

	expect_refused("/channels/tick:1", "data", 400, "not a JSON object", bad);
	expect_refused("/channels/tick:1", "{}", 400, "one of data", bad);
	expect_refused("/channels/tick:1", "{\"data\":1,\"data64\":\"\"}", 400,
		       "one of data", bad);
	expect_refused("/channels/tick:1", "{\"data64\":\"?\"}", 400, "data64", bad);
	expect_refused("/channels/tick:1", "{\"data\":1,\"user\":7}", 400, "user", bad);
	expect_refused("/channels/tick:1", "{\"data\":1,\"tags\":[]}", 400, "tags", bad);
	expect_refused("/channels/tick:1", "{\"data\":1,\"key\":\"\"}", 400, "key", bad);
	expect_refused("/channels/tick:*", "{\"data\":1}", 400, "name", bad);
	expect_refused("/channels/tick%", "{\"data\":1}", 400, "name", bad);
	expect_refused("/channels/", "{\"data\":1}", 400, "name", bad);
	expect_refused("/channels/hall:1", "{\"data\":1}", 400, "namespace",
		       "\"code\":\"unknown_namespace\"");
	expect_refused(
		"/channels/tick:1",
		"{\"data\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxx\"}",
		413, "limits.message", "\"code\":\"too_large\"");
	expect_refused("/channels/tick:1/x", "{\"data\":1}", 404, "Not Found", "");
	expect_refused("/prod/channels/tick:1", "{\"data\":1}", 403, "Forbidden", "");
}

Test(channel_publish, a_failure_has_the_status_of_its_code)
{
	static const struct {
		struct failure failure;
		int status;
	} rows[] = {{{"unavailable", "later", true}, 503},
		    {{"internal", "bug", false}, 500},
		    {{"rate", "slowly", true}, 429}};

	for (size_t i = 0; i < 3; i++) {
		struct client *c = client_new();
		const struct reply *r;

		client_ask(c, "POST", "/channels/room:1", "", "{\"data\":1}");
		fixture_until_publications(i + 1);
		end(i, &(struct published){.failure = &rows[i].failure});
		r = client_reply(c);
		cr_expect(eq(int, r->status, rows[i].status));
		cr_expect(ne(ptr, strstr(r->body, rows[i].failure.code), NULL));
	}
}

Test(channel_publish, one_whose_client_has_gone_ends_by_itself)
{
	struct client *c = client_new();

	client_ask(c, "POST", "/channels/room:1", "", "{\"data\":1}");
	fixture_until_publications(1);
	client_leave(c);
	end(0, &done);
}

Test(channel_publish, many_messages_have_their_results_in_order)
{
	static const struct failure later = {"unavailable", "later", true};
	struct client *c = client_new();

	client_ask(
		c, "POST", "/channels", "",
		"{\"messages\":[{\"channel\":\"room:1\",\"data\":1},"
		"{\"channel\":\"hall:1\",\"data\":2},{\"channel\":\"tick:1\",\"data\":3,"
		"\"receipt\":true},{\"channel\":\"room:2\",\"data\":4}]}");
	fixture_until_publications(3);
	cr_expect(eq(str, (char *)fake_channels.publications[1].channel, "tick:1"));
	cr_expect(eq(str, (char *)fake_channels.publications[1].data, "3"));
	end(2, &(struct published){.failure = &later});
	end(1, &(struct published){.edges = 1, .connections = 1});
	end(0, &done);
	cr_expect(eq(
		str, (char *)client_reply(c)->body,
		"{\"results\":[{\"epoch\":\"e1\",\"offset\":7},\n"
		"{\"error\":{\"code\":\"unknown_namespace\",\"message\":\"The channel's "
		"namespace is not one of gatepost.channels\",\"retryable\":false}},\n"
		"{\"edges\":1,\"connections\":1},\n"
		"{\"error\":{\"code\":\"unavailable\",\"message\":\"later\","
		"\"retryable\":"
		"true}}]}"));
}

Test(channel_publish, one_message_goes_to_many_channels)
{
	struct client *c = client_new();

	client_ask(c, "POST", "/channels", "",
		   "{\"channels\":[\"room:1\",\"room:\\u0032\"],\"data\":\"hi\"}");
	fixture_until_publications(2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect(eq(str, (char *)fake_channels.publications[i].channel,
			     i ? "room:2" : "room:1"));
		cr_expect(eq(str, (char *)fake_channels.publications[i].data, "\"hi\""));
		end(i, &done);
	}
	cr_expect(eq(str, (char *)client_reply(c)->body,
		     "{\"results\":[{\"epoch\":\"e1\",\"offset\":7},\n{\"epoch\":\"e1\","
		     "\"offset\":7}]}"));
}

Test(channel_publish, when_one_of_many_is_malformed_none_is_published)
{
	static const char bad[] = "\"code\":\"bad_request\"";

	expect_refused("/channels", "{}", 400, "one of messages", bad);
	expect_refused("/channels", "{\"messages\":[],\"channels\":[]}", 400,
		       "one of messages", bad);
	expect_refused(
		"/channels",
		"{\"messages\":[{\"channel\":\"tick:1\",\"data\":1},{\"data\":1}]}", 400,
		"channel", bad);
	expect_refused("/channels", "{\"messages\":[7]}", 400, "not an object", bad);
	expect_refused("/channels", "{\"channels\":[7],\"data\":1}", 400, "strings", bad);
	expect_refused("/channels", "{\"channels\":[\"tick:1\"]}", 400, "data", bad);
	expect_refused("/channels", "{\"channels\":[1,2,3,4,5,6],\"data\":1}", 400,
		       "too many", bad);
}

Test(channel_publish, nothing_to_publish_has_no_results)
{
	cr_expect(eq(str, (char *)ask("POST", "/channels", "{\"messages\":[]}")->body,
		     "{\"results\":[]}"));
}
