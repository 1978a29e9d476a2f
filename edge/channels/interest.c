#include "edge/channels/interest.h"

#include "edge/channels/presence.h"
#include "edge/channels/table.h"
#include "proto/envelope.h"

#include <stdlib.h>

enum {
	PART = ENVELOPE_ITEM_PARTS,
	MOVED_MS = 1000,
	MOVED_ITEMS = 16, /* each MOVED_MS */
};

/* An item being made. */
struct item {
	Gatepost__Interest m;
	Gatepost__Interest__Channel channels[PART], *list[PART];
	Gatepost__Position positions[PART];
};

static ProtobufCBinaryData data(struct span s)
{
	return (ProtobufCBinaryData){s.n, (uint8_t *)(uintptr_t)s.p};
}

static void begin(struct item *i)
{
	gatepost__interest__init(&i->m);
	i->m.channels = i->list;
}

static void add(struct item *i, const struct channel *c)
{
	size_t k = i->m.n_channels++;

	gatepost__interest__channel__init(&i->channels[k]);
	i->list[k] = &i->channels[k];
	i->channels[k].name = data(channel_name(c));
	i->channels[k].ends = c->n == 0;
	if (c->n == 0 || !c->is_placed)
		return;
	gatepost__position__init(&i->positions[k]);
	i->positions[k].epoch = data(blob_span(c->epoch));
	i->positions[k].offset = c->offset;
	i->channels[k].position = &i->positions[k];
}

static struct channel_broker *find(struct channels *ch, uint64_t link)
{
	for (size_t i = 0; i < ch->n_brokers; i++)
		if (ch->brokers[i].link == link)
			return &ch->brokers[i];
	return NULL;
}

static void send_whole_list(struct channels *ch, struct channel_broker *b)
{
	struct item *i = xmalloc(sizeof *i);
	struct channel *c;
	size_t at = 0;

	begin(i);
	while ((c = map_next(ch->table, &at)) != NULL) {
		if (c->n == 0)
			continue;
		if (i->m.n_channels == PART) {
			i->m.serial = ++b->told;
			channel_link_interest(ch->uplink, b->link, &i->m);
			begin(i);
		}
		add(i, c);
	}
	i->m.serial = ++b->told;
	i->m.all = true;
	channel_link_interest(ch->uplink, b->link, &i->m);
	b->first = b->told;
	free(i);
}

void interest_linked(struct channels *ch, uint64_t link, int64_t settled_ms)
{
	struct channel_broker *b;

	ch->brokers = xrealloc(ch->brokers, (ch->n_brokers + 1) * sizeof *ch->brokers);
	b = &ch->brokers[ch->n_brokers++];
	*b = (struct channel_broker){
		.link = link, .settled_ms = settled_ms, .change = ch->changes};
	send_whole_list(ch, b);
}

/* ---- outcomes ---- */

/* The changes that all brokers have confirmed. */
static uint64_t confirmed_by_all(const struct channels *ch)
{
	uint64_t least = CHANGE_NONE - 1;

	for (size_t i = 0; i < ch->n_brokers; i++) {
		const struct channel_broker *b = &ch->brokers[i];
		uint64_t own = b->confirmed < b->first
				       ? 0
				       : b->change + (b->confirmed - b->first);

		if (own < least)
			least = own;
	}
	return least;
}

static void stop_waiting(struct pending *p)
{
	if (p->waits_in != NULL)
		TAILQ_REMOVE(p->waits_in, p, waits);
	p->waits_in = NULL;
}

static void wait_in(struct pending *p, struct pending_list *list)
{
	stop_waiting(p);
	TAILQ_INSERT_TAIL(list, p, waits);
	p->waits_in = list;
}

static void give_outcome(struct channels *ch, struct pending *p)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	stop_waiting(p);
	o.ticket = p->ticket;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	channel_link_outcome(ch->uplink, p->link, &o);
}

/* Also brokers that are not linked here know that they lack the interest of this edge. */
static bool is_settled(const struct channels *ch)
{
	int64_t now = loop_now(ch->loop);

	for (size_t i = 0; i < ch->n_brokers; i++)
		if (ch->brokers[i].settled_ms > now)
			return channel_link_is_complete(ch->uplink);
	return true;
}

static void advance(struct channels *ch, struct pending *p, uint64_t confirmed)
{
	if (p->sub->channel->change > confirmed) {
		if (p->waits_in != &ch->unconfirmed)
			wait_in(p, &ch->unconfirmed);
	} else if (!is_settled(ch)) {
		if (p->waits_in != &ch->unsettled)
			wait_in(p, &ch->unsettled);
	} else {
		give_outcome(ch, p);
	}
}

/* They joined in the order of the changes, or later: behind one that has to wait, the others may as well. */
static void advance_unconfirmed(struct channels *ch)
{
	uint64_t confirmed = confirmed_by_all(ch);
	struct pending *p;

	while ((p = TAILQ_FIRST(&ch->unconfirmed)) != NULL &&
	       p->sub->channel->change <= confirmed)
		advance(ch, p, confirmed);
}

void interest_wait(struct channels *ch, struct pending *p)
{
	stop_waiting(p);
	if (find(ch, p->link) != NULL) /* else nobody wants it */
		advance(ch, p, confirmed_by_all(ch));
}

void interest_confirmed(struct channels *ch, uint64_t link, uint64_t serial)
{
	struct channel_broker *b = find(ch, link);

	if (b == NULL || serial <= b->confirmed || serial > b->told)
		return;
	b->confirmed = serial;
	advance_unconfirmed(ch);
}

static void forget_link(struct pending_list *list, uint64_t link)
{
	struct pending *p, *next;

	for (p = TAILQ_FIRST(list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, waits);
		if (p->link == link)
			stop_waiting(p);
	}
}

void interest_unlinked(struct channels *ch, uint64_t link)
{
	struct channel_broker *b = find(ch, link);

	if (b == NULL)
		return;
	*b = ch->brokers[--ch->n_brokers];
	forget_link(&ch->unconfirmed, link);
	forget_link(&ch->unsettled, link);
	advance_unconfirmed(ch);
}

static void settle(struct channels *ch)
{
	uint64_t confirmed = confirmed_by_all(ch);
	struct pending *p, *next;

	if (TAILQ_EMPTY(&ch->unsettled) || !is_settled(ch))
		return;
	for (p = TAILQ_FIRST(&ch->unsettled); p != NULL; p = next) {
		next = TAILQ_NEXT(p, waits);
		advance(ch, p, confirmed);
	}
}

/* ---- changes ---- */

static void send_to_all(struct channels *ch, struct item *i)
{
	ch->changes++;
	for (size_t k = 0; k < ch->n_brokers; k++) {
		i->m.serial = ++ch->brokers[k].told;
		channel_link_interest(ch->uplink, ch->brokers[k].link, &i->m);
	}
}

/* Up to PART channels of the list. */
static void flush_some(struct channels *ch)
{
	struct item *i = xmalloc(sizeof *i);
	struct channel *done[PART], *c;
	bool news = false;
	size_t n = 0;

	begin(i);
	while (n < PART && (c = TAILQ_FIRST(&ch->changed)) != NULL) {
		bool was_told = c->change != CHANGE_NONE;

		TAILQ_REMOVE(&ch->changed, c, changed);
		c->is_changed = false;
		if ((c->n > 0) != was_told) {
			add(i, c);
			done[n++] = c;
			news = true;
		} else if (c->n == 0) {
			presence_drop(ch, c);
			table_free_channel(ch, c);
		}
	}
	if (news)
		send_to_all(ch, i);
	for (size_t k = 0; k < n; k++) {
		done[k]->change = ch->changes;
		if (done[k]->n == 0) {
			presence_drop(ch, done[k]);
			table_free_channel(ch, done[k]);
		}
	}
	free(i);
}

void interest_flush(struct channels *ch)
{
	while (!TAILQ_EMPTY(&ch->changed))
		flush_some(ch);
}

/* ---- positions ---- */

/* Channels that begin or end now are told in their turn. */
static void tell_moved(struct channels *ch, struct item *i)
{
	struct channel *c;

	begin(i);
	while (i->m.n_channels < PART && (c = TAILQ_FIRST(&ch->moved)) != NULL) {
		TAILQ_REMOVE(&ch->moved, c, moved);
		c->is_moved = false;
		if (c->n > 0 && c->change != CHANGE_NONE && c->is_placed)
			add(i, c);
	}
	metric_add(ch->counts.positions, (int64_t)i->m.n_channels);
	if (i->m.n_channels > 0)
		send_to_all(ch, i);
}

void interest_tick(struct channels *ch, int64_t now)
{
	struct item *i;

	settle(ch);
	if (TAILQ_EMPTY(&ch->moved) || now - ch->told_ms < MOVED_MS)
		return;
	ch->told_ms = now;
	i = xmalloc(sizeof *i);
	for (int k = 0; k < MOVED_ITEMS && !TAILQ_EMPTY(&ch->moved); k++)
		tell_moved(ch, i);
	free(i);
}
