#include "broker/function/lambda.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/payload/event.h"
#include "broker/runtime/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <systemd/sd-daemon.h>

enum { ARN_TEXT = 512 };

struct lambda {
	TAILQ_ENTRY(lambda) next;
	struct lambdas *all;
	struct runtime *runtime;
	char *name, *handler;
	unsigned refs;
	int port;      /* of those one after the other; 0: none of them */
	int64_t fixed; /* by the configuration; 0: none */
	LIST_HEAD(, pending) pending;
};

/* A new configuration reuses the functions of the old one. */
struct lambdas {
	struct loop *loop;
	struct metrics *metrics;
	struct lambdas_conf conf;
	TAILQ_HEAD(, lambda) list;
};

/* An invocation: the event, and the caller. */
struct pending {
	LIST_ENTRY(pending) next;
	const struct invocation *in;
	enum event_form form;
	result_fn *fn;
	void *arg;
};

static void on_end(void *arg, const struct result *r);

struct lambdas *lambdas_new(struct loop *l, struct metrics *m,
			    const struct lambdas_conf *conf)
{
	struct lambdas *all = xcalloc(1, sizeof *all);

	all->loop = l;
	all->metrics = m;
	all->conf = *conf;
	TAILQ_INIT(&all->list);
	return all;
}

void lambdas_free(struct lambdas *all)
{
	free(all);
}

static int next_port(const struct lambdas *all, int first)
{
	struct lambda *l;
	int port = first;

	if (first == 0)
		return 0;
	TAILQ_FOREACH (l, &all->list, next)
		if (l->port >= port)
			port = l->port + 1;
	return port;
}

/* HOST:0 is any port, whatever the configuration says: several brokers of a host cannot have the same. */
static char *address_for(const struct lambdas *all, int64_t fixed, int *port)
{
	const char *setting = all->conf.address, *colon = strrchr(setting, ':');
	size_t host = colon ? (size_t)(colon - setting) : strlen(setting);

	*port = 0;
	if (fixed != 0 && (colon == NULL || atoi(colon + 1) != 0))
		return xasprintf("%.*s:%d", (int)host, setting, (int)fixed);
	if (colon == NULL)
		return xasprintf("%s:0", setting);
	if (colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return xstrdup(setting); /* no port: refused with these words */
	*port = next_port(all, atoi(colon + 1));
	return xasprintf("%.*s:%d", (int)host, setting, *port);
}

static struct runtime *listen_for(const struct lambdas *all,
				  const struct config_function *f, int *port)
{
	char *address = address_for(all, f->port, port);
	struct runtime *r = runtime_new(all->loop, all->metrics,
					&(struct runtime_conf){
						.function = f->name,
						.address = address,
						.queue = all->conf.queue,
						.wait_ms = all->conf.wait_ms,
					});

	free(address);
	return r;
}

static struct lambda *find(const struct lambdas *all, const struct config_function *f)
{
	struct lambda *l;

	TAILQ_FOREACH (l, &all->list, next)
		if (strcmp(l->name, f->name) == 0 &&
		    strcmp(l->handler, f->handler) == 0 && l->fixed == f->port)
			return l;
	return NULL;
}

static void *open_lambda(void *arg, const struct config_function *config)
{
	struct lambdas *all = arg;
	struct lambda *l = find(all, config);
	struct runtime *r;
	int port;

	if (l != NULL) {
		l->refs++;
		return l;
	}
	r = listen_for(all, config, &port);
	if (r == NULL)
		return NULL;
	l = xcalloc(1, sizeof *l);
	*l = (struct lambda){
		.all = all,
		.runtime = r,
		.name = xstrdup(config->name),
		.handler = xstrdup(config->handler),
		.refs = 1,
		.port = port,
		.fixed = config->port,
	};
	LIST_INIT(&l->pending);
	TAILQ_INSERT_TAIL(&all->list, l, next);
	return l;
}

/* Nothing is pending now: a call keeps its configuration until it ends. */
static void close_lambda(void *state)
{
	struct lambda *l = state;
	struct pending *p;

	if (--l->refs > 0)
		return;
	TAILQ_REMOVE(&l->all->list, l, next);
	while ((p = LIST_FIRST(&l->pending)) != NULL) {
		LIST_REMOVE(p, next);
		free(p);
	}
	runtime_free(l->runtime);
	free(l->name);
	free(l->handler);
	free(l);
}

static void invoke(void *state, const struct config_function *config,
		   const struct invocation *in, enum event_form form, result_fn *fn,
		   void *arg)
{
	struct lambda *l = state;
	const struct event_setting *s = in->setting;
	bool message = in->kind == GATEPOST__EVENT__KIND__MESSAGE;
	bool bye = in->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	bool http = in->kind == GATEPOST__EVENT__KIND__HTTP;
	char id[ID_TEXT], arn[ARN_TEXT];
	struct blob *event = event_json(in, form);
	struct pending *p;

	if (event == NULL) {
		fn(arg,
		   &(struct result){.kind = RESULT_FAILED,
				    .why = "the edge sent an event that cannot be read"});
		return;
	}
	snprintf(arn, sizeof arn, "arn:aws:lambda:%s:%s:function:%s-%s-%s", s->region,
		 s->account, s->service ? s->service : "gatepost", s->stage, l->name);
	p = xmalloc(sizeof *p);
	*p = (struct pending){.in = in, .form = form, .fn = fn, .arg = arg};
	LIST_INSERT_HEAD(&l->pending, p, next);
	runtime_invoke(
		l->runtime,
		&(struct runtime_request){
			.id = id_request(&in->id,
					 bye ? (uint64_t)ID_SEQ_DISCONNECT : in->seq, id),
			.client = id_span(&in->id),
			.arn = arn,
			.event = event,
			.timeout_ms = config->timeout_ms,
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
		parsed = event_result_parse(p.in, r->payload, &out);
	out.payload = r->payload;
	p.fn(p.arg, &out);
	event_result_free(parsed);
}

struct integration lambda_integration(struct lambdas *all)
{
	return (struct integration){open_lambda, close_lambda, invoke, all};
}

char *lambdas_addresses(const struct lambdas *all)
{
	char *text = xstrdup("");
	struct lambda *l;

	TAILQ_FOREACH (l, &all->list, next) {
		char *longer = xasprintf("%s%s%s=%s", text, text[0] ? "," : "", l->name,
					 runtime_address(l->runtime));

		free(text);
		text = longer;
	}
	return text;
}

void lambdas_notify(const struct lambdas *all)
{
	char *addresses = lambdas_addresses(all);

	sd_notifyf(0, "X_GATEPOST_RUNTIMES=%s", addresses);
	free(addresses);
}
