#include "broker/api/bulk.h"

#include "fixture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(bulk, .init = start, .fini = fixture_fini, .timeout = 20);

/* Ask for a message to these ids, which have commas between them. */
static struct client *push(const char *ids, const char *rest)
{
	struct client *c = client_new();
	char *body = xasprintf("{\"connectionIds\":[%s],%s}", ids, rest);

	client_ask(c, "POST", "/@connections", "", body);
	free(body);
	return c;
}

static char *quoted(const char *a, const char *b, const char *c)
{
	return xasprintf("\"%s\",\"%s\",\"%s\"", a, b, c);
}

static void end_many(size_t i, const char *results)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.results = (ProtobufCBinaryData){strlen(results), (uint8_t *)results};
	fake_commands_end(i, OK, &o);
}

Test(bulk, each_edge_gets_one_command_and_the_answer_has_what_became_of_each_id)
{
	const char *gone = id_of(2, 1), *full = id_of(1, 2);
	char *ids = quoted(gone, id_of(1, 1), full), *want;
	struct client *c = push(ids, "\"data\":\"h\\u00fc\"");

	fixture_until_commands(2);
	cr_assert_eq(fake_commands.all[0].edge, 1);
	cr_assert_eq(fake_commands.all[0].n_ids, 2);
	cr_assert_str_eq(fake_commands.all[0].body, "h\xc3\xbc");
	cr_assert(!fake_commands.all[0].binary);
	cr_assert_eq(fake_commands.all[1].edge, 2);
	end_many(1, "\x02");
	end_many(0, "\x01\x03");
	want = xasprintf("{\"results\":{\"sent\":1,\"gone\":[\"%s\"],\"full\":[\"%s\"],"
			 "\"failed\":[]}}",
			 gone, full);
	cr_assert_str_eq(client_reply(c)->body, want);
	cr_assert_eq(fake_commands.gone, 1);
	cr_assert_eq(fake_commands.full, 1);
	free(want);
	free(ids);
}

Test(bulk, what_ends_an_edges_command_is_the_result_of_all_of_its_ids)
{
	static const struct {
		enum err e;
		const char *list;
	} rows[] = {{ERR_NOTFOUND, "\"gone\":[\""},
		    {ERR_BUSY, "\"full\":[\""},
		    {ERR_DOWN, "\"failed\":[\""}};

	for (size_t i = 0; i < 3; i++) {
		char *ids = quoted(id_of(1, 1), id_of(1, 2), id_of(1, 3));
		struct client *c = push(ids, "\"data\":\"a\"");
		const struct reply *r;

		fixture_until_commands(i + 1);
		fake_commands_end(i, rows[i].e, NULL);
		r = client_reply(c);
		cr_assert_eq(r->status, 200);
		cr_assert_not_null(strstr(r->body, rows[i].list), "%s", r->body);
		cr_assert_not_null(strstr(r->body, "\"sent\":0,"));
		free(ids);
	}
}

Test(bulk, an_outcome_with_another_number_of_results_is_that_of_the_command)
{
	char *ids = quoted(id_of(1, 1), id_of(1, 2), id_of(1, 3));
	struct client *c = push(ids, "\"data\":\"a\"");

	fixture_until_commands(1);
	end_many(0, "\x02");
	cr_assert_not_null(strstr(client_reply(c)->body, "\"sent\":3,"));
	free(ids);
}

Test(bulk, the_ids_of_an_edge_that_is_not_linked_are_asked_for_one_by_one)
{
	char *ids = quoted(id_of(1, 1), id_of(1, 2), id_of(1, 2));
	struct client *c;

	fake_commands.unlinked = true;
	c = push(ids, "\"data64\":\"/w==\"");
	fixture_until_commands(3);
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(fake_commands.all[i].kind, COMMAND_SEND);
		cr_assert_str_eq(fake_commands.all[i].body, "\xff");
		cr_assert(fake_commands.all[i].binary);
		fake_commands_end(i, i ? ERR_NOTFOUND : OK, NULL);
	}
	cr_assert_not_null(strstr(client_reply(c)->body, "{\"sent\":1,"));
	free(ids);
}

Test(bulk, without_ids_it_is_answered_at_once)
{
	cr_assert_str_eq(
		client_reply(push("", "\"data\":\"a\""))->body,
		"{\"results\":{\"sent\":0,\"gone\":[],\"full\":[],\"failed\":[]}}");
	cr_assert_eq(fake_commands.n, 0);
}

Test(bulk, binary_may_be_asked_for_in_the_order_or_by_the_header)
{
	char *ids = quoted(id_of(1, 1), id_of(1, 2), id_of(1, 3));
	struct client *c = push(ids, "\"data\":\"a\",\"binary\":true");

	fixture_until_commands(1);
	cr_assert(fake_commands.all[0].binary);
	end_many(0, "\x01\x01\x01");
	client_reply(c);
	client_ask(c, "POST", "/@connections", "X-Gatepost-Binary: true\r\n",
		   "{\"connectionIds\":[\"AAEAAAAMAAAAAAc=\"],\"data\":\"a\"}");
	fixture_until_commands(2);
	cr_assert(fake_commands.all[1].binary);
	client_ask(push(ids, "\"data\":\"a\",\"binary\":false"), "GET", "/", "", "");
	fixture_until_commands(3);
	cr_assert(!fake_commands.all[2].binary);
	free(ids);
}

#define IDS "\"connectionIds\":[\"AAEAAAAMAAAAAAc=\"]"

Test(bulk, an_order_that_is_wrong_is_refused_and_nothing_is_sent)
{
	static const struct {
		const char *body;
		int status;
	} rows[] = {
		{"", 400},
		{"[]", 400},
		{"{", 400},
		{"{\"data\":\"a\"}", 400},
		{"{" IDS "}", 400},
		{"{" IDS ",\"data\":\"a\",\"data64\":\"\"}", 400},
		{"{" IDS ",\"data\":5}", 400},
		{"{\"connectionIds\":\"AAEAAAAMAAAAAAc=\",\"data\":\"a\"}", 400},
		{"{" IDS ",\"data\":\"a\",\"binary\":1}", 400},
		{"{" IDS ",\"data\":\"a\",\"other\":1}", 400},
		{"{" IDS ",\"data\":\"\\ud800\"}", 400},
		{"{" IDS ",\"data64\":\"!\"}", 400},
		{"{\"connectionIds\":[\"x\"],\"data\":\"a\"}", 400},
		{"{\"connectionIds\":[5],\"data\":\"a\"}", 400},
		{"{\"connectionIds\":[\"AAEAAAAMAAAAAAc=\",\"AAEAAAAMAAAAAAc=\","
		 "\"AAEAAAAMAAAAAAc=\",\"AAEAAAAMAAAAAAc=\",\"AAEAAAAMAAAAAAc=\","
		 "\"AAEAAAAMAAAAAAc=\"],\"data\":\"a\"}",
		 413},
	};
	char *body = xasprintf("{" IDS ",\"data\":\"%01001d\"}", 0);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_error(ask("POST", "/@connections", rows[i].body), rows[i].status,
			     rows[i].status == 400 ? "BadRequestException"
						   : "PayloadTooLargeException");
	expect_error(ask("POST", "/@connections", body), 413, "PayloadTooLargeException");
	cr_assert_eq(fake_commands.n, 0);
	free(body);
}

Test(bulk, a_client_that_hangs_up_cancels_what_is_still_under_way)
{
	char *ids = quoted(id_of(1, 1), id_of(2, 1), id_of(3, 1));
	struct client *c = push(ids, "\"data\":\"a\"");

	fixture_until_commands(3);
	end_many(1, "\x01");
	client_leave(c);
	cr_assert(fake_commands.all[0].is_cancelled);
	cr_assert(!fake_commands.all[1].is_cancelled);
	cr_assert(fake_commands.all[2].is_cancelled);
	free(ids);
}
