/*
 * Functions that workers poll for: the Lambda Runtime API (runtime.h).
 *
 * A function that has the same name and handler in a new configuration keeps its address,
 * so that its workers go on. A connect or a disconnect whose worker dies is given to a
 * second one, once: nobody has been answered yet, and the event and its requestId are the
 * same. A message is not: its function may have acted on it, and the client is told.
 */
#include "broker/function/lambda.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/payload/event.h"
#include "broker/function/route.h"
#include "broker/runtime/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <systemd/sd-daemon.h>

enum { PORT_MOST = 65535, ARN_TEXT = 512 };

struct lambda {
	TAILQ_ENTRY(lambda) next;
	struct broker *broker;
	struct runtime *runtime;
	char *name, *handler;
	unsigned refs;
	int port; /* asked for; 0: any */
	LIST_HEAD(, pending) pending;
};

/* An invocation's two ends: the call, and who wants to know. */
struct pending {
	LIST_ENTRY(pending) next;
	struct call *call;
	enum event_form form;
	result_fn *fn;
};

/* Of this process; a new configuration finds those of the old one here. */
static TAILQ_HEAD(, lambda) all = TAILQ_HEAD_INITIALIZER(all);

static void on_end(void *arg, const struct result *r);

/* With a port in --runtime-address, functions have that and the ones after it, in their order. */
static int next_port(int first)
{
	struct lambda *l;
	int port = first;

	if (first == 0)
		return 0;
	TAILQ_FOREACH(l, &all, next)
	if (l->port >= port)
		port = l->port + 1;
	return port;
}

/* "127.0.0.1" or "127.0.0.1:9001". */
static char *address_for(const char *setting, int *port)
{
	const char *colon = strrchr(setting, ':');

	*port = 0;
	if (colon == NULL)
		return xasprintf("%s:0", setting);
	if (colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return xstrdup(setting); /* no port: refused with these words */
	*port = next_port(atoi(colon + 1));
	return xasprintf("%.*s:%d", (int)(colon - setting), setting, *port);
}

static struct runtime *listen_for(struct broker *b, const char *function, int *port)
{
	char *address = address_for(b->conf.runtime_address, port);
	struct runtime *r = runtime_new(b->loop, b->metrics,
					&(struct runtime_conf){
						.function = function,
						.address = address,
						.queue = b->conf.runtime_queue,
						.wait_ms = b->conf.runtime_wait_ms,
					});

	free(address);
	return r;
}

static struct lambda *find(const struct broker *b, const struct config_function *f)
{
	struct lambda *l;

	TAILQ_FOREACH(l, &all, next)
	if (l->broker == b && strcmp(l->name, f->name) == 0 &&
	    strcmp(l->handler, f->handler) == 0)
		return l;
	return NULL;
}

static void *open_lambda(struct broker *b, const struct function *f)
{
	struct lambda *l = find(b, f->config);
	struct runtime *r;
	int port;

	if (l != NULL) {
		l->refs++;
		return l;
	}
	r = listen_for(b, f->config->name, &port);
	if (r == NULL)
		return NULL;
	l = xcalloc(1, sizeof *l);
	*l = (struct lambda){
		.broker = b,
		.runtime = r,
		.name = xstrdup(f->config->name),
		.handler = xstrdup(f->config->handler),
		.refs = 1,
		.port = port,
	};
	LIST_INIT(&l->pending);
	TAILQ_INSERT_TAIL(&all, l, next);
	return l;
}

/* What is pending now has no call any more: a call holds the configuration it began with. */
static void close_lambda(void *state)
{
	struct lambda *l = state;
	struct pending *p;

	if (--l->refs > 0)
		return;
	TAILQ_REMOVE(&all, l, next);
	while ((p = LIST_FIRST(&l->pending)) != NULL) {
		LIST_REMOVE(p, next);
		free(p);
	}
	runtime_free(l->runtime);
	free(l->name);
	free(l->handler);
	free(l);
}

static void invoke(const struct function *f, struct call *c, enum event_form form,
		   result_fn *fn)
{
	struct lambda *l = f->state;
	const struct config *config = routes_config(c->routes);
	bool message = c->kind == GATEPOST__EVENT__KIND__MESSAGE;
	bool bye = c->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	bool http = c->kind == GATEPOST__EVENT__KIND__HTTP;
	char id[ID_TEXT], arn[ARN_TEXT];
	struct blob *event = function_event(c, form);
	struct pending *p;

	if (event == NULL) {
		fn(c,
		   &(struct result){.kind = RESULT_FAILED,
				    .why = "the edge sent an event that cannot be read"});
		return;
	}
	snprintf(arn, sizeof arn, "arn:aws:lambda:%s:%s:function:%s-%s-%s",
		 config->region, l->broker->conf.account_id,
		 config->service ? config->service : "gatepost", config->stage, l->name);
	p = xmalloc(sizeof *p);
	*p = (struct pending){.call = c, .form = form, .fn = fn};
	LIST_INSERT_HEAD(&l->pending, p, next);
	runtime_invoke(
		l->runtime,
		&(struct runtime_request){
			.id = id_request(&c->id,
					 bye ? (uint64_t)ID_SEQ_DISCONNECT : c->seq, id),
			.client = id_span(&c->id),
			.arn = arn,
			.event = event,
			.timeout_ms = f->config->timeout_ms,
			.again = !message && !http,
		},
		on_end, p);
}

static void on_end(void *arg, const struct result *r)
{
	struct pending *ended = arg, p = *ended;
	struct result out = *r;
	struct event_result *parsed = NULL;

	LIST_REMOVE(ended, next);
	free(ended);
	if (r->kind == RESULT_OK && p.form == EVENT_PROXY)
		parsed = event_result_parse(p.call, r->payload, &out);
	out.payload = r->payload;
	p.fn(p.call, &out);
	event_result_free(parsed);
}

char *lambda_addresses(const struct broker *b)
{
	char *text = xstrdup("");
	struct lambda *l;

	TAILQ_FOREACH(l, &all, next)
	{
		char *longer;

		if (l->broker != b)
			continue;
		longer = xasprintf("%s%s%s=%s", text, text[0] ? "," : "", l->name,
				   runtime_address(l->runtime));
		free(text);
		text = longer;
	}
	return text;
}

void lambda_tell(const struct broker *b)
{
	char *addresses = lambda_addresses(b);

	sd_notifyf(0, "X_GATEPOST_RUNTIMES=%s", addresses);
	free(addresses);
}

const struct integration integration_lambda = {
	.sort = CONFIG_LAMBDA,
	.open = open_lambda,
	.close = close_lambda,
	.invoke = invoke,
};
