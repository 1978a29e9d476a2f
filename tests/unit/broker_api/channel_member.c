#include "broker/api/channel_member.h"

#include "fixture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(channel_member, .init = start, .fini = fixture_fini, .timeout = 20);

/* Ask for it, and answer with the connection's context. */
static struct client *begin(const char *method)
{
	struct client *c = client_new();
	char *path = xasprintf("/@connections/%s/channels/room%%3A1", id_of(1, 5));
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	client_ask(c, method, path, "", "");
	free(path);
	fixture_until_commands(1);
	cr_assert_eq(fake_commands.all[0].kind, COMMAND_LOOK);
	o.context = (ProtobufCBinaryData){3, (uint8_t *)"ctx"};
	fake_commands_end(0, OK, &o);
	cr_assert_eq(fake_channels.n_actions, 1);
	return c;
}

Test(channel_member,
     a_subscription_is_an_action_of_the_connection_whose_result_goes_to_it)
{
	struct client *c = begin("PUT");
	const struct fake_action *f = fake_channels.actions;
	struct action_activate live = {.position = {span_str("e1"), 7}};
	struct action all[] = {
		{.kind = ACTION_FRAME, .body = span_str("ack")},
		{.kind = ACTION_ACTIVATE,
		 .channel = span_str("room:1"),
		 .activate = &live},
	};

	cr_expect(eq(int, f->verb, VERB_SUBSCRIBE));
	cr_expect(f->is_trusted);
	cr_expect(eq(str, (char *)f->json, "\"room:1\""));
	cr_expect(eq(str, (char *)f->context, "ctx"));
	f->fn(f->arg, all, 2, NULL);
	cr_assert_eq(fake_commands.n, 2);
	cr_expect(eq(int, fake_commands.all[1].kind, COMMAND_APPLY));
	cr_expect(eq(str, fake_commands.all[1].body, "text ack, activate room:1 7"));
	fake_commands_end(1, OK, NULL);
	cr_expect(eq(int, client_reply(c)->status, 204));
	cr_expect(zero(sz, fake_channels.refs));
}

Test(channel_member, its_end_is_told_to_the_client)
{
	struct client *c = begin("DELETE");
	const struct fake_action *f = fake_channels.actions;
	struct action all[] = {
		{.kind = ACTION_UNSUBSCRIBE, .channel = span_str("room:1")},
		{.kind = ACTION_FRAME, .body = span_str("ack")},
	};

	cr_expect(eq(int, f->verb, VERB_UNSUBSCRIBE));
	f->fn(f->arg, all, 2, NULL);
	cr_assert_eq(fake_commands.n, 2);
	cr_expect(eq(str, fake_commands.all[1].body,
		     "unsubscribe room:1, text {\"type\":\"unsubscribed\",\"channel\":"
		     "\"room:1\",\"reason\":\"server\"}"));
	fake_commands_end(1, OK, NULL);
	cr_expect(eq(int, client_reply(c)->status, 204));
}

Test(channel_member, a_failure_is_the_answer_and_nothing_reaches_the_client)
{
	static const struct failure limit = {"limit", "too many subscriptions", false};
	struct client *c = begin("PUT");
	const struct fake_action *f = fake_channels.actions;
	const struct reply *r;

	f->fn(f->arg, NULL, 0, &limit);
	r = client_reply(c);
	cr_expect(eq(int, r->status, 429));
	cr_expect(ne(ptr, strstr(r->body, "\"code\":\"limit\""), NULL));
	cr_expect(eq(sz, fake_commands.n, 1));
}

Test(channel_member, a_connection_that_is_gone_is_410)
{
	struct client *c = client_new();
	char *path = xasprintf("/@connections/%s/channels/room:1", id_of(1, 5));

	client_ask(c, "PUT", path, "", "");
	fixture_until_commands(1);
	fake_commands_end(0, ERR_NOTFOUND, NULL);
	expect_error(client_reply(c), 410, "GoneException");
	free(path);
}

Test(channel_member, paths_and_methods_that_there_are_not_are_refused)
{
	static const struct {
		const char *method, *rest;
		int status;
	} rows[] = {
		{"PUT", "/channels", 404},          {"PUT", "/channels/", 404},
		{"PUT", "/rooms/room:1", 400},      {"PUT", "/channels/room:1/x", 404},
		{"POST", "/channels/room:1", 405},  {"PUT", "/channels/hall:1", 400},
		{"DELETE", "/channels/room:*", 400}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *path = xasprintf("/@connections/%s%s", id_of(1, 5), rows[i].rest);

		cr_expect(eq(int, ask(rows[i].method, path, "")->status, rows[i].status),
			  "%s %s", rows[i].method, path);
		free(path);
	}
	cr_expect(zero(sz, fake_commands.n));
}
