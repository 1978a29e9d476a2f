#include "broker/api/answer.h"

#include "fixture.h"

#include <criterion/criterion.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(answer, .init = start, .fini = fixture_fini, .timeout = 20);

static const char ONE[] = "/@connections/AAEAAAAMAAAAAAc=";

/* The reply to a look whose command ends so. */
static const struct reply *reply_to(enum err e)
{
	struct client *c = client_new();
	size_t n = fake_commands.n;

	client_ask(c, "GET", ONE, "", "");
	fixture_until_commands(n + 1);
	fake_commands_end(n, e, NULL);
	return client_reply(c);
}

Test(answer, what_became_of_a_command_is_410_429_or_503)
{
	expect_error(reply_to(ERR_NOTFOUND), 410, "GoneException");
	expect_error(reply_to(ERR_BUSY), 429, "LimitExceededException");
	expect_error(reply_to(ERR_DOWN), 503, "ServiceUnavailableException");
}

Test(answer, a_message_is_escaped)
{
	const struct reply *r = ask("GET", "/@connections/%22%0a%5c", "");

	expect_error(r, 400, "BadRequestException");
	cr_assert_str_eq(r->body, "{\"message\":\"Invalid connectionId: \\\"\\n\\\\\"}");
}

Test(answer, an_error_does_not_end_the_connection)
{
	struct client *c = client_new();

	client_ask(c, "PUT", ONE, "", "");
	expect_error(client_reply(c), 405, "MethodNotAllowedException");
	client_ask(c, "GET", "/x", "", "");
	expect_error(client_reply(c), 404, "NotFoundException");
}

Test(answer, each_status_of_the_server_has_the_class_that_an_sdk_knows)
{
	static const struct {
		int status;
		const char *type;
	} rows[] = {
		{400, "BadRequestException"},         {408, "RequestTimeoutException"},
		{413, "PayloadTooLargeException"},    {414, "BadRequestException"},
		{431, "BadRequestException"},         {501, "NotImplementedException"},
		{503, "ServiceUnavailableException"}, {505, "BadRequestException"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_str_eq(answer_type(rows[i].status), rows[i].type);
}
