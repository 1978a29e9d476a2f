#include "client_fixture.h"

#include "base/mem.h"
#include "broker/channels/presence/presence.h"
#include "broker/function/builtin.h"
#include "config/namespaces.h"
#include "proto/batch.h"
#include "store/user_rate.h"
#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

size_t client_fixture_data = 1;

static struct {
	struct loop *loop;
	struct config *config;
	struct routes *routes;
	struct clients *clients;
	struct integration integrations[INTEGRATIONS];
	uint8_t *context;
	size_t context_n;
	bool is_lost;
	/* the message */
	char *message;
	struct invocation in;
	uint64_t seq;
	/* the answer */
	bool is_answered, has_failed;
	char *answer;
	/* what waits */
	int kind;
	Gatepost__Subscription *subscription;
	char channel[300];
	command_fn *on_outcome;
	void *outcome_arg;
	struct read_request read;
	char read_channel[300];
	read_fn *on_read;
	void *read_arg;
	struct publication publication;
	publish_fn *on_published;
	void *publish_arg;
	store_rate_fn *on_rate;
	void *rate_arg;
	char presence[300];
	presence_fn *on_presence;
	presence_page_fn *on_page;
	void *presence_arg;
} f;

/* ---- in place of the modules below ---- */

static struct command *note(int kind, struct span channel, command_fn *fn, void *arg)
{
	cr_assert(f.on_outcome == NULL, "two commands at a time");
	f.kind = kind;
	snprintf(f.channel, sizeof f.channel, "%.*s", SPAN_ARG(channel));
	f.on_outcome = fn;
	f.outcome_arg = arg;
	return NULL;
}

struct command *command_subscribe(struct commands *c, const struct id *id,
				  command_fill_fn *fill, void *filler, command_fn *fn,
				  void *arg)
{
	Gatepost__Command to = GATEPOST__COMMAND__INIT;
	struct batch b;
	uint8_t *packed;
	size_t n;

	(void)c;
	(void)id;
	batch_init(&b);
	fill(filler, &b, &to);
	n = gatepost__subscription__get_packed_size(to.subscription);
	packed = xmalloc(n + 1);
	gatepost__subscription__pack(to.subscription, packed);
	if (f.subscription != NULL)
		gatepost__subscription__free_unpacked(f.subscription, NULL);
	f.subscription = gatepost__subscription__unpack(NULL, n, packed);
	free(packed);
	batch_close(&b);
	return note(COMMAND_SUBSCRIBE, span_from(f.subscription->channel), fn, arg);
}

struct command *command_apply(struct commands *c, const struct id *id, size_t bytes,
			      command_fill_fn *fill, void *filler, command_fn *fn,
			      void *arg)
{
	Gatepost__Command to = GATEPOST__COMMAND__INIT;
	struct batch b;
	struct command *m;

	(void)c;
	(void)id;
	(void)bytes;
	batch_init(&b);
	fill(filler, &b, &to);
	cr_assert(to.n_actions == 1 &&
		  to.actions[0]->body_case == GATEPOST__ACTION__BODY_UNSUBSCRIBE);
	m = note(COMMAND_UNSUBSCRIBE, span_from(to.actions[0]->unsubscribe->channel), fn,
		 arg);
	batch_close(&b);
	return m;
}

struct command *command_look_at(struct commands *c, const struct id *id,
				struct span channel, command_fn *fn, void *arg)
{
	(void)c;
	(void)id;
	return note(COMMAND_LOOK, channel, fn, arg);
}

/* ---- presence ---- */

struct blob *presence_member(const struct id *id, struct span user, struct span info)
{
	char *text = xasprintf("{\"user\":\"%.*s\",\"info\":%.*s}", SPAN_ARG(user),
			       SPAN_ARG(info.n > 0 ? info : span_str("null")));
	struct blob *b = blob_new(span_str(text));

	(void)id;
	free(text);
	return b;
}

static void note_presence(const char *what, struct span channel, presence_fn *fn,
			  void *arg)
{
	cr_assert(f.on_presence == NULL, "two changes of presence at a time");
	snprintf(f.presence, sizeof f.presence, "%s %.*s", what, SPAN_ARG(channel));
	f.on_presence = fn;
	f.presence_arg = arg;
}

void presence_join(struct presence *p, struct span channel, const struct id *id,
		   struct span user, struct span member, presence_fn *fn, void *arg)
{
	(void)p;
	(void)id;
	(void)user;
	cr_assert(gt(sz, member.n, 0));
	note_presence("join", channel, fn, arg);
}

void presence_leave(struct presence *p, struct span channel, const struct id *id,
		    presence_fn *fn, void *arg)
{
	(void)p;
	(void)id;
	note_presence("leave", channel, fn, arg);
}

void presence_read(struct presence *p, struct span channel, struct span after,
		   int64_t most, presence_page_fn *fn, void *arg)
{
	(void)p;
	snprintf(f.presence, sizeof f.presence, "read %.*s after %.*s most %ld",
		 SPAN_ARG(channel), SPAN_ARG(after), (long)most);
	f.on_page = fn;
	f.presence_arg = arg;
}

/* ---- the store ---- */

void read_channel(struct readers *r, const struct read_request *q, read_fn *fn, void *arg)
{
	(void)r;
	cr_assert(f.on_read == NULL, "two reads at a time");
	f.read = *q;
	snprintf(f.read_channel, sizeof f.read_channel, "%.*s", SPAN_ARG(q->channel));
	f.read.channel = span_str(f.read_channel);
	f.on_read = fn;
	f.read_arg = arg;
}

void publish(struct publishers *p, const struct publication *q, publish_fn *fn, void *arg)
{
	(void)p;
	cr_assert(f.on_published == NULL, "two publishes at a time");
	f.publication = *q;
	f.on_published = fn;
	f.publish_arg = arg;
}

void store_user_rate(struct store *st, struct span user, struct span name,
		     int64_t per_second, store_rate_fn *fn, void *arg)
{
	(void)st;
	cr_assert(user.n > 0 && name.n > 0 && per_second > 0);
	f.on_rate = fn;
	f.rate_arg = arg;
}

/* ---- the configuration ---- */

static void add_function(const char *name, const char *handler, enum config_sort sort)
{
	struct config *c = f.config;

	c->functions =
		xrealloc(c->functions, (c->n_functions + 1) * sizeof *c->functions);
	c->functions[c->n_functions++] = (struct config_function){
		.name = xstrdup(name), .handler = xstrdup(handler), .sort = sort};
}

static void add_route(const char *key, size_t function)
{
	struct config *c = f.config;

	c->routes = xrealloc(c->routes, (c->n_routes + 1) * sizeof *c->routes);
	c->routes[c->n_routes++] = (struct config_route){
		.key = xstrdup(key), .function = function, .authorizer = CONFIG_NONE};
}

/* In the order of their names. */
static struct config_namespace *add_namespace(const char *name, bool has_history)
{
	struct config *c = f.config;
	struct config_namespace *ns = &c->namespaces[c->n_namespaces++];

	*ns = namespaces_default(xstrdup(name));
	ns->subscribe.rule = ns->publish.rule = CHANNEL_ANYONE;
	ns->history.size = has_history ? 1000 : 0;
	return ns;
}

static void add_namespaces(void)
{
	struct config_namespace *ns;

	f.config->namespaces = xcalloc(6, sizeof *ns);
	ns = add_namespace("ask", true);
	ns->subscribe.rule = ns->publish.rule = CHANNEL_FUNCTION;
	ns->subscribe.function = ns->publish.function = 1;
	add_namespace("cache", true)->recover = CHANNEL_CACHE;
	add_namespace("default", false);
	ns = add_namespace("few", false);
	ns->limits.rate = 1;
	ns->limits.user_rate = 2;
	ns->limits.message = 8;
	add_namespace("room", true);
	ns = add_namespace("users", true);
	ns->subscribe.rule = CHANNEL_AUTHENTICATED;
	ns->publish.rule = CHANNEL_NOBODY;
}

static void configure(void)
{
	static const char *const keys[] = {"subscribe", "unsubscribe", "publish",
					   "history",   "presence",    "ping",
					   "$default"};

	f.config = xcalloc(1, sizeof *f.config);
	f.config->stage = xstrdup("dev");
	f.config->region = xstrdup(CONFIG_REGION);
	f.config->selection = xstrdup(CONFIG_SELECTION);
	f.config->authorizers = NULL;
	add_function("channels", BUILTIN_CHANNELS, CONFIG_BUILTIN);
	add_function("f", "f.f", CONFIG_LAMBDA);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		add_route(keys[i], 0);
	add_route("say", 1);
	add_namespaces();
}

void client_fixture_start(void)
{
	f.loop = loop_new();
	f.integrations[CONFIG_BUILTIN] = builtin_integration();
	f.integrations[CONFIG_LAMBDA] = fake_function();
	configure();
	f.routes = routes_new(&(struct routes_uses){.loop = f.loop,
						    .integrations = f.integrations,
						    .api_id = "api",
						    .account = "1"},
			      f.config);
	cr_assert(f.routes != NULL);
	f.clients = clients_new(&(struct clients_uses){.loop = f.loop});
	client_fixture_be("", "");
}

void client_fixture_stop(void)
{
	clients_free(f.clients);
	routes_unref(f.routes);
	fake_function_reset();
	if (f.subscription != NULL)
		gatepost__subscription__free_unpacked(f.subscription, NULL);
	loop_free(f.loop);
	free(f.context);
	free(f.message);
	free(f.answer);
}

struct config_namespace *client_fixture_ns(const char *name)
{
	for (size_t i = 0; i < f.config->n_namespaces; i++)
		if (strcmp(f.config->namespaces[i].name, name) == 0)
			return &f.config->namespaces[i];
	cr_fatal("no namespace %s", name);
	return NULL;
}

/* ---- the client ---- */

static ProtobufCBinaryData data_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

void client_fixture_be(const char *user, const char *authorizer)
{
	Gatepost__Context x = GATEPOST__CONTEXT__INIT;

	x.user = data_of(user);
	x.authorizer = data_of(authorizer);
	free(f.context);
	f.context_n = gatepost__context__get_packed_size(&x);
	f.context = xmalloc(f.context_n + 1);
	gatepost__context__pack(&x, f.context);
}

void client_fixture_lose(void)
{
	f.is_lost = true;
}

static bool is_lost(void *arg)
{
	cr_assert(arg == &f);
	return f.is_lost;
}

static char *text_of(const struct action *a)
{
	const struct action_activate *at = a->activate;
	char *text;

	if (a->kind == ACTION_FRAME)
		return xasprintf("%.*s\n", SPAN_ARG(a->body));
	if (a->kind == ACTION_UNSUBSCRIBE)
		return xasprintf("-%.*s\n", SPAN_ARG(a->channel));
	cr_assert(eq(int, (int)a->kind, ACTION_ACTIVATE));
	text = at->position.epoch.n == 0
		       ? xasprintf("+%.*s [", SPAN_ARG(a->channel))
		       : xasprintf("+%.*s %.*s/%ld [", SPAN_ARG(a->channel),
				   SPAN_ARG(at->position.epoch), at->position.offset);
	for (size_t i = 0; i < at->n_missed; i++) {
		char *more = xasprintf("%s%s%ld", text, i > 0 ? " " : "",
				       (long)at->missed[i]->offset);

		free(text);
		text = more;
	}
	text = xrealloc(text, strlen(text) + 3);
	return strcat(text, "]\n");
}

static void on_answer(void *arg, const struct action *actions, size_t n,
		      const struct failure *failure)
{
	cr_assert(arg == &f);
	cr_assert(not(f.is_answered), "answered twice");
	f.is_answered = true;
	f.has_failed = failure != NULL;
	free(f.answer);
	f.answer = xstrdup("");
	for (size_t i = 0; i < n; i++) {
		char *one = text_of(&actions[i]), *all = xasprintf("%s%s", f.answer, one);

		free(one);
		free(f.answer);
		f.answer = all;
	}
}

static void begin(const char *message, bool binary)
{
	static const struct event_setting setting = {
		.stage = "dev", .api_id = "api", .account = "1", .region = "r"};
	bool too_big;
	const struct route *r;

	f.is_answered = false;
	free(f.message);
	f.message = xstrdup(message);
	r = route_select(f.routes, span_str(f.message), binary, &too_big);
	cr_assert(r != NULL);
	f.in = (struct invocation){
		.setting = &setting,
		.route = &r->event,
		.id = id_make(1, 2, 3),
		.kind = GATEPOST__EVENT__KIND__MESSAGE,
		.seq = ++f.seq,
		.time_ms = 5,
		.binary = binary,
		.context = span_of(f.context, f.context_n),
		.body = span_str(f.message),
	};
}

static struct client_event event(void)
{
	return (struct client_event){.in = &f.in, .routes = f.routes, .is_lost = is_lost};
}

static void handle(const char *message, bool binary)
{
	struct client_event e;

	begin(message, binary);
	e = event();
	client_handle(f.clients, &e, on_answer, &f);
}

void client_fixture_send(const char *message)
{
	handle(message, false);
}

void client_fixture_send_binary(const char *message)
{
	handle(message, true);
}

void client_fixture_choose(const struct client_fixture_chosen *list, const char *id)
{
	static const struct json_path whole = {NULL, 0};
	struct client_todo todos[8];
	struct client_event e;
	char *all = xstrdup("");
	size_t n = 0, at = 0;

	for (; list[n].verb != NULL; n++) {
		char *more = xasprintf("%s%s", all, list[n].json);

		free(all);
		all = more;
	}
	begin(all, true);
	free(all);
	for (size_t i = 0; i < n; i++) {
		struct span one = span_of(f.message + at, strlen(list[i].json));

		cr_assert(channel_verb_of(span_str(list[i].verb), &todos[i].verb));
		cr_assert(eq(int,
			     json_read(one, &whole, JSON_OF_FUNCTION, &todos[i].v, NULL),
			     OK));
		at += one.n;
	}
	e = event();
	e.is_trusted = true;
	e.id = span_str(id);
	client_do(f.clients, &e, f.in.body, todos, n, on_answer, &f);
}

bool client_fixture_is_answered(void)
{
	return f.is_answered;
}

const char *client_fixture_answer(void)
{
	cr_assert(f.is_answered, "no answer");
	return f.answer;
}

bool client_fixture_has_failed(void)
{
	cr_assert(f.is_answered, "no answer");
	return f.has_failed;
}

/* ---- what waits ---- */

const Gatepost__Subscription *client_fixture_command(int kind)
{
	cr_assert(f.on_outcome != NULL, "no command");
	cr_assert(eq(int, f.kind, kind));
	return f.subscription;
}

const char *client_fixture_channel(void)
{
	return f.channel;
}

void client_fixture_outcome(enum err e, const Gatepost__Outcome *o)
{
	command_fn *fn = f.on_outcome;

	cr_assert(fn != NULL, "no command");
	f.on_outcome = NULL;
	fn(f.outcome_arg, e, o);
}

void client_fixture_confirm(void)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.result = GATEPOST__OUTCOME__RESULT__OK;
	client_fixture_outcome(OK, &o);
}

const struct read_request *client_fixture_read(void)
{
	cr_assert(f.on_read != NULL, "no read");
	return &f.read;
}

static void answer_read(const struct failure *failure, const struct channel_history *h)
{
	read_fn *fn = f.on_read;

	cr_assert(fn != NULL, "no read");
	f.on_read = NULL;
	fn(f.read_arg, failure, h);
}

void client_fixture_history(const char *epoch, int64_t top, int64_t base, int64_t first,
			    size_t n)
{
	struct channel_message *list = xcalloc(n, sizeof *list);
	char *tail = xasprintf("{\"data\":\"%0*d\"}", (int)client_fixture_data, 7);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct channel_message){1700000000000, span_str(tail)};
	answer_read(NULL, &(struct channel_history){
				  .position = {span_str(epoch), top},
				  .base = base,
				  .first = first,
				  .messages = list,
				  .n = n,
			  });
	free(list);
	free(tail);
}

void client_fixture_read_fails(void)
{
	static const struct failure down = {"unavailable", "Redis is unreachable", true};

	answer_read(&down, NULL);
}

const struct publication *client_fixture_publication(void)
{
	cr_assert(f.on_published != NULL, "no publish");
	return &f.publication;
}

void client_fixture_published(const struct published *p)
{
	publish_fn *fn = f.on_published;

	cr_assert(fn != NULL, "no publish");
	f.on_published = NULL;
	fn(f.publish_arg, p);
}

bool client_fixture_asks_rate(void)
{
	return f.on_rate != NULL;
}

void client_fixture_rate(enum err e, bool is_within)
{
	store_rate_fn *fn = f.on_rate;

	cr_assert(fn != NULL, "no question");
	f.on_rate = NULL;
	fn(f.rate_arg, e, is_within);
}

void client_fixture_pass(int64_t ms)
{
	fake_loop_run(f.loop, ms);
}

const char *client_fixture_presence(void)
{
	return f.presence;
}

void client_fixture_present(const struct failure *failure)
{
	presence_fn *fn = f.on_presence;

	cr_assert(fn != NULL, "no change of presence");
	f.on_presence = NULL;
	fn(f.presence_arg, failure);
}

void client_fixture_page(const struct failure *failure, const struct presence_page *page)
{
	presence_page_fn *fn = f.on_page;

	cr_assert(fn != NULL, "no read of presence");
	f.on_page = NULL;
	fn(f.presence_arg, failure, page);
}
