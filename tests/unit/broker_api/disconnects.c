#include "broker/api/disconnects.h"

#include "fixture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(disconnects, .init = start, .fini = fixture_fini, .timeout = 20);

static const char ONE[] = "/@disconnects/AAEAAAAMAAAAAAc=";

static struct client *begin(const char *method, const char *target)
{
	struct client *c = client_new();
	size_t n = fake_store.n;

	client_ask(c, method, target, "", "");
	fixture_until_questions(n + 1);
	return c;
}

static struct disconnect one(uint32_t slot)
{
	return (struct disconnect){
		.row = {.id = span_str(id_of(1, slot)), .connected_at_ms = 1795343464512},
		.time_ms = 1795343465000,
		.code = 1006,
		.reason = span_str("No \"pong\""),
		.tries = 10,
		.error = span_str("status 500")};
}

static struct disconnect broken(uint32_t slot)
{
	struct disconnect d = one(slot);

	d.is_broken = true;
	return d;
}

/* ---- a page ---- */

Test(disconnects, a_page_has_what_is_known_of_each_and_where_the_next_one_begins)
{
	struct disconnect ds[] = {one(1), broken(2)};
	struct client *c = begin("GET", "/@disconnects?cursor=18446744073709551615");
	char *want;

	cr_assert_eq(fake_store_next(ASKS_DEAD_LETTERS)->cursor, UINT64_MAX);
	fake_store_dead_letters(OK, ds, 2, 42);
	want = xasprintf("{\"disconnects\":[\n{\"connectionId\":\"%s\",\"connectedAt\":"
			 "\"2026-11-22T10:31:04.512Z\",\"disconnectedAt\":"
			 "\"2026-11-22T10:31:05.000Z\",\"code\":1006,"
			 "\"reason\":\"No \\\"pong\\\"\",\"tries\":10,"
			 "\"error\":\"status 500\"},\n"
			 "{\"connectionId\":\"%s\",\"error\":\"status 500\"}],"
			 "\"next\":\"42\"}\n",
			 id_of(1, 1), id_of(1, 2));
	cr_assert_str_eq(client_reply(c)->body, want);
	c = begin("GET", "/@disconnects");
	fake_store_dead_letters(OK, NULL, 0, 0);
	cr_assert_str_eq(client_reply(c)->body, "{\"disconnects\":[]}\n");
	free(want);
}

Test(disconnects, a_cursor_that_is_none_is_400_and_so_is_all_of_them_unsaid)
{
	static const struct {
		const char *method, *target;
	} rows[] = {
		{"GET", "/@disconnects?cursor=x"},
		{"GET", "/@disconnects?cursor="},
		{"GET", "/@disconnects?cursor=-1"},
		{"GET", "/@disconnects?cursor=18446744073709551616"},
		{"POST", "/@disconnects"},
		{"DELETE", "/@disconnects"},
		{"DELETE", "/@disconnects?all=1"},
		{"DELETE", "/@disconnects?all=true&cursor=x"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_error(ask(rows[i].method, rows[i].target, ""), 400,
			     "BadRequestException");
	cr_assert_eq(fake_store.n, 0);
}

/* ---- one ---- */

Test(disconnects, each_end_of_each_request_has_its_status)
{
	static const struct {
		enum err e;
		int status;
		const char *type;
	} ends[] = {
		{ERR_NOTFOUND, 410, "GoneException"},
		{ERR_MALFORMED, 500, "InternalServerErrorException"},
		{ERR_DOWN, 503, "ServiceUnavailableException"},
		{ERR_BUSY, 503, "ServiceUnavailableException"},
	};
	struct client *c = begin("POST", ONE);

	cr_assert_str_eq(fake_store_next(ASKS_RETRY)->id, "AAEAAAAMAAAAAAc=");
	fake_store_done(ASKS_RETRY, OK);
	cr_assert_eq(client_reply(c)->status, 202);
	c = begin("DELETE", ONE);
	cr_assert_str_eq(fake_store_next(ASKS_DROP)->id, "AAEAAAAMAAAAAAc=");
	fake_store_done(ASKS_DROP, OK);
	cr_assert_eq(client_reply(c)->status, 204);
	c = client_new();
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		client_ask(c, "POST", ONE, "", "");
		fixture_until_questions(fake_store.answered + 1);
		fake_store_done(ASKS_RETRY, ends[i].e);
		expect_error(client_reply(c), ends[i].status, ends[i].type);
		client_ask(c, "DELETE", ONE, "", "");
		fixture_until_questions(fake_store.answered + 1);
		fake_store_done(ASKS_DROP, ends[i].e);
		expect_error(client_reply(c), ends[i].status, ends[i].type);
	}
	client_ask(c, "GET", "/@disconnects", "", "");
	fixture_until_questions(fake_store.answered + 1);
	fake_store_dead_letters(ERR_DOWN, NULL, 0, 0);
	expect_error(client_reply(c), 503, "ServiceUnavailableException");
}

/* ---- all ---- */

Test(disconnects, of_a_page_each_is_retried_but_what_cannot_be_read)
{
	struct disconnect ds[] = {one(1), broken(2), one(3), one(4)};
	struct client *c = begin("POST", "/@disconnects?all=true&cursor=7");
	const struct reply *r;

	cr_assert_eq(fake_store_next(ASKS_DEAD_LETTERS)->cursor, 7);
	fake_store_dead_letters(OK, ds, 4, 8);
	cr_assert_str_eq(fake_store_next(ASKS_RETRY)->id, id_of(1, 1));
	fake_store_done(ASKS_RETRY, OK);
	fake_store_done(ASKS_RETRY, ERR_NOTFOUND); /* another's: not counted */
	fake_store_done(ASKS_RETRY, OK);
	r = client_reply(c);
	cr_assert_eq(r->status, 202);
	cr_assert_str_eq(r->body, "{\"retried\":2,\"next\":\"8\"}\n");
}

Test(disconnects, of_a_page_each_is_dropped_also_what_cannot_be_read)
{
	struct disconnect ds[] = {one(1), broken(2)};
	struct client *c = begin("DELETE", "/@disconnects?all=true");
	const struct reply *r;

	fake_store_dead_letters(OK, ds, 2, 0);
	fake_store_done(ASKS_DROP, OK);
	fake_store_done(ASKS_DROP, OK);
	r = client_reply(c);
	cr_assert_eq(r->status, 200);
	cr_assert_str_eq(r->body, "{\"dropped\":2}\n");
	c = begin("DELETE", "/@disconnects?all=true");
	fake_store_dead_letters(OK, NULL, 0, 0);
	cr_assert_str_eq(client_reply(c)->body, "{\"dropped\":0}\n");
}

Test(disconnects, when_one_of_a_page_fails_the_request_is_503_after_all_have_ended)
{
	struct disconnect ds[] = {one(1), one(2)};
	struct client *c = begin("POST", "/@disconnects?all=true");

	fake_store_dead_letters(OK, ds, 2, 0);
	fake_store_done(ASKS_RETRY, ERR_DOWN);
	cr_assert_eq(metric_of("management_requests "), 1);
	fake_store_done(ASKS_RETRY, OK);
	expect_error(client_reply(c), 503, "ServiceUnavailableException");
	c = begin("POST", "/@disconnects?all=true");
	fake_store_dead_letters(ERR_DOWN, NULL, 0, 0);
	expect_error(client_reply(c), 503, "ServiceUnavailableException");
}

/* ---- clients that hang up, and the end ---- */

Test(disconnects, a_client_may_hang_up_while_the_store_is_asked)
{
	struct disconnect ds[] = {one(1), one(2)};
	struct client *c;

	client_leave(begin("GET", "/@disconnects"));
	fake_store_dead_letters(OK, ds, 2, 0);
	client_leave(begin("POST", ONE));
	fake_store_done(ASKS_RETRY, OK);
	client_leave(begin("DELETE", ONE));
	fake_store_done(ASKS_DROP, ERR_DOWN);
	client_leave(begin("POST", "/@disconnects?all=true"));
	fake_store_dead_letters(OK, ds, 2, 0);
	cr_assert_eq(fake_store.answered, fake_store.n, "nothing is done for nobody");
	c = begin("POST", "/@disconnects?all=true");
	fake_store_dead_letters(OK, ds, 2, 0);
	fake_store_done(ASKS_RETRY, OK);
	client_leave(c);
	fake_store_done(ASKS_RETRY, OK);
	cr_assert_eq(metric_of("management_requests "), 0);
}

Test(disconnects, the_api_may_be_freed_while_the_store_is_asked)
{
	struct disconnect d = one(1);
	struct client *c = begin("POST", "/@disconnects?all=true");

	fake_store_dead_letters(OK, &d, 1, 0);
	begin("GET", "/@disconnects");
	management_free(fixture.management);
	fixture.management = NULL;
	client_until_closed(c);
}
