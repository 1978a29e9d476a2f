#include "store/connections.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

TestSuite(connections, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

static struct connection_row a_row(const char *id)
{
	return (struct connection_row){
		.id = span_str(id),
		.edge = 7,
		.connected_at_ms = 1795343464512,
		.source_ip = span_str("10.0.0.7"),
		.user_agent = span_str("curl/8"),
		.domain_name = span_str("localhost:8080"),
		.stage = span_str("dev"),
	};
}

static enum err put(const char *id)
{
	struct done d = {.fixture = &fixture};
	struct connection_row row = a_row(id);

	store_connection_put(fixture.store, "boot-a", &row, on_done, &d);
	cr_assert(eq(int, d.calls, 0));
	return store_fixture_wait(&d);
}

static enum err remove_row(const char *id)
{
	struct done d = {.fixture = &fixture};

	store_connection_remove(fixture.store, 7, span_str(id), on_done, &d);
	return store_fixture_wait(&d);
}

struct found {
	int calls;
	enum err err;
	struct connection_row row;
	char stage[8], id[20], ip[20];
};

static void on_found(void *arg, enum err e, const struct connection_row *row)
{
	struct found *f = arg;

	f->calls++;
	f->err = e;
	cr_assert(eq(int, e == OK, row != NULL));
	if (row != NULL) {
		f->row = *row;
		snprintf(f->id, sizeof f->id, "%.*s", SPAN_ARG(row->id));
		snprintf(f->ip, sizeof f->ip, "%.*s", SPAN_ARG(row->source_ip));
		snprintf(f->stage, sizeof f->stage, "%.*s", SPAN_ARG(row->stage));
	}
	loop_stop(fixture.loop);
}

static struct found find(const char *id)
{
	struct found f = {0};

	store_connection_find(fixture.store, 7, span_str(id), on_found, &f);
	store_fixture_run(&fixture);
	cr_assert(eq(int, f.calls, 1));
	return f;
}

struct counted {
	enum err err;
	int64_t n;
};

static void on_count(void *arg, enum err e, int64_t n)
{
	*(struct counted *)arg = (struct counted){e, n};
	loop_stop(fixture.loop);
}

static int64_t count(uint16_t edge)
{
	struct counted c = {.err = ERR_AGAIN};

	store_connection_count(fixture.store, edge, on_count, &c);
	store_fixture_run(&fixture);
	cr_assert(eq(int, c.err, OK));
	return c.n;
}

Test(connections, row_that_was_put_is_found_by_its_id)
{
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), OK));

	struct found f = find("AAcAAAAAaaaaaaa=");

	cr_assert(eq(int, f.err, OK));
	cr_assert(eq(str, f.id, "AAcAAAAAaaaaaaa="));
	cr_assert(eq(u16, f.row.edge, 7));
	cr_assert(eq(i64, f.row.connected_at_ms, 1795343464512));
	cr_assert(eq(str, f.ip, "10.0.0.7"));
	cr_assert(eq(str, f.stage, "dev"));
}

Test(connections, row_is_json_that_people_can_read)
{
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), OK));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(
			     &fixture, "HGET t:{e7}:connections AAcAAAAAaaaaaaa="),
		     "{\"connectedAt\":1795343464512,\"sourceIp\":\"10.0.0.7\","
		     "\"userAgent\":\"curl/"
		     "8\",\"domainName\":\"localhost:8080\",\"stage\":\"dev\"}"));
}

Test(connections, row_that_nobody_put_is_not_found)
{
	cr_assert(eq(int, find("AAcAAAAAaaaaaaa=").err, ERR_NOTFOUND));
}

Test(connections, row_is_removed_by_one_only)
{
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), OK));
	cr_assert(eq(int, remove_row("AAcAAAAAaaaaaaa="), OK));
	cr_assert(eq(int, remove_row("AAcAAAAAaaaaaaa="), ERR_NOTFOUND));
	cr_assert(eq(i64, count(7), 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:connections"),
		     "0"));
}

Test(connections, are_counted_by_edge)
{
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), OK));
	cr_assert(eq(int, put("AAcAAAAAbbbbbbb="), OK));
	cr_assert(eq(i64, count(7), 2));
	cr_assert(eq(i64, count(8), 0));
}

enum { MANY = 2345 };

static char ids[MANY][32];

static enum err put_many(size_t n)
{
	static struct connection_row rows[MANY];
	struct done d = {.fixture = &fixture};

	for (size_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof ids[i], "AAcAAAAA%07zu=", i);
		rows[i] = a_row(ids[i]);
	}
	store_connection_put_many(fixture.store, 7, "boot-a", rows, n, on_done, &d);
	return store_fixture_wait(&d);
}

struct scanned {
	bool seen[MANY];
	size_t n, bare;
	uint64_t next;
	enum err err;
};

static void on_scan(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next)
{
	struct scanned *s = arg;

	s->err = e;
	s->next = next;
	for (size_t i = 0; i < n; i++) {
		char text[8] = "";
		size_t at;

		cr_assert(eq(sz, rows[i].id.n, 16));
		memcpy(text, rows[i].id.p + 8, 7);
		at = strtoul(text, NULL, 10);
		s->n += !s->seen[at];
		s->seen[at] = true;
		s->bare += rows[i].stage.n == 0;
		cr_assert(eq(u16, rows[i].edge, 7));
	}
	loop_stop(fixture.loop);
}

static int scan_all(struct scanned *s)
{
	int calls = 0;

	do {
		store_connection_scan(fixture.store, 7, s->next, on_scan, s);
		store_fixture_run(&fixture);
		cr_assert(eq(int, s->err, OK));
		calls++;
	} while (s->next != 0);
	return calls;
}

Test(connections, that_were_put_at_once_are_all_found_by_scanning)
{
	static struct scanned s;

	cr_assert(eq(int, put_many(MANY), OK));
	cr_assert(eq(i64, count(7), MANY));
	cr_assert(gt(int, scan_all(&s), 1));
	cr_assert(eq(sz, s.n, MANY));
	cr_assert(eq(sz, s.bare, 0));
}

Test(connections, of_a_number_that_is_anothers_or_was_reaped_are_not_put)
{
	store_fixture_redis(&fixture, "SET t:{e7}:owner boot-a");
	cr_assert(eq(int, put_many(600), OK));
	store_fixture_redis(&fixture, "DEL t:{e7}:connections");
	store_fixture_redis(&fixture, "SET t:{e7}:owner boot-b");
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), ERR_DENIED));
	store_fixture_redis(&fixture, "SET t:{e7}:owner reaped:boot-a");
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), ERR_DENIED));
	cr_assert(eq(int, put_many(600), ERR_DENIED));
	cr_assert(eq(int, put_many(0), ERR_DENIED));
	cr_assert(eq(i64, count(7), 0));
}

Test(connections, whose_disconnect_is_pending_are_left_out)
{
	cr_assert(eq(int, put_many(3), OK));
	store_fixture_redis(&fixture, "DEL t:{e7}:connections");
	store_fixture_redis(&fixture, "HSET t:{e7}:disconnects %s {}", ids[1]);
	cr_assert(eq(int, put_many(3), OK));
	cr_assert(eq(i64, count(7), 2));
	cr_assert(eq(int, find(ids[1]).err, ERR_NOTFOUND));
}

Test(connections, removal_takes_what_is_pending_with_it)
{
	store_fixture_redis(&fixture, "HSET t:{e7}:disconnects AAcAAAAAaaaaaaa= {}");
	store_fixture_redis(&fixture, "ZADD t:{e7}:due 1 AAcAAAAAaaaaaaa=");
	cr_assert(eq(int, remove_row("AAcAAAAAaaaaaaa="), OK));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture,
						 "EXISTS t:{e7}:disconnects t:{e7}:due"),
		     "0"));
	cr_assert(eq(int, remove_row("AAcAAAAAaaaaaaa="), ERR_NOTFOUND));
}

static enum err sweep(const char *a, const char *b, size_t n)
{
	struct done d = {.fixture = &fixture};

	store_connection_sweep(fixture.store, 7,
			       (struct span[]){span_str(a), span_str(b)}, n, on_done, &d);
	return store_fixture_wait(&d);
}

Test(connections, that_are_swept_are_gone_and_have_nothing_pending)
{
	cr_assert(eq(int, put_many(3), OK));
	cr_assert(eq(int, sweep(ids[0], "AAcAAAAAxxxxxxx=", 2), OK));
	cr_assert(eq(int, sweep("", "", 0), OK));
	cr_assert(eq(i64, count(7), 2));
	cr_assert(eq(int, find(ids[0]).err, ERR_NOTFOUND));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:disconnects"),
		     "0"));
}

Test(connections, scan_of_an_edge_without_rows_ends_at_once)
{
	static struct scanned s;

	cr_assert(eq(int, scan_all(&s), 1));
	cr_assert(eq(sz, s.n, 0));
}

Test(connections, none_at_all_can_be_put)
{
	cr_assert(eq(int, put_many(0), OK));
}

Test(connections, row_of_another_hand_is_malformed_alone_and_has_its_id_in_a_scan)
{
	static struct scanned s;

	cr_assert(eq(int, put_many(3), OK));
	store_fixture_redis(&fixture, "HSET t:{e7}:connections %s nonsense", ids[1]);
	cr_assert(eq(int, find(ids[1]).err, ERR_MALFORMED));
	cr_assert(eq(int, find(ids[2]).err, OK));
	scan_all(&s);
	cr_assert(eq(sz, s.n, 3));
	cr_assert(eq(sz, s.bare, 1));
}

Test(connections, key_of_another_type_is_malformed_for_every_question)
{
	struct counted c = {0};
	static struct scanned s;

	store_fixture_redis(&fixture, "SET t:{e7}:connections text");
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), ERR_MALFORMED));
	cr_assert(eq(int, put_many(1200), ERR_MALFORMED));
	cr_assert(eq(int, remove_row("AAcAAAAAaaaaaaa="), ERR_MALFORMED));
	cr_assert(eq(int, find("AAcAAAAAaaaaaaa=").err, ERR_MALFORMED));
	store_connection_count(fixture.store, 7, on_count, &c);
	store_fixture_run(&fixture);
	cr_assert(eq(int, c.err, ERR_MALFORMED));
	store_connection_scan(fixture.store, 7, 0, on_scan, &s);
	store_fixture_run(&fixture);
	cr_assert(eq(int, s.err, ERR_MALFORMED));
}

Test(connections, are_down_in_time_when_redis_freezes)
{
	redis_server_freeze(&fixture.server);
	cr_assert(eq(int, put("AAcAAAAAaaaaaaa="), ERR_DOWN));
	cr_assert(eq(int, find("AAcAAAAAaaaaaaa=").err, ERR_DOWN));
	cr_assert(eq(int, put_many(1200), ERR_DOWN));
	redis_server_thaw(&fixture.server);
}

static void never(void *arg, enum err e)
{
	(void)arg;
	(void)e;
	cr_fatal("called after store_free");
}

Test(connections, questions_in_flight_go_with_the_store)
{
	struct connection_row row = a_row("AAcAAAAAaaaaaaa=");

	store_connection_put(fixture.store, "boot-a", &row, never, NULL);
	store_connection_put_many(fixture.store, 7, "boot-a", &row, 1, never, NULL);
	store_free(fixture.store);
	fixture.store = NULL;
}
