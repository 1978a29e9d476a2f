#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(router, .init = start, .fini = fixture_fini, .timeout = 20);

static const char ID[] = "AAEAAAAMAAAAAAc="; /* edge 1, slot 12 */

/* What each path and method asks for. */
struct row {
	const char *method, *path, *body;
	int status; /* that it gets at once; 0: it waits for a command, or for the store */
	enum command_kind command;
	enum question_kind question;
};

#define COMMAND(kind)  0, kind, ASKS_NOTHING
#define QUESTION(kind) 0, COMMAND_NONE, kind

static const struct row rows[] = {
	{"POST", "/@connections/%s", "a", COMMAND(COMMAND_SEND)},
	{"GET", "/@connections/%s", "", COMMAND(COMMAND_LOOK)},
	{"DELETE", "/@connections/%s", "", COMMAND(COMMAND_CLOSE)},
	{"PUT", "/@connections/%s", "", 405, COMMAND_NONE, ASKS_NOTHING},
	{"HEAD", "/@connections/%s", "", 405, COMMAND_NONE, ASKS_NOTHING},
	{"POST", "/@connections",
	 "{\"connectionIds\":[\"AAEAAAAMAAAAAAc=\"],\"data\":\"a\"}",
	 COMMAND(COMMAND_SEND_MANY)},
	{"GET", "/@connections", "", QUESTION(ASKS_EDGES)},
	{"DELETE", "/@connections", "", 405, COMMAND_NONE, ASKS_NOTHING},
	{"GET", "/@disconnects", "", QUESTION(ASKS_DEAD_LETTERS)},
	{"POST", "/@disconnects?all=true", "", QUESTION(ASKS_DEAD_LETTERS)},
	{"DELETE", "/@disconnects?all=true", "", QUESTION(ASKS_DEAD_LETTERS)},
	{"PATCH", "/@disconnects", "", 405, COMMAND_NONE, ASKS_NOTHING},
	{"POST", "/@disconnects/%s", "", QUESTION(ASKS_RETRY)},
	{"DELETE", "/@disconnects/%s", "", QUESTION(ASKS_DROP)},
	{"GET", "/@disconnects/%s", "", 405, COMMAND_NONE, ASKS_NOTHING},
};

/* At this path, with form in front of it. */
static void expect_row(const struct row *row, const char *form)
{
	struct client *c = client_new();
	size_t commands = fake_commands.n, questions = fake_store.n;
	char path[200], target[300];

	snprintf(path, sizeof path, row->path, ID);
	snprintf(target, sizeof target, "%s%s", form, path);
	client_ask(c, row->method, target, "", row->body);
	if (row->status != 0) {
		/* The body of an answer to HEAD does not come. */
		if (strcmp(row->method, "HEAD") != 0)
			cr_assert_eq(client_reply(c)->status, row->status, "%s %s",
				     row->method, target);
	} else if (row->command != COMMAND_NONE) {
		fixture_until_commands(commands + 1);
		cr_assert_eq(fake_commands.all[commands].kind, row->command, "%s %s",
			     row->method, target);
	} else {
		fixture_until_questions(questions + 1);
		cr_assert_eq(fake_store.all[questions].kind, row->question, "%s %s",
			     row->method, target);
	}
	client_leave(c);
	evbuffer_free(c->got);
	fixture.n_clients--;
	cr_assert_eq(fake_commands.n - commands, row->command != COMMAND_NONE);
	cr_assert_eq(fake_store.n - questions, row->question != ASKS_NOTHING);
}

Test(router, each_method_of_each_path_reaches_its_resource)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_row(&rows[i], "");
}

Test(router, the_stage_and_scheme_and_host_may_be_in_front)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_row(&rows[i], i % 2 ? "/dev" : "http://localhost");
}

Test(router, a_method_that_a_path_does_not_have_is_405_with_those_that_it_has)
{
	static const struct {
		const char *path, *allow;
	} paths[] = {
		{"/@connections/AAEAAAAMAAAAAAc=", "Allow: GET, POST, DELETE"},
		{"/@connections", "Allow: GET, POST"},
		{"/@disconnects/AAEAAAAMAAAAAAc=", "Allow: POST, DELETE"},
		{"/@disconnects", "Allow: GET, POST, DELETE"},
	};

	for (size_t i = 0; i < 4; i++) {
		const struct reply *r = ask("PUT", paths[i].path, "");

		expect_error(r, 405, "MethodNotAllowedException");
		cr_assert(reply_has(r, paths[i].allow), "%s", r->head);
	}
}

Test(router, another_path_is_404_and_another_stage_403)
{
	static const char *const unknown[] = {"/x",   "/@connection", "/@connectionsx",
					      "/dev", "/dev/x",       "/@disconnects2"};
	static const char *const denied[] = {
		"/prod/@connections",
		"/prod/@connections/AAEAAAAMAAAAAAc=", "/a/b/%40disconnects",
		"/dev/dev/@connections"};

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		expect_error(ask("GET", unknown[i], ""), 404, "NotFoundException");
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		expect_error(ask("GET", denied[i], ""), 403, "ForbiddenException");
}

Test(router, an_id_may_be_escaped_and_one_that_is_none_is_400)
{
	static const char *const wrong[] = {
		"/@connections/x",
		"/@connections/AAEAAAAMAAAAAAc",
		"/@connections/AAEAAAAMAAAAAAc=/",
		"/@connections/AAEAAAAMAAAAAAc%3",
		"/@connections/%00",
		"/@connections/",
		"/@disconnects/AAEAAAAMAAAAAAc==",
	};
	struct client *c = client_new();
	struct id id;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		expect_error(ask("POST", wrong[i], ""), 400, "BadRequestException");
	cr_assert_eq(fake_commands.n + fake_store.n, 0);
	client_ask(c, "POST", "/%40connections/%41AEAAAAMAAAAAAc%3D", "", "a");
	fixture_until_commands(1);
	cr_assert_eq(id_parse(span_str(ID), &id), OK);
	cr_assert(id_eq(&fake_commands.all[0].id, &id));
}

Test(router, a_query_that_cannot_be_read_is_400_and_nothing_is_done)
{
	static const char *const wrong[] = {"code", "=1", "code=%4", "a=%00", "a=1&b"};
	char target[100];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(target, sizeof target, "/@connections/%s?%s", ID, wrong[i]);
		expect_error(ask("DELETE", target, ""), 400, "BadRequestException");
	}
	cr_assert_eq(fake_commands.n, 0);
}

Test(router, while_the_memory_is_used_up_requests_about_many_are_503_and_others_served)
{
	static char text[2 << 20];
	struct connection_row row = {.id = span_str(ID), .edge = 1};
	struct client *c = client_new();

	memset(text, 'a', sizeof text - 1);
	row.user_agent = span_str(text);
	client_ask(c, "GET", "/@connections", "", "");
	fixture_until_questions(1);
	fake_store_edges(OK, (const uint16_t[]){1}, 1);
	fake_store_count(OK, 1);
	fake_store_rows(OK, &row, 1, 5);
	cr_assert_eq(fake_store_next(ASKS_ROWS)->cursor, 5,
		     "a page that is alone goes on");
	expect_error(ask("GET", "/@connections", ""), 503, "ServiceUnavailableException");
	expect_error(ask("GET", "/@disconnects", ""), 503, "ServiceUnavailableException");
	cr_assert_eq(metric_of("management_refused_total{why=\"memory\"} "), 2);
	client_ask(client_new(), "GET", "/@connections/AAEAAAAMAAAAAAc=", "", "");
	fixture_until_commands(1);
}
