#include "broker/api/channel_read.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(channel_read, .init = start, .fini = fixture_fini, .timeout = 20);

static struct client *get(const char *target)
{
	struct client *c = client_new();

	client_ask(c, "GET", target, "", "");
	return c;
}

Test(channel_read, the_query_of_a_history_becomes_an_action_and_its_ack_the_answer)
{
	struct client *c = get("/channels/room%3A%22/history?since=0a1:b:7&until=0a1:b:9&"
			       "limit=0&reverse=true");
	const struct fake_action *f = fake_channels.actions;
	struct action ack = {.kind = ACTION_FRAME,
			     .body = span_str("{\"type\":\"ack\"}")};

	fixture_until_actions(1);
	cr_expect(eq(int, f->verb, VERB_HISTORY));
	cr_expect(f->is_trusted);
	cr_expect(
		eq(str, (char *)f->json,
		   "{\"channel\":\"room:\\\"\",\"reverse\":true,\"since\":{\"epoch\":"
		   "\"0a1:b\",\"offset\":7},\"until\":{\"epoch\":\"0a1:b\",\"offset\":9},"
		   "\"limit\":0}"));
	f->fn(f->arg, &ack, 1, NULL);
	cr_expect(eq(str, (char *)client_reply(c)->body, "{\"type\":\"ack\"}"));
	cr_expect(zero(sz, fake_channels.refs));
}

Test(channel_read, so_does_that_of_presence)
{
	static const struct failure off = {"not_available", "there is none", false};
	struct client *c = get("/channels/room:1/presence?cursor=c%22&limit=1000");
	const struct fake_action *f = fake_channels.actions;
	const struct reply *r;

	fixture_until_actions(1);
	cr_expect(eq(int, f->verb, VERB_PRESENCE));
	cr_expect(eq(str, (char *)f->json,
		     "{\"channel\":\"room:1\",\"cursor\":\"c\\\"\",\"limit\":1000}"));
	f->fn(f->arg, NULL, 0, &off);
	r = client_reply(c);
	cr_expect(eq(int, r->status, 400));
	cr_expect(ne(ptr, strstr(r->body, "\"code\":\"not_available\""), NULL));
}

Test(channel_read, a_query_that_is_wrong_is_refused)
{
	static const char *const rows[][2] = {
		{"limit=1001", "limit"},  {"limit=-1", "limit"},
		{"limit=x", "limit"},     {"limit=", "limit"},
		{"since=e1", "since"},    {"since=:1", "since"},
		{"since=e1:x", "since"},  {"until=e1:", "until"},
		{"until=e1:-1", "until"}, {"reverse=yes", "reverse"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char target[64];
		const struct reply *r;

		snprintf(target, sizeof target, "/channels/room:1/history?%s",
			 rows[i][0]);
		r = ask("GET", target, "");
		cr_expect(eq(int, r->status, 400), "%s", target);
		cr_expect(ne(ptr, strstr(r->body, rows[i][1]), NULL), "%s", r->body);
	}
	cr_expect(zero(sz, fake_channels.n_actions));
}

Test(channel_read, one_whose_client_has_gone_ends_by_itself)
{
	struct client *c = get("/channels/room:1/history");
	const struct fake_action *f = fake_channels.actions;

	fixture_until_actions(1);
	client_leave(c);
	f->fn(f->arg, NULL, 0, &(struct failure){"internal", "bug", false});
	cr_expect(zero(sz, fake_channels.refs));
}

Test(channel_read, what_still_waits_at_the_end_is_freed)
{
	get("/channels/room:1/history");
	fixture_until_actions(1);
}

Test(channel_read, a_history_is_cleared)
{
	static const enum err results[] = {OK, ERR_DOWN};

	for (size_t i = 0; i < 2; i++) {
		struct client *c = client_new();

		fake_channels.on_cleared = NULL;
		client_ask(c, "DELETE", "/channels/room:1/history", "", "");
		while (fake_channels.on_cleared == NULL)
			loop_run(fixture.loop);
		cr_expect(eq(str, fake_channels.cleared, "room:1"));
		fake_channels.on_cleared(fake_channels.cleared_arg, results[i]);
		cr_expect(eq(int, client_reply(c)->status, i == 0 ? 204 : 503));
	}
}
