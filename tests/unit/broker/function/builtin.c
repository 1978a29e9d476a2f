#include "broker/function/builtin.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct {
	size_t calls;
	int status;
	bool binary, is_same;
	size_t n_headers;
	char body[80];
} got;

static void on_result(void *arg, const struct result *r)
{
	const struct invocation *in = arg;

	cr_assert(eq(int, r->kind, RESULT_OK));
	got.calls++;
	got.status = r->status;
	got.binary = r->binary;
	got.is_same = r->body.p == in->body.p;
	got.n_headers = r->n_headers;
	snprintf(got.body, sizeof got.body, "%.*s", SPAN_ARG(r->body));
}

static void run(const char *handler, struct invocation *in)
{
	struct config_function config = {.handler = (char *)(uintptr_t)handler};
	struct integration all = builtin_integration();
	void *state = all.open(all.arg, &config);

	cr_assert(state != NULL);
	all.invoke(state, &config, in, EVENT_PROXY, on_result, in);
	all.close(state);
	cr_assert(eq(sz, got.calls, 1));
}

Test(builtin, echo_returns_the_message_itself_and_its_type)
{
	struct invocation in = {.kind = GATEPOST__EVENT__KIND__MESSAGE,
				.body = span_str("hello"),
				.binary = true};

	run("builtin:echo", &in);
	cr_assert(got.is_same, "without a copy");
	cr_assert(got.binary);
	cr_assert(eq(sz, got.n_headers, 0));
}

Test(builtin, a_fixed_text_is_text_also_for_a_binary_message)
{
	struct invocation in = {.kind = GATEPOST__EVENT__KIND__MESSAGE,
				.body = span_str("hello"),
				.binary = true};

	run("builtin:ping", &in);
	cr_assert(eq(str, got.body, "PONG!"));
	cr_assert(not(got.binary));
}

Test(builtin, a_plain_request_gets_a_content_type)
{
	struct invocation in = {.kind = GATEPOST__EVENT__KIND__HTTP};

	run("builtin:ping", &in);
	cr_assert(eq(sz, got.n_headers, 1));
}

Test(builtin, reject_is_400)
{
	struct invocation in = {.kind = GATEPOST__EVENT__KIND__MESSAGE};

	run("builtin:reject", &in);
	cr_assert(eq(int, got.status, 400));
}

Test(builtin, an_unknown_handler_is_not_opened)
{
	struct config_function config = {.handler = (char *)(uintptr_t) "builtin:none"};
	struct integration all = builtin_integration();

	cr_assert(all.open(all.arg, &config) == NULL);
}
