/* Functions that are part of the broker: what the tutorial's handlers do, without them. */
#include "broker/function/function.h"

static const struct builtin {
	const char *handler;
	int status;
	const char *body; /* NULL: the message's own */
} builtins[] = {
	{"builtin:connect", 200, "Connect successful."},
	{"builtin:disconnect", 200, "Disconnect successful."},
	{"builtin:reject", 400,
	 "{\"statusCode\":400,\"body\":\"Unrecognized WebSocket action.\"}"},
	{"builtin:ping", 200, "PONG!"},
	{"builtin:echo", 200, NULL},
};

static void *open_builtin(struct broker *b, const struct function *f)
{
	(void)b;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].handler, f->config->handler) == 0)
			return (void *)(uintptr_t)&builtins[i];
	return NULL;
}

static void close_builtin(void *state)
{
	(void)state;
}

static void invoke(const struct function *f, struct call *c, enum event_form form,
		   result_fn *fn)
{
	static const struct call_header text = {"Content-Type",
						"text/plain; charset=utf-8"};
	const struct builtin *in = f->state;
	struct result r = {
		.kind = RESULT_OK,
		.status = in->status,
		.has_body = true,
		.binary = in->body == NULL && c->binary,
		.body = in->body != NULL ? span_str(in->body) : c->body,
		.headers = &text,
		.n_headers = c->kind == GATEPOST__EVENT__KIND__HTTP ? 1 : 0,
	};

	(void)form;
	fn(c, &r);
}

const struct integration integration_builtin = {
	.sort = CONFIG_BUILTIN,
	.open = open_builtin,
	.close = close_builtin,
	.invoke = invoke,
};
