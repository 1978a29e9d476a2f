#include "fixture.h"

#include "fake_clients.h"

#include "base/mem.h"
#include "broker/events/choose.h"
#include "broker/function/builtin.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture fixture;
static struct integration integrations[INTEGRATIONS];

static bool deliver(void *arg, const struct disconnect *d)
{
	(void)arg;
	return fixture.deliver != NULL && fixture.deliver(d);
}

void fixture_start(void)
{
	struct fixture *f = &fixture;

	integrations[CONFIG_BUILTIN] = builtin_integration();
	integrations[CONFIG_HTTP] = fake_function();
	f->loop = loop_new();
	f->metrics = metrics_new();
	call_counts_init(&f->counts, f->metrics);
	f->redelivery = redelivery_new(
		&(struct redelivery_conf){.claim_ms = CLAIM_MS,
					  .tries = TRIES,
					  .dead_letters_most = DEAD_LETTERS},
		&(struct redelivery_uses){.loop = f->loop,
					  .store = fake_store(),
					  .metrics = f->metrics,
					  .deliver = deliver});
	f->uses =
		(struct handle_uses){.store = fake_store(), .redelivery = f->redelivery};
	fixture_use(fixture_config());
}

void fixture_stop(void)
{
	struct fixture *f = &fixture;

	fake_function_reset();
	fake_clients_reset();
	fake_store_close();
	redelivery_free(f->redelivery);
	routes_unref(f->routes);
	metrics_free(f->metrics);
	loop_free(f->loop);
	for (int i = 0; i < ASKERS; i++)
		cr_assert(eq(sz, f->askers[i].open, 0), "a call is left over");
}

static void add_function(struct config *c, const char *name, const char *handler,
			 enum config_sort sort)
{
	c->functions[c->n_functions++] = (struct config_function){
		.name = xstrdup(name), .handler = xstrdup(handler), .sort = sort};
}

static void add_route(struct config *c, const char *key, size_t function, bool two_way)
{
	c->routes[c->n_routes++] = (struct config_route){
		.key = xstrdup(key),
		.function = function,
		.two_way = two_way,
		.authorizer = CONFIG_NONE,
	};
}

struct config *fixture_config(void)
{
	enum { MOST = 8 };
	struct config *c = xcalloc(1, sizeof *c);

	*c = (struct config){
		.stage = xstrdup("dev"),
		.region = xstrdup("us-east-1"),
		.selection = xstrdup("$request.body.action"),
		.functions = xcalloc(MOST, sizeof *c->functions),
		.routes = xcalloc(MOST, sizeof *c->routes),
		.http = xcalloc(1, sizeof *c->http),
	};
	add_function(c, "f", "http://f", CONFIG_HTTP);
	add_function(c, "echo", "builtin:echo", CONFIG_BUILTIN);
	add_route(c, "$connect", 0, false);
	add_route(c, "$disconnect", 0, false);
	add_route(c, "$default", 0, false);
	add_route(c, "say", 0, true);
	add_route(c, "par", 0, true);
	c->routes[4].parallel = true;
	add_route(c, "echo", 1, true);
	add_function(c, "channels", "builtin:channels", CONFIG_BUILTIN);
	add_route(c, "publish", 2, false);
	c->http[c->n_http++] =
		(struct config_http){.method = xstrdup("GET"), .path = xstrdup("/ping")};
	return c;
}

void fixture_use(struct config *c)
{
	routes_unref(fixture.routes);
	fixture.config = c;
	fixture.routes = routes_new(&(struct routes_uses){.loop = fixture.loop,
							  .integrations = integrations,
							  .api_id = "abcdef1234",
							  .account = "123456789012"},
				    c);
	cr_assert(fixture.routes != NULL);
}

struct id fixture_id(void)
{
	return id_make(EDGE, 1, 99);
}

/* ---- who is answered ---- */

static void note_action(struct asker *k, const struct action *a)
{
	static const enum answer_kind kinds[] = {[ACTION_RESPONSE] = ANSWER_RESPONSE,
						 [ACTION_FRAME] = ANSWER_FRAME,
						 [ACTION_CLOSE] = ANSWER_CLOSE};
	size_t at = 0;

	k->last.kind = kinds[a->kind];
	k->last.status = a->status;
	k->last.binary = a->binary;
	k->last.code = a->code;
	snprintf(k->last.body, sizeof k->last.body, "%.*s", SPAN_ARG(a->body));
	for (size_t i = 0; i < a->n_headers && at < sizeof k->last.headers; i++)
		at += (size_t)snprintf(k->last.headers + at, sizeof k->last.headers - at,
				       "%s=%s;", a->headers[i].name, a->headers[i].value);
}

static void answer(void *to, const struct answer *a)
{
	struct asker *k = to;

	if (k->is_lost)
		return;
	k->n++;
	memset(&k->last, 0, sizeof k->last);
	k->last.kind = a->is_retry ? ANSWER_RETRY : ANSWER_DONE;
	k->last.actions = a->n_actions;
	k->last.term = a->term;
	k->last.seq = a->seq;
	k->last.expires_ms = a->expires_ms;
	k->last.has_context = a->context != NULL;
	id_text(a->id, k->last.id);
	if (a->n_actions > 0)
		note_action(k, &a->actions[a->n_actions - 1]);
}

static bool is_lost(void *to)
{
	return ((struct asker *)to)->is_lost;
}

static void close_sink(void *to)
{
	((struct asker *)to)->open--;
}

struct sink fixture_sink(int asker, uint32_t term)
{
	static const struct sink_ops ops = {answer, is_lost, close_sink};

	fixture.askers[asker].open++;
	return (struct sink){&ops, &fixture.askers[asker], term};
}

/* ---- events ---- */

ProtobufCBinaryData fixture_data(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

ProtobufCBinaryData fixture_request(const char *method, const char *path)
{
	static uint8_t packed[300];
	Gatepost__Request q = GATEPOST__REQUEST__INIT;

	q.method = fixture_data(method);
	q.path = fixture_data(path);
	cr_assert(le(sz, gatepost__request__get_packed_size(&q), sizeof packed));
	return (ProtobufCBinaryData){.len = gatepost__request__pack(&q, packed),
				     .data = packed};
}

Gatepost__Event fixture_event(Gatepost__Event__Kind kind, uint64_t seq)
{
	static struct id id;
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	id = fixture_id();
	e.id = (ProtobufCBinaryData){.len = ID_BYTES, .data = id.b};
	e.kind = kind;
	e.seq = seq;
	e.context = fixture_data(CONTEXT);
	if (kind == GATEPOST__EVENT__KIND__CONNECT)
		e.request = fixture_request("GET", "/dev");
	return e;
}

static void end(struct call *c)
{
	fixture.ended++;
	call_free(c);
}

static struct call *prepare(struct call *c)
{
	c->uses = &fixture.uses;
	c->turn.end = end;
	choose_route(c);
	return c;
}

struct call *fixture_call(const Gatepost__Event *e)
{
	struct call *c =
		call_new(&fixture.counts, fixture.routes, fixture_sink(0, e->term), e);

	if (e->kind == GATEPOST__EVENT__KIND__CONNECT)
		snprintf(c->connect.boot, sizeof c->connect.boot, "00000000000000b7");
	return prepare(c);
}

struct disconnect fixture_disconnect(char *text)
{
	struct id id = fixture_id();
	struct disconnect d = {.time_ms = 5, .code = 1006, .tries = 2};

	d.reason = span_str("gone");
	d.row.id = span_str(id_text(&id, text));
	d.row.edge = EDGE;
	d.row.source_ip = span_str("::1");
	return d;
}

struct call *fixture_pending(void)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);
	struct call *c = call_new_pending(&fixture.counts, fixture.routes, &d);

	cr_assert(c != NULL);
	c->disconnect.claim = redelivery_keep_claim(fixture.redelivery, &c->in.id);
	return prepare(c);
}
