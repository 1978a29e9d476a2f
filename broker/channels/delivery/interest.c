#include "broker/channels/delivery/interest.h"

#include "base/map.h"
#include "base/mem.h"
#include "broker/channels/delivery/waiting.h"
#include "proto/envelope.h"
#include "proto/probe.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	WAIT_MS = 2000,
	CHECK_MS = 100, /* while some wait */
	MOST = 20000,   /* that wait; each of them is bounded by who asks */
};

/* An edge that carries a channel. */
struct carrier {
	struct source *source;
	struct channel *channel;
	struct carrier *next; /* of the channel */
	LIST_ENTRY(carrier) of_source;
};

/* Carried by one edge at least: most by one, which costs no memory of its own. */
struct channel {
	struct carrier first;
	int64_t offset;
	uint8_t name_n, epoch_n;
	uint8_t epoch[ENVELOPE_EPOCH];
	uint8_t name[]; /* the key */
};

/* A link that is up. */
struct source {
	struct edge_link *edge; /* the key */
	bool has_all;           /* its list of channels is complete */
	LIST_HEAD(, carrier) carriers;
};

struct interest {
	struct interest_uses uses;
	struct map *channels, *sources;
	struct waiting *waiting;
	struct timer *check;
	interest_changed_fn *changed; /* NULL: nobody watches */
	void *changed_arg;
	int64_t joined_ms; /* when this broker's first beat was answered; 0: not yet */
	bool is_whole;     /* all of the linked edges have sent what they carry */
	struct metric *waits;
};

static void on_beat(void *arg);
static void on_check(void *arg);

static int64_t ask_channels(void *arg)
{
	const struct interest *in = arg;
	bool has_probe = map_find(in->channels, span_str(PROBE_CHANNEL)) != NULL;

	return (int64_t)map_size(in->channels) - has_probe;
}

static int64_t ask_complete(void *arg)
{
	return interest_is_complete(arg);
}

struct interest *interest_new(const struct interest_uses *uses)
{
	struct interest *in = xcalloc(1, sizeof *in);
	struct metrics *m = uses->metrics;

	in->uses = *uses;
	in->channels = map_new();
	in->sources = map_new();
	in->waiting = waiting_new(uses->loop, WAIT_MS, MOST);
	in->check = timer_new(uses->loop, on_check, in);
	in->is_whole = true;
	in->waits = metric_counter(m, "gatepost_broker_interest_waits_total", NULL,
				   "Publications that waited until the channels of all "
				   "edges were known");
	metric_asked_gauge(m, "gatepost_broker_interest_channels", NULL,
			   "Channels that linked edges carry", ask_channels, in);
	metric_asked_gauge(m, "gatepost_broker_interest_complete", NULL,
			   "1: the channels of all linked edges are known", ask_complete,
			   in);
	members_watch(uses->members, &(struct members_watcher){.beat = on_beat}, in);
	return in;
}

/* ---- channels and their carriers ---- */

static struct span name_of(const struct channel *c)
{
	return span_of(c->name, c->name_n);
}

static struct span key_of(struct edge_link *const *edge)
{
	return span_of(edge, sizeof(struct edge_link *));
}

static struct channel *find_channel(const struct interest *in, struct span name)
{
	return map_find(in->channels, name);
}

static void carry(struct carrier *to, struct channel *c, struct source *s)
{
	to->source = s;
	to->channel = c;
	LIST_INSERT_HEAD(&s->carriers, to, of_source);
}

void interest_watch(struct interest *in, interest_changed_fn *fn, void *arg)
{
	in->changed = fn;
	in->changed_arg = arg;
}

static void tell(const struct interest *in, struct span channel)
{
	if (in->changed != NULL)
		in->changed(in->changed_arg, channel);
}

static struct channel *add_channel(struct interest *in, struct span name,
				   struct source *s)
{
	struct channel *c = xcalloc(1, sizeof *c + name.n);

	c->name_n = (uint8_t)name.n;
	memcpy(c->name, name.p, name.n);
	map_put(in->channels, name_of(c), c);
	carry(&c->first, c, s);
	tell(in, name_of(c));
	return c;
}

/* The edge carries it from now on. */
static struct channel *add_carrier(struct interest *in, struct span name,
				   struct source *s)
{
	struct channel *c = find_channel(in, name);
	struct carrier *k;

	if (c == NULL)
		return add_channel(in, name, s);
	for (k = &c->first; k != NULL; k = k->next)
		if (k->source == s)
			return c;
	k = xcalloc(1, sizeof *k);
	k->next = c->first.next;
	c->first.next = k;
	carry(k, c, s);
	return c;
}

/* The first place goes to the second one. */
static void remove_first(struct interest *in, struct channel *c)
{
	struct carrier *second = c->first.next;

	LIST_REMOVE(&c->first, of_source);
	if (second == NULL) {
		map_remove(in->channels, name_of(c));
		tell(in, name_of(c));
		free(c);
		return;
	}
	LIST_REMOVE(second, of_source);
	c->first.next = second->next;
	carry(&c->first, c, second->source);
	free(second);
}

static void remove_carrier(struct interest *in, struct carrier *k)
{
	struct carrier **at = &k->channel->first.next;

	if (k == &k->channel->first) {
		remove_first(in, k->channel);
		return;
	}
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	LIST_REMOVE(k, of_source);
	free(k);
}

static void end_channel(struct interest *in, struct span name, struct source *s)
{
	struct channel *c = find_channel(in, name);

	for (struct carrier *k = c != NULL ? &c->first : NULL; k != NULL; k = k->next)
		if (k->source == s) {
			remove_carrier(in, k);
			return;
		}
}

static void source_free(struct interest *in, struct source *s)
{
	struct carrier *k;

	while ((k = LIST_FIRST(&s->carriers)) != NULL)
		remove_carrier(in, k);
	map_remove(in->sources, key_of(&s->edge));
	free(s);
}

void interest_free(struct interest *in)
{
	struct source *s;

	if (in == NULL)
		return;
	for (size_t at = 0; (s = map_next(in->sources, &at)) != NULL;)
		source_free(in, s);
	map_free(in->sources);
	map_free(in->channels);
	waiting_free(in->waiting);
	timer_free(in->check);
	free(in);
}

size_t interest_each(const struct interest *in, struct span channel, interest_edge_fn *fn,
		     void *arg)
{
	struct channel *c = find_channel(in, channel);
	size_t n = 0;

	for (struct carrier *k = c != NULL ? &c->first : NULL; k != NULL; k = k->next) {
		fn(arg, k->source->edge);
		n++;
	}
	return n;
}

bool interest_is_carried(const struct interest *in, struct span channel)
{
	return find_channel(in, channel) != NULL;
}

void interest_walk(const struct interest *in, interest_changed_fn *fn, void *arg)
{
	const struct channel *c;

	for (size_t at = 0; (c = map_next(in->channels, &at)) != NULL;)
		fn(arg, name_of(c));
}

/* ---- positions ---- */

struct position interest_known(const struct interest *in, struct span channel)
{
	const struct channel *c = find_channel(in, channel);

	if (c == NULL || c->epoch_n == 0)
		return (struct position){.offset = 0};
	return (struct position){span_of(c->epoch, c->epoch_n), c->offset};
}

static void raise(struct channel *c, struct position p)
{
	int order = span_compare(p.epoch, span_of(c->epoch, c->epoch_n));

	if (p.epoch.n == 0 || p.epoch.n > ENVELOPE_EPOCH || order < 0 ||
	    (order == 0 && p.offset <= c->offset))
		return;
	memcpy(c->epoch, p.epoch.p, p.epoch.n);
	c->epoch_n = (uint8_t)p.epoch.n;
	c->offset = p.offset;
}

void interest_delivered(struct interest *in, struct span channel, struct position p)
{
	struct channel *c = find_channel(in, channel);

	if (c != NULL)
		raise(c, p);
}

/* ---- is it complete? ---- */

static void check_sources(struct interest *in)
{
	struct edge_set known = {.words = {0}};
	const struct source *s;

	in->is_whole = true;
	for (size_t at = 0; (s = map_next(in->sources, &at)) != NULL;) {
		in->is_whole = in->is_whole && s->has_all;
		edge_set_put(&known, edge_link_number(s->edge));
	}
	if (edge_set_exceeds(members_linked(in->uses.members), &known))
		in->is_whole = false;
}

/*
 * While the store is up, what brokers say must not be older than one and a half beats: an edge
 * that is linked to another broker, and not here, waits for two. While it is down nobody
 * gets a new number, and what was said last counts.
 */
bool interest_is_complete(const struct interest *in)
{
	int64_t now = loop_now(in->uses.loop), beat = members_beat_ms(in->uses.members);
	bool is_stale = store_is_up(in->uses.store) &&
			now - members_seen_ms(in->uses.members) > beat + beat / 2;

	return in->is_whole && in->joined_ms != 0 && now - in->joined_ms >= 2 * beat &&
	       !is_stale;
}

static bool holds(const void *arg)
{
	return interest_is_complete(arg);
}

bool interest_is_of(const struct interest *in, uint16_t edge)
{
	const struct source *s;

	for (size_t at = 0; (s = map_next(in->sources, &at)) != NULL;)
		if (s->has_all && edge_link_number(s->edge) == edge)
			return true;
	return false;
}

static void update(struct interest *in)
{
	check_sources(in);
	waiting_release(in->waiting, holds, in);
}

static void on_beat(void *arg)
{
	struct interest *in = arg;

	if (in->joined_ms == 0)
		in->joined_ms = loop_now(in->uses.loop);
	update(in);
}

/* Others write at once that a link of theirs has ended: look for it. */
static void on_check(void *arg)
{
	struct interest *in = arg;

	update(in);
	if (waiting_count(in->waiting) == 0)
		return;
	timer_after(in->check, CHECK_MS);
	members_beat_soon(in->uses.members);
}

void interest_wait(struct interest *in, interest_fn *fn, void *arg)
{
	if (waiting_count(in->waiting) == 0 && interest_is_complete(in)) {
		fn(arg, true);
		return;
	}
	metric_add(in->waits, 1);
	if (waiting_count(in->waiting) == 0) {
		timer_after(in->check, CHECK_MS);
		members_beat_soon(in->uses.members);
	}
	if (!waiting_add(in->waiting, fn, arg))
		fn(arg, false);
}

/* ---- what edges say ---- */

void interest_link_up(struct interest *in, struct edge_link *edge)
{
	struct source *s = xcalloc(1, sizeof *s);

	s->edge = edge;
	LIST_INIT(&s->carriers);
	map_put(in->sources, key_of(&s->edge), s);
	check_sources(in);
}

void interest_link_lost(struct interest *in, struct edge_link *edge)
{
	struct source *s = map_find(in->sources, key_of(&edge));

	if (s == NULL) /* it was not up */
		return;
	source_free(in, s);
	check_sources(in);
	if (waiting_count(in->waiting) >
	    0) /* not from here: edges_free calls this, too */
		timer_after(in->check, 0);
}

static void receive_channel(struct interest *in, struct source *s,
			    const Gatepost__Interest__Channel *m)
{
	struct channel *c;

	if (m->ends) {
		end_channel(in, span_from(m->name), s);
		return;
	}
	c = add_carrier(in, span_from(m->name), s);
	if (m->position != NULL)
		raise(c, (struct position){span_from(m->position->epoch),
					   (int64_t)m->position->offset});
}

void interest_receive(struct interest *in, struct edge_link *from,
		      const Gatepost__Interest *m)
{
	struct source *s = map_find(in->sources, key_of(&from));

	if (s == NULL)
		return;
	for (size_t i = 0; i < m->n_channels; i++)
		receive_channel(in, s, m->channels[i]);
	edge_link_confirm(from, m->serial);
	if (!m->all || s->has_all)
		return;
	s->has_all = true;
	update(in);
}
