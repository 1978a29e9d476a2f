#include "broker/api/users.h"

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

TestSuite(users, .init = start, .fini = fixture_fini, .timeout = 20);

static struct client *begin(const char *method, const char *target)
{
	struct client *c = client_new();

	client_ask(c, method, target, "", "");
	fixture_until_questions(1);
	return c;
}

/* The store has these three. */
static void answer_ids(uint64_t next)
{
	struct span ids[] = {span_str(id_of(1, 1)), span_str(id_of(1, 2)),
			     span_str(id_of(2, 3))};

	fake_store_user(OK, ids, 3, next);
}

static void expect_body(struct client *c, const char *fmt, const char *a, const char *b)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	char *want = xasprintf(fmt, a, b);
#pragma GCC diagnostic pop
	const struct reply *r = client_reply(c);

	cr_expect(eq(int, r->status, 200));
	cr_expect(eq(str, (char *)r->body, want));
	free(want);
}

Test(users, a_users_connections_are_those_that_have_a_row)
{
	struct client *c = begin("GET", "/users/u%201?cursor=7");
	char *gone = xasprintf("u 1 %s", id_of(1, 2));

	cr_expect(eq(str, (char *)fake_store_next(ASKS_USER)->id, "u 1"));
	cr_expect(eq(u64, fake_store_next(ASKS_USER)->cursor, 7));
	answer_ids(9);
	fake_store_row(OK);
	fake_store_row(ERR_NOTFOUND);
	fake_store_row(OK);
	expect_body(c,
		    "{\"user\":\"u 1\",\"connections\":[\"%s\",\"%s\"],\"failed\":[],"
		    "\"next\":\"9\"}",
		    id_of(1, 1), id_of(2, 3));
	cr_expect(eq(str, fake_store.forgotten, gone));
	free(gone);
}

Test(users, an_unknown_user_has_an_empty_list)
{
	struct client *c = begin("GET", "/users/nobody");

	fake_store_user(OK, NULL, 0, 0);
	expect_body(c, "{\"user\":\"nobody\",\"connections\":[],\"failed\":[]}", "", "");
}

Test(users, their_connections_are_closed_with_1000)
{
	struct client *c = begin("DELETE", "/users/u1");

	answer_ids(0);
	for (size_t i = 0; i < 3; i++)
		fake_store_row(OK);
	cr_assert(eq(sz, fake_commands.n, 3));
	cr_expect(eq(int, fake_commands.all[2].kind, COMMAND_CLOSE));
	cr_expect(eq(int, fake_commands.all[2].code, 1000));
	fake_commands_end(2, ERR_DOWN, NULL);
	fake_commands_end(1, ERR_NOTFOUND, NULL);
	fake_commands_end(0, OK, NULL);
	expect_body(c, "{\"user\":\"u1\",\"connections\":[\"%s\"],\"failed\":[\"%s\"]}",
		    id_of(1, 1), id_of(2, 3));
}

Test(users, a_channel_is_subscribed_by_each_of_their_connections)
{
	static const struct failure limit = {"limit", "too many subscriptions", false};
	struct client *c = begin("PUT", "/users/u1/channels/room%3A1");
	struct action ack = {.kind = ACTION_FRAME, .body = span_str("ack")};
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.context = (ProtobufCBinaryData){3, (uint8_t *)"ctx"};
	answer_ids(0);
	fake_store_row(OK);
	fake_store_row(OK);
	fake_store_row(ERR_NOTFOUND);
	cr_assert(eq(sz, fake_commands.n, 2));
	for (size_t i = 0; i < 2; i++) {
		cr_expect(eq(int, fake_commands.all[i].kind, COMMAND_LOOK));
		fake_commands_end(i, OK, &o);
		cr_expect(eq(int, fake_channels.actions[i].verb, VERB_SUBSCRIBE));
		cr_expect(eq(str, fake_channels.actions[i].json, "\"room:1\""));
	}
	fake_channels.actions[0].fn(fake_channels.actions[0].arg, NULL, 0, &limit);
	fake_channels.actions[1].fn(fake_channels.actions[1].arg, &ack, 1, NULL);
	cr_assert(eq(sz, fake_commands.n, 3));
	fake_commands_end(2, OK, NULL);
	expect_body(c, "{\"user\":\"u1\",\"connections\":[\"%s\"],\"failed\":[\"%s\"]}",
		    id_of(1, 2), id_of(1, 1));
}

Test(users, without_the_store_the_answer_is_503)
{
	struct client *c = begin("DELETE", "/users/u1");
	const struct reply *r;

	fake_store_user(ERR_DOWN, NULL, 0, 0);
	r = client_reply(c);
	cr_expect(eq(int, r->status, 503));
	cr_expect(ne(ptr, strstr(r->body, "\"retryable\":true"), NULL));
	client_ask(c, "GET", "/users/u1", "", "");
	fixture_until_questions(2);
	answer_ids(0);
	fake_store_row(OK);
	fake_store_row(ERR_DOWN);
	fake_store_row(OK);
	cr_expect(eq(int, client_reply(c)->status, 503));
}

Test(users, paths_and_methods_that_there_are_not_are_refused)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = {{"GET", "/users", 404},
		    {"GET", "/users/", 400},
		    {"GET", "/users/u%", 400},
		    {"GET", "/users/u1?cursor=x", 400},
		    {"POST", "/users/u1", 405},
		    {"PUT", "/users/u1/channels", 404},
		    {"PUT", "/users/u1/rooms/room:1", 404},
		    {"PUT", "/users/u1/channels/room:1/x", 404},
		    {"GET", "/users/u1/channels/room:1", 405},
		    {"PUT", "/users/u1/channels/hall:1", 400}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(eq(int, ask(rows[i].method, rows[i].path, "")->status,
			     rows[i].status),
			  "%s %s", rows[i].method, rows[i].path);
	cr_expect(zero(sz, fake_store.n));
}

Test(users, what_is_done_for_a_client_that_has_gone_is_done_to_its_end)
{
	struct client *c = begin("DELETE", "/users/u1");

	client_leave(c);
	answer_ids(0);
	for (size_t i = 0; i < 3; i++)
		fake_store_row(OK);
	for (size_t i = 0; i < 3; i++)
		fake_commands_end(i, OK, NULL);
}
