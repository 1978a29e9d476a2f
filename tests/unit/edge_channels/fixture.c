#include "fixture.h"

#include "base/mem.h"
#include "edge/channels/subscription.h"
#include "proto/batch.h"
#include "ws/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINKS = 4, PUBLICATIONS = 1100 };

struct fixture edge;

static struct {
	char sent[TEXT_MOST];
	uint64_t told;
	bool is_up;
} links[LINKS];
static uint64_t picked;

/* ---- in place of edge/link/channel_link.c ---- */

static void note(uint64_t link, const char *fmt, ...)
{
	char *to = links[link].sent;
	size_t n = strlen(to);
	va_list ap;

	cr_assert(lt(u64, link, LINKS));
	va_start(ap, fmt);
	vsnprintf(to + n, TEXT_MOST - n, fmt, ap);
	va_end(ap);
}

static void note_position(uint64_t link, const Gatepost__Position *p)
{
	if (p != NULL)
		note(link, "@%.*s/%llu", SPAN_ARG(span_from(p->epoch)),
		     (unsigned long long)p->offset);
}

void channel_link_interest(struct uplink *u, uint64_t link, const Gatepost__Interest *m)
{
	(void)u;
	links[link].told = m->serial;
	note(link, "I%llu%s(", (unsigned long long)m->serial, m->all ? "*" : "");
	for (size_t i = 0; i < m->n_channels; i++) {
		note(link, "%s%.*s%s", i > 0 ? "," : "",
		     SPAN_ARG(span_from(m->channels[i]->name)),
		     m->channels[i]->ends ? "-" : "");
		note_position(link, m->channels[i]->position);
	}
	note(link, ") ");
}

void channel_link_gap(struct uplink *u, uint64_t link, const Gatepost__Gap *m)
{
	(void)u;
	note(link, "G(%.*s", SPAN_ARG(span_from(m->channel)));
	note_position(link, m->position);
	note(link, ") ");
}

void channel_link_outcome(struct uplink *u, uint64_t link, const Gatepost__Outcome *m)
{
	static const char *const names[] = {"?", "OK", "GONE", "FULL"};

	(void)u;
	note(link, "O%llu=%s%s", (unsigned long long)m->ticket, names[m->result],
	     m->subscribed ? "+" : "");
	note_position(link, m->position);
	if (m->reached > 0)
		note(link, ":%u", m->reached);
	note(link, " ");
}

uint64_t channel_link_pick(struct uplink *u, uint64_t but)
{
	(void)u;
	for (uint64_t i = 1; i <= LINKS; i++) {
		uint64_t link = (picked + i) % LINKS;

		if (links[link].is_up && link != but)
			return picked = link;
	}
	return links[but].is_up ? but : 0;
}

bool channel_link_is_complete(const struct uplink *u)
{
	(void)u;
	return !edge.is_incomplete;
}

void link_up_young(uint64_t link, int64_t ms)
{
	links[link].is_up = true;
	channels_link_callbacks.linked(edge.channels, link, loop_now(edge.loop) + ms);
}

void link_up(uint64_t link)
{
	link_up_young(link, 0);
}

void link_down(uint64_t link)
{
	links[link].is_up = false;
	channels_link_callbacks.unlinked(edge.channels, link);
}

void link_receive(uint64_t link, Gatepost__Item__BodyCase what, void *m)
{
	Gatepost__Item i = GATEPOST__ITEM__INIT;

	i.body_case = what;
	i.hello = m;
	channels_link_callbacks.item(edge.channels, link, &i);
}

void link_confirm(uint64_t link, uint64_t serial)
{
	Gatepost__Confirmation m = GATEPOST__CONFIRMATION__INIT;

	m.serial = serial;
	link_receive(link, GATEPOST__ITEM__BODY_CONFIRMATION, &m);
}

void link_confirm_all(uint64_t link)
{
	link_confirm(link, links[link].told);
}

const char *link_sent(uint64_t link)
{
	static char out[TEXT_MOST];
	size_t n = strlen(links[link].sent);

	memcpy(out, links[link].sent, n);
	out[n > 0 ? n - 1 : 0] = '\0'; /* without the last space */
	links[link].sent[0] = '\0';
	return out;
}

/* ---- in place of the clients' side ---- */

static enum err send_frame(struct subscriber *s, struct blob *b, bool must)
{
	struct member *m = (struct member *)(void *)s;
	struct frame f;
	size_t n = strlen(m->got);

	cr_assert(not(m->is_gone), "a frame for a connection that has ended");
	if (m->dies) {
		m->is_gone = true;
		subscription_leave(edge.channels, s);
		return ERR_DOWN;
	}
	if (m->is_full && !must)
		return ERR_BUSY;
	cr_assert(eq(int, frame_parse_server(blob_span(b), &f), OK));
	m->n++;
	m->bytes += f.payload;
	snprintf(m->got + n, TEXT_MOST - n, "%s%.*s", n > 0 ? " " : "", (int)f.payload,
		 (const char *)b->p + f.header);
	return OK;
}

static void end_slow(struct subscriber *s)
{
	struct member *m = (struct member *)(void *)s;

	m->is_gone = true;
	subscription_leave(edge.channels, s);
}

static void unsubscribed(struct subscriber *s, struct span channel)
{
	struct member *m = (struct member *)(void *)s;
	size_t n = strlen(m->left);

	snprintf(m->left + n, sizeof m->left - n, "%.*s ", SPAN_ARG(channel));
}

const char *got(struct member *m)
{
	static char out[TEXT_MOST];

	memcpy(out, m->got, strlen(m->got) + 1);
	m->got[0] = '\0';
	return out;
}

/* ---- all of it ---- */

void channels_start(void)
{
	static const struct channels_callbacks on = {send_frame, end_slow, unsubscribed};

	memset(&edge, 0, sizeof edge);
	memset(links, 0, sizeof links);
	picked = 0;
	edge.loop = loop_new();
	edge.metrics = metrics_new();
	edge.channels = channels_new(edge.loop, edge.metrics, &on);
	channels_use(edge.channels, (struct uplink *)(void *)&edge);
}

void channels_end(void)
{
	for (size_t i = 0; i < MEMBERS; i++)
		subscription_leave(edge.channels, &edge.members[i].subscriber);
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 0));
	turn();
	cr_assert(eq(i64, counted("gatepost_edge_channels", NULL), 0));
	channels_stop(edge.channels);
	channels_free(edge.channels);
	loop_free(edge.loop);
	metrics_free(edge.metrics);
}

void turn(void)
{
	fake_loop_turn(edge.loop);
}

void pass(int64_t ms)
{
	fake_loop_run(edge.loop, ms);
}

int64_t counted(const char *name, const char *labels)
{
	struct evbuffer *out = evbuffer_new();
	char *want =
		labels ? xasprintf("\n%s{%s} ", name, labels) : xasprintf("\n%s ", name);
	const char *at;
	int64_t value;

	metrics_print(edge.metrics, out);
	evbuffer_add(out, "", 1);
	at = strstr((char *)evbuffer_pullup(out, -1), want);
	cr_assert(at != NULL, "no metric %s", want + 1);
	value = strtoll(at + strlen(want), NULL, 10);
	free(want);
	evbuffer_free(out);
	return value;
}

/* ---- brokers ---- */

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){text ? strlen(text) : 0, (uint8_t *)(uintptr_t)text};
}

Gatepost__Subscription *subscription_of(const char *channel)
{
	static Gatepost__Subscription m;

	gatepost__subscription__init(&m);
	m.channel = data(channel);
	return &m;
}

void subscribe(struct member *m, uint64_t link, uint64_t ticket,
	       const Gatepost__Subscription *s)
{
	subscription_begin(edge.channels, &m->subscriber, link, ticket, s);
	turn();
}

/* The bodies, separated by spaces, with offsets from first on. Lives until the next call. */
static size_t publications(const char *bodies, uint64_t first,
			   Gatepost__Publication ***out)
{
	static Gatepost__Publication all[PUBLICATIONS], *list[PUBLICATIONS];
	static char text[TEXT_MOST];
	size_t n = 0;
	char *save, *word;

	snprintf(text, sizeof text, "%s", bodies ? bodies : "");
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		cr_assert(lt(sz, n, PUBLICATIONS));
		gatepost__publication__init(&all[n]);
		all[n].offset = first + n;
		all[n].body = data(word);
		list[n] = &all[n];
		n++;
	}
	*out = list;
	return n;
}

void activate(struct member *m, const char *channel, const char *epoch, uint64_t offset,
	      const char *missed)
{
	Gatepost__Activate a = GATEPOST__ACTIVATE__INIT;
	Gatepost__Position p = GATEPOST__POSITION__INIT;

	a.channel = data(channel);
	a.n_missed = publications(missed, 1, &a.missed);
	for (size_t i = 0; i < a.n_missed; i++)
		a.missed[i]->offset = offset - a.n_missed + 1 + i;
	p.epoch = data(epoch);
	p.offset = offset;
	a.position = epoch ? &p : NULL;
	subscription_activate(edge.channels, &m->subscriber, &a);
}

void make_live(struct member *m, const Gatepost__Subscription *s, const char *epoch,
	       uint64_t offset)
{
	char *channel = span_dup(span_from(s->channel));

	subscribe(m, 1, 99, s);
	for (uint64_t i = 1; i < LINKS; i++)
		if (links[i].is_up)
			link_confirm_all(i);
	activate(m, channel, epoch, offset, NULL);
	turn();
	for (uint64_t i = 1; i < LINKS; i++)
		link_sent(i);
	free(channel);
}

static void send_deliver(Gatepost__Deliver *m, uint64_t link, const char *channel,
			 const char *epoch, Gatepost__Publication *p, uint64_t offset,
			 const char *body)
{
	p->offset = offset;
	p->body = data(body);
	m->channel = data(channel);
	m->epoch = data(epoch);
	m->publication = p;
	link_receive(link, GATEPOST__ITEM__BODY_DELIVER, m);
}

void deliver(const char *channel, const char *epoch, uint64_t offset, const char *body)
{
	deliver_asked(1, 0, channel, epoch, offset, body);
}

void deliver_asked(uint64_t link, uint64_t ticket, const char *channel, const char *epoch,
		   uint64_t offset, const char *body)
{
	Gatepost__Deliver m = GATEPOST__DELIVER__INIT;
	Gatepost__Publication p = GATEPOST__PUBLICATION__INIT;

	m.ticket = ticket;
	send_deliver(&m, link, channel, epoch, &p, offset, body);
}

void deliver_tagged(const char *channel, uint64_t offset, const char *body,
		    const char *key, const char *value)
{
	Gatepost__Deliver m = GATEPOST__DELIVER__INIT;
	Gatepost__Publication p = GATEPOST__PUBLICATION__INIT;
	Gatepost__Tag tag = GATEPOST__TAG__INIT, *tags[] = {&tag};

	tag.key = data(key);
	tag.value = data(value);
	p.n_tags = 1;
	p.tags = tags;
	send_deliver(&m, 1, channel, offset > 0 ? "e" : NULL, &p, offset, body);
}

void fill(const char *channel, const char *epoch, uint64_t from, uint64_t top,
	  uint64_t first, const char *bodies, bool lost)
{
	Gatepost__Fill m = GATEPOST__FILL__INIT;
	Gatepost__Position a = GATEPOST__POSITION__INIT, b = GATEPOST__POSITION__INIT;

	m.channel = data(channel);
	a.epoch = b.epoch = data(epoch);
	a.offset = from;
	b.offset = top;
	m.from = &a;
	m.top = &b;
	m.lost = lost;
	m.n_publications = publications(bodies, first, &m.publications);
	link_receive(1, GATEPOST__ITEM__BODY_FILL, &m);
}
