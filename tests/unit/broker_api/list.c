#include "broker/api/list.h"

#include "fixture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(list, .init = start, .fini = fixture_fini, .timeout = 20);

static struct client *get(const char *query)
{
	struct client *c = client_new();
	char *target = xasprintf("/@connections%s", query);
	size_t n = fake_store.n;

	client_ask(c, "GET", target, "", "");
	fixture_until_questions(n + 1);
	free(target);
	return c;
}

static struct connection_row row(uint16_t edge, uint32_t slot)
{
	return (struct connection_row){.id = span_str(id_of(edge, slot)),
				       .edge = edge,
				       .connected_at_ms = 1795343464512,
				       .source_ip = span_str("10.0.0.7"),
				       .user_agent = span_str("a\"b"),
				       .domain_name = span_str("chat.example"),
				       .stage = span_str("dev")};
}

/* Edges 1 and 2, of so many rows. */
static void answer_counts(int64_t one, int64_t two)
{
	fake_store_edges(OK, (const uint16_t[]){1, 2}, 2);
	fake_store_count(OK, one);
	fake_store_count(OK, two);
}

/* Of which ids, by the place of each in the body; they must stand in this order. */
static void expect_ids(const struct reply *r, size_t n, const char *const ids[])
{
	const char *at = r->body;
	size_t found = 0;

	cr_assert_eq(r->status, 200, "%s", r->body);
	for (const char *p = at; (p = strstr(p, "\"connectionId\"")) != NULL; p++)
		found++;
	cr_assert_eq(found, n, "%s", r->body);
	for (size_t i = 0; i < n; i++) {
		at = strstr(at, ids[i]);
		cr_assert_not_null(at, "%s in %s", ids[i], r->body);
	}
}

Test(list, it_has_the_rows_of_all_edges_in_order_and_each_once)
{
	const char *const ids[] = {id_of(1, 3), id_of(1, 4), id_of(2, 1)};
	struct client *c = get("");
	struct connection_row rows[] = {row(1, 4), row(1, 3), row(1, 4)};
	const struct reply *r;

	answer_counts(2, 1);
	cr_assert_eq(fake_store_next(ASKS_ROWS)->edge, 1);
	fake_store_rows(OK, rows, 2, 77);
	cr_assert_eq(fake_store_next(ASKS_ROWS)->cursor, 77);
	fake_store_rows(OK, rows + 2, 1, 0);
	cr_assert_eq(fake_store_next(ASKS_ROWS)->edge, 2);
	rows[0] = row(2, 1);
	fake_store_rows(OK, rows, 1, 0);
	r = client_reply(c);
	expect_ids(r, 3, ids);
	cr_assert(strncmp(r->body, "{\"count\":3,", 11) == 0, "%s", r->body);
	cr_assert_null(strstr(r->body, "\"cursor\""));
	cr_assert_not_null(strstr(r->body, "\"connectedAt\":\"2026-11-22T10:31:04.512Z\","
					   "\"identity\":{\"sourceIp\":\"10.0.0.7\","
					   "\"userAgent\":\"a\\\"b\"},\"domainName\":"
					   "\"chat.example\",\"stage\":\"dev\"}"));
}

Test(list, a_page_has_the_smallest_ids_and_its_cursor_begins_the_next_one)
{
	const char *const ids[] = {id_of(1, 1), id_of(1, 2), id_of(1, 3), id_of(2, 1)};
	struct connection_row rows[] = {row(1, 3), row(1, 2), row(1, 1)}, two = row(2, 1);
	struct client *c = get("?limit=2");
	char *query = xasprintf("?limit=2&cursor=%s", ids[1]), *cursor;
	const struct reply *r;

	answer_counts(3, 1);
	fake_store_rows(OK, rows, 3, 0);
	r = client_reply(c);
	expect_ids(r, 2, ids);
	cursor = xasprintf("\"cursor\":\"%s\"", ids[1]);
	cr_assert_not_null(strstr(r->body, cursor), "%s", r->body);
	c = get(query);
	answer_counts(3, 1);
	fake_store_rows(OK, rows, 3, 0);
	fake_store_rows(OK, &two, 1, 0);
	expect_ids(client_reply(c), 2, ids + 2);
	free(cursor);
	free(query);
}

Test(list, a_cursor_of_a_later_edge_leaves_out_those_before)
{
	char *query = xasprintf("?cursor=%s", id_of(2, 0));
	const char *id = id_of(2, 1);
	struct client *c = get(query);
	struct connection_row two = row(2, 1);

	answer_counts(9, 1);
	cr_assert_eq(fake_store_next(ASKS_ROWS)->edge, 2);
	fake_store_rows(OK, &two, 1, 0);
	expect_ids(client_reply(c), 1, &id);
	free(query);
}

Test(list, with_limit_0_it_counts_and_reads_no_rows)
{
	struct client *c = get("?limit=0");

	answer_counts(3, 4);
	cr_assert_str_eq(client_reply(c)->body, "{\"count\":7,\"connections\":[]}\n");
	c = get("");
	fake_store_edges(OK, NULL, 0);
	cr_assert_str_eq(client_reply(c)->body, "{\"count\":0,\"connections\":[]}\n");
}

Test(list, a_foreign_row_is_left_out)
{
	const char *id = id_of(1, 1);
	struct connection_row rows[] = {row(1, 1), row(1, 2)};
	struct client *c = get("");

	rows[1].id = span_str("not an id of ours");
	answer_counts(2, 0);
	fake_store_rows(OK, rows, 2, 0);
	fake_store_rows(OK, NULL, 0, 0);
	expect_ids(client_reply(c), 1, &id);
}

Test(list, a_limit_or_cursor_that_is_none_is_400)
{
	static const char *const wrong[] = {
		"?limit=x",  "?limit=",  "?limit=-1", "?limit=10001",
		"?limit=1x", "?cursor=", "?cursor=x", "?limit=1&cursor=5"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char *target = xasprintf("/@connections%s", wrong[i]);

		expect_error(ask("GET", target, ""), 400, "BadRequestException");
		free(target);
	}
	cr_assert_eq(fake_store.n, 0);
}

/* ---- the store fails, or the client goes, at each step ---- */

enum { STEPS = 5 };

/* Answer the question of this step so, if it is the one at which it fails. */
static bool go_to(int step)
{
	struct connection_row rows[] = {row(1, 1), row(1, 2)};

	if (step > 0)
		fake_store_edges(OK, (const uint16_t[]){1, 2}, 2);
	if (step > 1)
		fake_store_count(OK, 2);
	if (step > 2)
		fake_store_count(OK, 1);
	if (step > 3)
		fake_store_rows(OK, rows, 2, 5);
	return step > 3;
}

static void end_step(int step, enum err e)
{
	if (step == 0)
		fake_store_edges(e, NULL, 0);
	else if (step == 1 || step == 2)
		fake_store_count(e, 0);
	else
		fake_store_rows(e, NULL, 0, 0);
	if (step == 1) /* the other edge is counted nevertheless */
		fake_store_count(OK, 1);
}

Test(list, it_is_503_at_whatever_step_the_store_fails)
{
	for (int step = 0; step < STEPS; step++) {
		struct client *c = get("");

		go_to(step);
		end_step(step, ERR_DOWN);
		expect_error(client_reply(c), 503, "ServiceUnavailableException");
		cr_assert_eq(fake_store.answered, fake_store.n);
		cr_assert_eq(metric_of("management_bytes "), 0);
	}
}

Test(list, a_client_may_hang_up_at_whatever_step)
{
	for (int step = 0; step < STEPS; step++)
		for (int fails = 0; fails < 2; fails++) {
			struct client *c = get("");
			bool holds = go_to(step);

			cr_assert_eq(metric_of("management_bytes ") > 100, holds);
			client_leave(c);
			cr_assert_eq(metric_of("management_requests "), 0);
			cr_assert_eq(metric_of("management_bytes "), 0);
			end_step(step, fails ? ERR_DOWN : OK);
			cr_assert_eq(fake_store.answered, fake_store.n,
				     "nothing more is asked for nobody");
			evbuffer_free(c->got);
			fixture.n_clients--;
		}
}

Test(list, the_api_may_be_freed_at_whatever_step)
{
	for (int step = 0; step < STEPS; step++) {
		struct client *c = get("");

		go_to(step);
		management_free(fixture.management);
		client_until_closed(c);
		fake_store.answered = fake_store.n;
		fixture.management = NULL;
		if (step < STEPS - 1)
			fixture_start();
	}
}

/* ---- memory ---- */

Test(list, a_page_is_503_when_another_holds_more_than_the_memory)
{
	static char text[1100000];
	struct client *a = get(""), *b = get("");
	struct connection_row one = row(1, 1);

	memset(text, 'a', sizeof text - 1);
	one.user_agent = span_str(text);
	for (int i = 0; i < 2; i++)
		fake_store_edges(OK, (const uint16_t[]){1}, 1);
	for (int i = 0; i < 2; i++)
		fake_store_count(OK, 1);
	fake_store_rows(OK, &one, 1, 5);
	fake_store_rows(OK, &one, 1, 5);
	expect_error(client_reply(b), 503, "ServiceUnavailableException");
	cr_assert_eq(metric_of("management_refused_total{why=\"memory\"} "), 1);
	fake_store_rows(ERR_DOWN, NULL, 0, 0);
	expect_error(client_reply(a), 503, "ServiceUnavailableException");
	cr_assert_eq(metric_of("management_bytes "), 0);
}
