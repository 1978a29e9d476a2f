#include "broker/channels/presence/presence.h"

#include "base/mem.h"
#include "json/write.h"
#include "proto/batch.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	TICK_MS = 250,   /* between two looks for graces that are over */
	READ_MS = 750,   /* a read that takes longer fails at the next tick: within 1 s */
	CLAIM_MS = 5000, /* then another broker may claim the channel */
};

static const struct failure down = {"unavailable",
				    "Redis is unreachable, ask again in a moment", true};

struct asked;

struct presence {
	struct presence_uses uses;
	struct timer *timer;
	LIST_HEAD(, asked) asked;
	bool is_claiming;
	struct metric *joins, *leaves;
};

/* A question that is under way. */
struct asked {
	LIST_ENTRY(asked) next;
	struct presence *presence;
	presence_fn *fn;
	presence_page_fn *page_fn; /* NULL: no read, or it has failed already */
	void *arg;
	bool is_restored; /* join: no news but for the counts */
	int64_t asked_ms;
	size_t n_channel, n_claim;
	uint8_t bytes[]; /* the channel, the claim */
};

static void tick(void *arg);
static void on_joined(void *arg, enum err e, const struct presence_change *change);
static void on_left(void *arg, enum err e, const struct presence_change *change);
static void on_page(void *arg, enum err e, const struct presence_page *page);
static void on_claimed(void *arg, enum err e, const struct presence_due *due, size_t n);
static void on_expired(void *arg, enum err e, const struct presence_change *change);
static void on_done(void *arg, enum err e);

static void asked_free(struct asked *a)
{
	LIST_REMOVE(a, next);
	free(a);
}

struct presence *presence_new(const struct presence_uses *uses)
{
	struct presence *p = xcalloc(1, sizeof *p);
	struct metrics *m = uses->metrics;

	p->uses = *uses;
	LIST_INIT(&p->asked);
	p->joins = metric_counter(m, "gatepost_broker_presence_total", "change=\"join\"",
				  "Connections that have joined or left a channel with "
				  "presence");
	p->leaves = metric_counter(m, "gatepost_broker_presence_total",
				   "change=\"leave\"", "");
	p->timer = timer_new(uses->loop, tick, p);
	timer_every(p->timer, TICK_MS);
	return p;
}

void presence_free(struct presence *p)
{
	if (p == NULL)
		return;
	while (!LIST_EMPTY(&p->asked))
		asked_free(LIST_FIRST(&p->asked));
	timer_free(p->timer);
	free(p);
}

static struct asked *asked_new(struct presence *p, struct span channel, struct span claim)
{
	struct asked *a = xmalloc(sizeof *a + channel.n + claim.n);

	*a = (struct asked){.presence = p,
			    .asked_ms = loop_now(p->uses.loop),
			    .n_channel = channel.n,
			    .n_claim = claim.n};
	LIST_INSERT_HEAD(&p->asked, a, next);
	memcpy(a->bytes, channel.p, channel.n);
	if (claim.n > 0)
		memcpy(a->bytes + channel.n, claim.p, claim.n);
	return a;
}

static struct span channel_of(const struct asked *a)
{
	return span_of(a->bytes, a->n_channel);
}

/* ---- news ---- */

struct news {
	struct span channel;
	const struct presence_change *change;
	bool joined, has_names;
	int64_t interval_ms;
};

static ProtobufCBinaryData *names_of(struct batch *b, const struct presence_change *c)
{
	ProtobufCBinaryData *names =
		proto_arena_alloc_raw(&b->arena, c->n * sizeof *names);

	for (size_t i = 0; i < c->n; i++)
		names[i] = batch_copy(b, c->members[i]);
	return names;
}

static void send_news(void *arg, struct edge_link *edge)
{
	const struct news *n = arg;
	struct link *l = edge_link_out(edge);
	Gatepost__Presence *m = link_add(l, GATEPOST__ITEM__BODY_PRESENCE,
					 &gatepost__presence__descriptor);

	m->channel = batch_copy(&l->out, n->channel);
	m->connections = (uint64_t)n->change->connections;
	m->users = (uint64_t)n->change->users;
	m->interval_ms = (uint32_t)n->interval_ms;
	m->at_us = (uint64_t)n->change->at_us;
	m->counts_only = n->change->connections > PRESENCE_NAMED;
	if (m->counts_only || !n->has_names)
		return;
	if (n->joined) {
		m->n_joined = n->change->n;
		m->joined = names_of(&l->out, n->change);
	} else {
		m->n_left = n->change->n;
		m->left = names_of(&l->out, n->change);
	}
}

/* Nothing has changed, or nobody wants to know: no news. */
static void send_all(struct presence *p, struct news n)
{
	const struct config_namespace *ns = p->uses.ns(p->uses.arg, n.channel);

	if (n.change->n == 0)
		return;
	if (n.has_names)
		metric_add(n.joined ? p->joins : p->leaves, (int64_t)n.change->n);
	if (ns == NULL || ns->presence.events_ms == 0)
		return;
	n.interval_ms = ns->presence.events_ms;
	interest_each(p->uses.interest, n.channel, send_news, &n);
}

void presence_left(struct presence *p, struct span channel,
		   const struct presence_change *change)
{
	send_all(p, (struct news){channel, change, false, true, 0});
}

/* ---- join, leave, read ---- */

struct blob *presence_member(const struct id *id, struct span user, struct span info)
{
	struct json_out o;
	char text[ID_TEXT];

	json_out_init(&o, 64 + user.n + info.n);
	json_out_raw(&o, "{");
	json_out_key(&o, "connection");
	json_out_string(&o, span_str(id_text(id, text)));
	if (user.n > 0) {
		json_out_key(&o, "user");
		json_out_string(&o, user);
	}
	if (info.n > 0) {
		json_out_key(&o, "info");
		json_out_span(&o, info);
	}
	json_out_raw(&o, "}");
	return json_out_end(&o);
}

static void join(struct asked *a, const struct id *id, struct span user,
		 struct span member, presence_fn *fn, void *arg)
{
	char text[ID_TEXT];
	struct presence_member m = {id_edge(id), span_str(id_text(id, text)), user,
				    member};

	a->fn = fn;
	a->arg = arg;
	store_presence_join(a->presence->uses.store, channel_of(a), &m, on_joined, a);
}

void presence_join(struct presence *p, struct span channel, const struct id *id,
		   struct span user, struct span member, presence_fn *fn, void *arg)
{
	join(asked_new(p, channel, (struct span){0}), id, user, member, fn, arg);
}

void presence_restore(struct presence *p, struct span channel, const struct id *id,
		      struct span user, struct span member, presence_fn *fn, void *arg)
{
	struct asked *a = asked_new(p, channel, (struct span){0});

	a->is_restored = true;
	join(a, id, user, member, fn, arg);
}

static void on_joined(void *arg, enum err e, const struct presence_change *change)
{
	struct asked *a = arg;

	if (e == OK)
		send_all(a->presence,
			 (struct news){channel_of(a), change, true, !a->is_restored, 0});
	a->fn(a->arg, e == OK ? NULL : &down);
	asked_free(a);
}

void presence_leave(struct presence *p, struct span channel, const struct id *id,
		    presence_fn *fn, void *arg)
{
	const struct config_namespace *ns = p->uses.ns(p->uses.arg, channel);
	struct asked *a = asked_new(p, channel, (struct span){0});
	char text[ID_TEXT];

	a->fn = fn;
	a->arg = arg;
	store_presence_leave(p->uses.store, channel, id_edge(id),
			     span_str(id_text(id, text)),
			     ns != NULL ? ns->presence.grace_ms : 0, on_left, a);
}

static void on_left(void *arg, enum err e, const struct presence_change *change)
{
	struct asked *a = arg;

	if (e == OK)
		presence_left(a->presence, channel_of(a), change);
	a->fn(a->arg, e == OK ? NULL : &down);
	asked_free(a);
}

void presence_read(struct presence *p, struct span channel, struct span after,
		   int64_t most, presence_page_fn *fn, void *arg)
{
	struct asked *a = asked_new(p, channel, (struct span){0});

	a->page_fn = fn;
	a->arg = arg;
	store_presence_read(p->uses.store, channel, after, most, on_page, a);
}

static void on_page(void *arg, enum err e, const struct presence_page *page)
{
	struct asked *a = arg;

	if (a->page_fn != NULL)
		a->page_fn(a->arg, e == OK ? NULL : &down, page);
	asked_free(a);
}

/* ---- graces that are over ---- */

/* Redis is connected, but does not answer. */
static void fail_slow_reads(struct presence *p)
{
	int64_t now = loop_now(p->uses.loop);
	struct asked *a, *next;

	for (a = LIST_FIRST(&p->asked); a != NULL; a = next) {
		presence_page_fn *fn = a->page_fn;

		next = LIST_NEXT(a, next);
		if (fn == NULL || now - a->asked_ms < READ_MS)
			continue;
		a->page_fn = NULL;
		fn(a->arg, &down, NULL);
		next = LIST_FIRST(&p->asked); /* fn may have asked more */
	}
}

static void tick(void *arg)
{
	struct presence *p = arg;

	fail_slow_reads(p);
	if (p->is_claiming || !store_is_up(p->uses.store))
		return;
	p->is_claiming = true;
	store_presence_claim(p->uses.store, CLAIM_MS, on_claimed, p);
}

static void on_claimed(void *arg, enum err e, const struct presence_due *due, size_t n)
{
	struct presence *p = arg;

	p->is_claiming = false;
	if (e != OK)
		return;
	for (size_t i = 0; i < n; i++)
		store_presence_expire(p->uses.store, due[i].channel, on_expired,
				      asked_new(p, due[i].channel, due[i].claim));
}

static void on_expired(void *arg, enum err e, const struct presence_change *change)
{
	struct asked *a = arg;
	struct presence_due due = {channel_of(a),
				   span_of(a->bytes + a->n_channel, a->n_claim)};

	if (e == OK) {
		presence_left(a->presence, channel_of(a), change);
		store_presence_done(a->presence->uses.store, &due, change->due_ms,
				    on_done, NULL);
	}
	asked_free(a);
}

/* If it is not done, the claim ends by itself, and the channel is looked at once more. */
static void on_done(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}
