/*
 * The demo's steps, in the order of happening. A step prints what goes out (→) and what
 * comes back (←), and is false, after a line that begins with ✗, when that is wrong.
 */
#include "cli/up/demo.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/up/home.h"
#include "cli/client/http_client.h"
#include "cli/up/table.h"
#include "cli/client/ws_client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, SETTLE_MS = 5000, POLL_MS = 20 };

struct demo {
	const struct demo_plan *plan;
	struct table *table;
	struct ws_client *client;
	char *user_agent; /* ours alone: by it the demo finds its row */
	char id[TABLE_ID];
	const struct child *home;
	char *connection_url; /* at the broker that is not the home */
};

static const char unasked[] = "client ←";

struct step {
	const char *title;
	bool (*run)(struct demo *d);
};

static bool ping(struct demo *d);
static bool rows_before(struct demo *d);
static bool connect_client(struct demo *d);
static bool message_by_route(struct demo *d);
static bool message_without_route(struct demo *d);
static bool push_by_id(struct demo *d);
static bool look_by_id(struct demo *d);
static bool close_by_id(struct demo *d);
static bool push_to_gone(struct demo *d);
static bool rows_after(struct demo *d);

static const struct step steps[] = {
	{"HTTP request", ping},
	{"Rows in Redis before", rows_before},
	{"Connect", connect_client},
	{"Messages by route", message_by_route},
	{"A message without a route", message_without_route},
	{"Push by id", push_by_id},
	{"Get the connection by id", look_by_id},
	{"Close it by id", close_by_id},
	{"Push to it again", push_to_gone},
	{"Rows in Redis after", rows_after},
};

enum { STEPS = sizeof steps / sizeof *steps };

int demo_run(const struct demo_plan *plan)
{
	struct demo d = {.plan = plan};
	size_t i = 0;

	d.user_agent =
		xasprintf("gatepost-demo/%d-%" PRId64, (int)getpid(), clock_wall_ms());
	while (i < STEPS) {
		printf("\n%zu. %s\n", i + 1, steps[i].title);
		bool right = steps[i].run(&d);
		fflush(stdout);
		if (!right)
			break;
		i++;
	}
	if (i == STEPS)
		printf("\nAll %d steps succeeded.\n", (int)STEPS);
	else
		printf("\nThe demo failed in step %zu: %s\n", i + 1, steps[i].title);
	fflush(stdout);

	ws_client_free(d.client);
	table_close(d.table);
	free(d.connection_url);
	free(d.user_agent);
	return i == STEPS ? 0 : 1;
}

/* Lines of the transcript. */

static void say(const char *mark, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const char *mark, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("   %s ", mark);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

/* True; or false after a line with the expected result. */
static bool check(bool right, const char *expected)
{
	if (!right)
		say("✗", "expected: %s", expected);
	return right;
}

static void a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
}

/* Print and check one request; body is NULL or the expected response. */
static bool request(const char *method, const char *url, const char *payload, long status,
		    const char *body)
{
	struct http_reply r;
	bool answered;
	char *expected = xasprintf("%ld %s", status, body ? body : "");

	say("→", "%s %s%s%s", method, url, payload ? "   " : "", payload ? payload : "");
	answered = http_call(method, url, payload, &r) == OK;
	if (answered)
		say("←", r.n ? "%ld %s" : "%ld", r.status, r.body);
	else
		say("←", "no answer");

	bool right =
		check(answered && r.status == status && (!body || !strcmp(r.body, body)),
		      expected);
	http_reply_free(&r);
	free(expected);
	return right;
}

/* The next message must be this text; mark is "←", or marks a push. */
static bool client_gets(struct demo *d, const char *mark, const char *text)
{
	struct ws_message m;
	enum err e = ws_client_take(d->client, &m);

	if (e != OK)
		say(mark, "no message (%s)", err_name(e));
	else if (m.kind == WS_CLOSE)
		say(mark, "close %u %.*s", m.close_code, SPAN_ARG(m.body));
	else
		say(mark, "%.*s", SPAN_ARG(m.body));
	return check(e == OK && m.kind == WS_TEXT && span_is(m.body, text), text);
}

static bool exchange(struct demo *d, const char *out, const char *in)
{
	say("→", "%s", out);
	enum err e = ws_client_send(d->client, WS_TEXT, span_str(out));

	return check(e == OK, "the message is sent") && client_gets(d, "←", in);
}

/* The steps. */

static bool ping(struct demo *d)
{
	const struct endpoints *e = d->plan->endpoints;
	char *url = xasprintf("%s/%s/ping", e->http, e->stage);
	bool right = request("GET", url, NULL, 200, "PONG!");

	free(url);
	return right;
}

static bool count_rows(struct demo *d)
{
	int64_t n;

	if (table_count(d->table, &n) != OK)
		return check(false, "a reply from Redis");
	say("=", "%" PRId64 "%s", n, n == 1 ? " row" : " rows");
	return true;
}

static bool rows_before(struct demo *d)
{
	d->table = table_open(d->plan->endpoints->redis, d->plan->prefix);
	return check(d->table != NULL, "Redis is reachable") && count_rows(d);
}

/* Wait until our row is there, or is not. */
static enum err wait_for_row(struct demo *d, enum err wanted, char **row)
{
	int64_t deadline = clock_ms() + SETTLE_MS;
	enum err e = table_find(d->table, d->user_agent, d->id, row);

	while (e != wanted && clock_ms() < deadline) {
		free(*row);
		a_moment();
		e = table_find(d->table, d->user_agent, d->id, row);
	}
	return e;
}

static bool connect_client(struct demo *d)
{
	int status;
	char *row;

	say("→", "%s", d->plan->endpoints->websocket);
	d->client = ws_client_open(d->plan->endpoints->websocket, d->user_agent,
				   TIMEOUT_MS, &status);
	say("←", "%d%s", status, status == 101 ? " Switching Protocols" : "");
	if (!check(d->client != NULL, "101 and a valid handshake"))
		return false;

	bool found = wait_for_row(d, OK, &row) == OK;
	if (found)
		say("=", "row %s %s", d->id, row);
	free(row);
	return check(found, "a row for the connection");
}

static bool message_by_route(struct demo *d)
{
	static const char hello[] = "{\"action\":\"echo\",\"text\":\"hello\"}";
	struct home_counts before;

	home_count(d->plan->supervisor, &before);
	if (!exchange(d, hello, hello) || !exchange(d, "{\"action\":\"ping\"}", "PONG!"))
		return false;
	d->home = home_find(d->plan->supervisor, &before);
	if (d->home)
		say("=", "handled by %s, the owner of this connection's lane",
		    d->home->name);
	return check(d->home != NULL, "a broker that has counted the messages");
}

static bool message_without_route(struct demo *d)
{
	static const char text[] = "{\"action\":\"nobody-takes-this\"}";

	return exchange(d, text,
			d->plan->echoes ? text
					: "{\"statusCode\":400,\"body\":"
					  "\"Unrecognized WebSocket action.\"}");
}

static bool push_by_id(struct demo *d)
{
	static const char text[] = "pushed by id";
	const struct child *other = home_other(d->plan->supervisor, d->home);

	if (other == d->home)
		say("=", "through %s: there is no other broker", other->name);
	else
		say("=", "through %s, which is not the lane owner", other->name);

	char *base = ready_management(other);
	if (!check(base != NULL, "a management address of its own"))
		return false;
	d->connection_url = xasprintf("%s/@connections/%s", base, d->id);
	free(base);
	return request("POST", d->connection_url, text, 200, NULL) &&
	       client_gets(d, unasked, text);
}

static bool look_by_id(struct demo *d)
{
	return request("GET", d->connection_url, NULL, 200, NULL);
}

static bool close_by_id(struct demo *d)
{
	struct ws_message m;

	if (!request("DELETE", d->connection_url, NULL, 204, NULL))
		return false;

	bool closed = ws_client_take(d->client, &m) == OK && m.kind == WS_CLOSE;
	if (closed)
		say(unasked, "close %u %.*s", m.close_code, SPAN_ARG(m.body));
	return check(closed && m.close_code == 1000, "close 1000");
}

static bool push_to_gone(struct demo *d)
{
	return request("POST", d->connection_url, "too late", 410, NULL);
}

static bool rows_after(struct demo *d)
{
	char *row;
	enum err e = wait_for_row(d, ERR_NOTFOUND, &row);

	free(row);
	return check(e == ERR_NOTFOUND, "no row of the connection") && count_rows(d);
}
