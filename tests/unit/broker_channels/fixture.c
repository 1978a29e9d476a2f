#include "fixture.h"

#include "broker/routes/route.h"
#include "config/namespaces.h"
#include "base/mem.h"
#include "fake_occupancy.h"
#include "fake_presence.h"
#include "tests/unit/broker/fake_function.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

struct channels *channels;

struct config_namespace room = {
	.history = {.size = 100, .ttl_ms = 60000, .bytes = 1 << 20},
	.key_ms = 300000,
};
struct config_namespace chat = {.history = {.ttl_ms = 60000}, .key_ms = 300000};
struct config_namespace raw = {
	.history = {.ttl_ms = 60000},
	.format = CHANNEL_RAW,
	.key_ms = 300000,
};

static const struct config_namespace *namespace_of(void *arg, struct span channel)
{
	(void)arg;
	if (channel.n >= 4 && memcmp(channel.p, "room", 4) == 0)
		return &room;
	if (channel.n >= 4 && memcmp(channel.p, "chat", 4) == 0)
		return &chat;
	return channel.n >= 3 && memcmp(channel.p, "raw", 3) == 0 ? &raw : NULL;
}

static struct integration integrations[INTEGRATIONS];
static struct routes *routes;

static struct config *configure(void)
{
	struct config *c = xcalloc(1, sizeof *c);

	c->stage = xstrdup("dev");
	c->region = xstrdup(CONFIG_REGION);
	c->selection = xstrdup(CONFIG_SELECTION);
	c->functions = xcalloc(1, sizeof *c->functions);
	c->functions[c->n_functions++] =
		(struct config_function){.name = xstrdup("hook"),
					 .handler = xstrdup("f.f"),
					 .sort = CONFIG_LAMBDA};
	c->namespaces = xcalloc(2, sizeof *c->namespaces);
	c->namespaces[c->n_namespaces++] = namespaces_default(xstrdup("chat"));
	c->namespaces[c->n_namespaces++] = namespaces_default(xstrdup("room"));
	c->namespaces[CHANNELS_ROOM].history.size = 100;
	return c;
}

struct config_namespace *channels_configured(int which)
{
	return &routes_config(routes)->namespaces[which];
}

static struct routes *routes_of(void *arg)
{
	(void)arg;
	return routes;
}

static void on_up(void *arg, struct edge_link *edge)
{
	(void)arg;
	channels_link_up(channels, edge);
}

static void on_interest(void *arg, struct edge_link *from, const Gatepost__Interest *m)
{
	(void)arg;
	channels_interest(channels, from, m);
}

static void on_gap(void *arg, struct edge_link *from, const Gatepost__Gap *g)
{
	(void)arg;
	channels_gap(channels, from, g);
}

static void on_outcome(void *arg, struct edge_link *from, const Gatepost__Outcome *o)
{
	(void)arg;
	channels_outcome(channels, from, o);
}

static void on_gone(void *arg, struct edge_link *edge)
{
	(void)arg;
	channels_link_lost(channels, edge);
}

void channels_start(void)
{
	cluster_start();
	integrations[CONFIG_LAMBDA] = fake_function();
	routes = routes_new(&(struct routes_uses){.loop = cluster.loop,
						  .integrations = integrations,
						  .api_id = "api",
						  .account = "1"},
			    configure());
	cr_assert(routes != NULL);
	channels = channels_new(&(struct channels_uses){.loop = cluster.loop,
							.store = fake_store(),
							.members = cluster.members,
							.metrics = cluster.metrics,
							.boot = BROKER_BOOT,
							.webhook_tries = 3,
							.ns = namespace_of,
							.routes = routes_of});
	cluster.on = (struct edges_callbacks){.up = on_up,
					      .interest = on_interest,
					      .gap = on_gap,
					      .outcome = on_outcome,
					      .gone = on_gone};
}

void channels_stop(void)
{
	cluster_free_edges();
	fake_channels_close();
	fake_presence_close();
	fake_occupancy_close();
	channels_free(channels);
	routes_unref(routes);
	fake_function_reset();
	cluster_stop();
}

void channels_run(int64_t ms, const char *edges, bool with_other)
{
	for (int64_t at = 0; at < ms; at += 50) {
		while (fake_store_waiting(BEAT) > 0)
			cluster_beat("c1", with_other);
		cluster_run(ms - at < 50 ? ms - at : 50, edges);
	}
	while (fake_store_waiting(BEAT) > 0)
		cluster_beat("c1", with_other);
}

void channels_join(void)
{
	channels_run(2 * BEAT_MS, "", false);
}

static Gatepost__Interest *interest(size_t n)
{
	static uint64_t serial;
	struct batch *b = cluster_letter();
	Gatepost__Interest *m = batch_add(b, GATEPOST__ITEM__BODY_INTEREST,
					  &gatepost__interest__descriptor);

	m->serial = ++serial;
	m->n_channels = n;
	m->channels = proto_arena_alloc(&b->arena, (n + 1) * sizeof *m->channels);
	for (size_t i = 0; i < n; i++) {
		m->channels[i] = proto_arena_alloc(&b->arena, sizeof *m->channels[i]);
		gatepost__interest__channel__init(m->channels[i]);
	}
	return m;
}

void channels_carry(const char *from, const char *name, const char *epoch,
		    uint64_t offset, bool all)
{
	struct batch *b = cluster_letter();
	Gatepost__Interest *m = interest(1);
	Gatepost__Position *p = proto_arena_alloc(&b->arena, sizeof *p);

	m->all = all;
	m->channels[0]->name = batch_copy(b, span_str(name));
	if (epoch != NULL) {
		gatepost__position__init(p);
		p->epoch = batch_copy(b, span_str(epoch));
		p->offset = offset;
		m->channels[0]->position = p;
	}
	cluster_post(from);
}

void channels_uncarry(const char *from, const char *name)
{
	Gatepost__Interest *m = interest(1);

	m->channels[0]->name = batch_copy(cluster_letter(), span_str(name));
	m->channels[0]->ends = true;
	cluster_post(from);
}

void channels_all(const char *from)
{
	interest(0)->all = true;
	cluster_post(from);
}

struct edge_link *channels_link(const char *from, uint64_t boot, uint16_t number,
				const char *names)
{
	struct edge_link *edge = cluster_link(from, boot, number);
	char copy[256], *rest = copy, *name;

	snprintf(copy, sizeof copy, "%s", names);
	while ((name = strsep(&rest, " ")) != NULL)
		if (*name != '\0')
			channels_carry(from, name, NULL, 0, false);
	channels_all(from);
	return edge;
}

const Gatepost__Item *channels_read(const char *to, Gatepost__Item__BodyCase kind)
{
	const Gatepost__Item *i;

	while ((i = cluster_read(to)) != NULL && i->body_case != kind)
		continue;
	return i;
}

const Gatepost__Deliver *channels_deliver(const char *to)
{
	const Gatepost__Item *i = channels_read(to, GATEPOST__ITEM__BODY_DELIVER);

	return i != NULL ? i->deliver : NULL;
}

void on_published(void *arg, const struct published *p)
{
	struct outcome *o = arg;

	o->calls++;
	o->is_failed = p->failure != NULL;
	if (p->failure != NULL) {
		snprintf(o->code, sizeof o->code, "%s", p->failure->code);
		cr_assert(p->failure->retryable);
	}
	snprintf(o->epoch, sizeof o->epoch, "%.*s", SPAN_ARG(p->position.epoch));
	o->offset = p->position.offset;
	o->duplicate = p->duplicate;
	o->suppressed = p->suppressed;
	o->edges = p->edges;
	o->connections = p->connections;
}

struct publication publication_to(const struct config_namespace *ns, const char *channel)
{
	return (struct publication){
		.ns = ns, .channel = span_str(channel), .data = span_str("{\"n\":1}")};
}

void publish_to(const struct config_namespace *ns, const char *channel,
		struct outcome *out)
{
	struct publication q = publication_to(ns, channel);

	publish(channels_publishers(channels), &q, on_published, out);
}
