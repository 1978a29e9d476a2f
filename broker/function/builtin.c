/* Functions that are part of the broker: they return what the tutorial's handlers return. */
#include "broker/function/builtin.h"

#include "broker/function/demo.h"

static const struct builtin {
	const char *handler;
	int status;
	const char *body; /* NULL: the message's own, and the demo's page */
} builtins[] = {
	{"builtin:connect", 200, "Connect successful."},
	{"builtin:disconnect", 200, "Disconnect successful."},
	{"builtin:reject", 400,
	 "{\"statusCode\":400,\"body\":\"Unrecognized WebSocket action.\"}"},
	{"builtin:ping", 200, "PONG!"},
	{"builtin:echo", 200, NULL},
	{"builtin:demo", 200, NULL},
	{BUILTIN_CHANNELS, 400, "Not an action on channels."},
};

static void *open_builtin(void *arg, const struct config_function *config)
{
	(void)arg;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].handler, config->handler) == 0)
			return (void *)(uintptr_t)&builtins[i];
	return NULL;
}

static void close_builtin(void *state)
{
	(void)state;
}

static void invoke(void *state, const struct config_function *config,
		   const struct invocation *in, enum event_form form, result_fn *fn,
		   void *arg)
{
	static const struct result_header text = {"Content-Type",
						  "text/plain; charset=utf-8"};
	const struct builtin *b = state;
	struct result r = {
		.kind = RESULT_OK,
		.status = b->status,
		.has_body = true,
		.binary = b->body == NULL && in->binary,
		.body = b->body != NULL ? span_str(b->body) : in->body,
		.headers = &text,
		.n_headers = in->kind == GATEPOST__EVENT__KIND__HTTP ? 1 : 0,
	};

	(void)config;
	(void)form;
	if (strcmp(b->handler, "builtin:demo") == 0)
		demo_invoke(in, fn, arg);
	else
		fn(arg, &r);
}

struct integration builtin_integration(void)
{
	return (struct integration){open_builtin, close_builtin, invoke, NULL};
}
