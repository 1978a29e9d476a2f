#include "broker/function/function.h"

#include "broker/function/builtin.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct config_function config;
static struct integration integrations[INTEGRATIONS];

/* Open a function with this handler. */
static enum err open_one(const char *handler, struct function *f)
{
	config = (struct config_function){
		.name = (char *)"f",
		.handler = (char *)(uintptr_t)handler,
		.sort = CONFIG_BUILTIN,
	};
	integrations[CONFIG_BUILTIN] = builtin_integration();
	return function_open(integrations, &config, f);
}

static const char *const names[] = {"connect", "disconnect", "reject", "ping", "echo"};

Test(function, every_built_in_handler_is_found)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char handler[32];
		struct function f;

		snprintf(handler, sizeof handler, "builtin:%s", names[i]);
		cr_assert(eq(int, open_one(handler, &f), OK), "%s", handler);
		cr_assert(f.integration == &integrations[CONFIG_BUILTIN]);
		cr_assert(f.config == &config);
		function_close(&f);
	}
}

static void refuse(const char *handler)
{
	struct function f;

	cr_assert(eq(int, open_one(handler, &f), ERR_NOTFOUND), "%s", handler);
	function_close(&f);
}

Test(function, an_unknown_handler_is_not_found)
{
	refuse("builtin:nope");
	refuse("builtin:");
	refuse("builtin:echo ");
	refuse("builtin");
	refuse("Builtin:echo");
}

/* The invocation's result, copied. */
static int status;
static bool binary;
static char body[128];

static void on_result(void *arg, const struct result *r)
{
	(void)arg;
	status = r->status;
	binary = r->binary;
	snprintf(body, sizeof body, "%.*s", SPAN_ARG(r->body));
}

static void invoke(const char *handler, const struct invocation *in)
{
	struct function f;

	cr_assert(eq(int, open_one(handler, &f), OK));
	function_invoke(&f, in, EVENT_PROXY, on_result, NULL);
	function_close(&f);
}

/* As the tutorial's handlers answer. */
Test(function, the_built_in_ones_answer_as_the_tutorial_does)
{
	struct invocation in = {.body = span_str("not looked at"), .binary = true};

	invoke("builtin:connect", &in);
	cr_assert(eq(int, status, 200));
	cr_assert(eq(str, body, "Connect successful."));
	invoke("builtin:disconnect", &in);
	cr_assert(eq(int, status, 200));
	cr_assert(eq(str, body, "Disconnect successful."));
	invoke("builtin:reject", &in);
	cr_assert(eq(int, status, 400));
	cr_assert(eq(str, body,
		     "{\"statusCode\":400,\"body\":\"Unrecognized WebSocket action.\"}"));
	invoke("builtin:ping", &in);
	cr_assert(eq(int, status, 200));
	cr_assert(eq(str, body, "PONG!"));
	cr_assert(not(binary));
}

Test(function, echo_gives_the_same_bytes_of_the_same_kind)
{
	struct invocation in = {.body = span_str("{ \"a\" : 1 }"), .binary = false};

	invoke("builtin:echo", &in);
	cr_assert(eq(int, status, 200));
	cr_assert(eq(str, body, "{ \"a\" : 1 }"));
	cr_assert(not(binary));
	in.binary = true;
	invoke("builtin:echo", &in);
	cr_assert(binary);
}
