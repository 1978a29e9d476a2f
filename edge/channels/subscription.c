#include "edge/channels/subscription.h"

#include "base/clock.h"
#include "edge/channels/deliver.h"
#include "edge/channels/emit.h"
#include "edge/channels/gap.h"
#include "edge/channels/interest.h"
#include "edge/channels/table.h"
#include "proto/batch.h"
#include "proto/envelope.h"

#include <stdlib.h>

enum { PENDING_MS = 30 * 1000 };

/* The part before the first ':'. */
static struct span namespace_of(struct span channel)
{
	const uint8_t *colon = memchr(channel.p, ':', channel.n);

	return colon != NULL ? span_of(channel.p, (size_t)(colon - channel.p))
			     : span_str("default");
}

/* As many as a disconnect may name, or as it may have in its namespace. */
static bool is_full(const struct subscriber *s, const Gatepost__Subscription *m)
{
	struct span wanted = namespace_of(span_from(m->channel));
	uint32_t all = 0, n = 0;

	for (const struct subscription *sub = s->first; sub != NULL; sub = sub->next) {
		all++;
		n += span_eq(namespace_of(channel_name(sub->channel)), wanted);
	}
	return all >= ENVELOPE_NAMES || (m->most > 0 && n >= m->most);
}

/* From the wall's clock to the loop's; a time that has passed is the next one. */
static int64_t loop_time(const struct channels *ch, int64_t wall_ms)
{
	int64_t at = loop_now(ch->loop) + (wall_ms - clock_wall_ms());

	return wall_ms == 0 ? 0 : at > 0 ? at : 1;
}

static void set_special(struct subscription *sub, uint8_t bit, bool is_set)
{
	if (is_set)
		sub->special |= bit;
	else
		sub->special &= (uint8_t)~bit;
}

static uint8_t options_of(const Gatepost__Subscription *m)
{
	return (uint8_t)((m->raw ? OPTION_RAW : 0) | (m->cache ? OPTION_CACHE : 0) |
			 (m->presence_events ? OPTION_PRESENCE : 0));
}

static void set_options(struct channels *ch, struct subscription *sub,
			const Gatepost__Subscription *m)
{
	struct extra *x = table_extra(sub);

	filter_free(x->filter);
	x->filter = filter_new(m->filter, m->n_filter);
	ch->members -= x->member != NULL;
	blob_unref(x->member);
	x->member = m->member.len > 0 ? blob_new(span_from(m->member)) : NULL;
	ch->members += x->member != NULL;
	set_special(sub, SPECIAL_FILTER, x->filter != NULL);
	set_special(sub, SPECIAL_BATCH, m->batch && !m->raw);
	sub->policy = (uint8_t)m->slow;
	table_set_option(sub, options_of(m));
	table_expire(ch, sub, loop_time(ch, m->expires_ms));
}

static void answer(struct channels *ch, uint64_t link, uint64_t ticket,
		   Gatepost__Outcome__Result result)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.ticket = ticket;
	o.result = result;
	channel_link_outcome(ch->uplink, link, &o);
}

static void pend(struct channels *ch, struct subscription *sub, uint64_t link,
		 uint64_t ticket)
{
	struct extra *x = table_extra(sub);
	struct channel *c = sub->channel;
	struct pending *p = x->pending;

	if (p == NULL) {
		p = xcalloc(1, sizeof *p);
		p->sub = sub;
		p->kept_from = c->kept_gone + c->kept.n;
		x->pending = p;
		sub->special |= SPECIAL_PENDING;
		c->n_pending++;
	} else { /* its broker was lost, and another one handles the event again */
		TAILQ_REMOVE(&ch->pending, p, all);
	}
	TAILQ_INSERT_TAIL(&ch->pending, p, all);
	p->since_ms = loop_now(ch->loop);
	p->link = link;
	p->ticket = ticket;
	interest_wait(ch, p);
}

static void answer_live(struct channels *ch, const struct subscription *sub,
			uint64_t link, uint64_t ticket)
{
	Gatepost__Position position = GATEPOST__POSITION__INIT;
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	const struct channel *c = sub->channel;

	o.ticket = ticket;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.subscribed = true;
	if (c->is_placed) {
		position.epoch = (ProtobufCBinaryData){c->epoch->n, c->epoch->p};
		position.offset =
			sub->special & SPECIAL_CATCHING ? sub->extra->own : c->offset;
		o.position = &position;
	}
	channel_link_outcome(ch->uplink, link, &o);
}

/* A live one gets other options. */
static void replace_options(struct channels *ch, struct subscription *sub, uint64_t link,
			    uint64_t ticket, const Gatepost__Subscription *m)
{
	if (emit_batch(ch, sub) == EMIT_GONE) {
		answer(ch, link, ticket, GATEPOST__OUTCOME__RESULT__GONE);
		return;
	}
	set_options(ch, sub, m);
	answer_live(ch, sub, link, ticket);
	table_trim(sub);
}

void subscription_begin(struct channels *ch, struct subscriber *s, uint64_t link,
			uint64_t ticket, const Gatepost__Subscription *m)
{
	struct span name = span_from(m->channel);
	struct subscription *sub = table_subscription(s, name);

	if (sub == NULL && is_full(s, m)) {
		answer(ch, link, ticket, GATEPOST__OUTCOME__RESULT__FULL);
		return;
	}
	if (sub != NULL && !(sub->special & SPECIAL_PENDING)) {
		replace_options(ch, sub, link, ticket, m);
		return;
	}
	if (sub == NULL)
		sub = table_add(ch, s, name);
	set_options(ch, sub, m);
	pend(ch, sub, link, ticket);
}

/* ---- activation ---- */

static void tell_unsubscribed(struct channels *ch, struct subscriber *s,
			      struct span channel, struct span reason)
{
	struct blob *frame = text_unsubscribed(channel, reason);

	(void)ch->on.send(s, frame, true);
	blob_unref(frame);
}

static enum emitted send_missed(struct channels *ch, struct subscription *sub,
				const Gatepost__Activate *m)
{
	enum emitted done = EMIT_NOT;

	for (size_t i = 0; i < m->n_missed && done != EMIT_GONE; i++) {
		struct publication *p = publication_new(m->missed[i]);

		done = emit_missed(ch, sub, p);
		publication_unref(p);
	}
	return done;
}

static enum emitted send_reset(struct channels *ch, struct subscription *sub,
			       enum text_reason why, struct span epoch)
{
	struct publication *reset =
		publication_reset(text_reset(channel_name(sub->channel), epoch, 0, why));
	enum emitted done = emit_reset(ch, sub, reset);

	metric_add(ch->counts.resets[why], 1);
	publication_unref(reset);
	return done;
}

/* Where it stands in the channel's epoch, which is not older; the channel is placed there, if it had no position. */
static enum emitted place(struct channels *ch, struct subscription *sub,
			  const Gatepost__Position *p)
{
	struct channel *c = sub->channel;
	int newer = deliver_compare(c, span_from(p->epoch));
	enum emitted done = EMIT_NOT;
	uint64_t own = p->offset;

	if (newer < 0) {
		own = 0;
		done = send_reset(ch, sub, TEXT_EPOCH, blob_span(c->epoch));
	}
	if (done == EMIT_GONE)
		return EMIT_GONE;
	table_catch(sub, own);
	if (own > c->top)
		c->top = own;
	if (!c->is_placed)
		deliver_place(ch, c, own);
	return EMIT_NOT;
}

/* The subscription is live, but has an own position: bring it to that of the channel. */
static enum emitted catch_up(struct channels *ch, struct subscription *sub,
			     const Gatepost__Activate *m, uint64_t kept_from)
{
	struct subscriber *s = sub->owner;
	struct channel *c = sub->channel;
	bool was_cut = m->position == NULL && c->kept_gone > kept_from;

	if (send_missed(ch, sub, m) == EMIT_GONE)
		return EMIT_GONE;
	if (was_cut && send_reset(ch, sub, TEXT_LOST, span_of(NULL, 0)) == EMIT_GONE)
		return EMIT_GONE;
	if (m->position != NULL && place(ch, sub, m->position) == EMIT_GONE)
		return EMIT_GONE;
	/* What was held may have ended the connection. */
	if (table_subscription(s, span_from(m->channel)) == NULL ||
	    emit_kept(ch, sub, kept_from) == EMIT_GONE)
		return EMIT_GONE;
	if (sub->special & SPECIAL_CATCHING && sub->extra->own == c->offset)
		table_caught(sub);
	return emit_batch(ch, sub);
}

void subscription_activate(struct channels *ch, struct subscriber *s,
			   const Gatepost__Activate *m)
{
	struct subscription *sub = table_subscription(s, span_from(m->channel));
	struct channel *c;
	uint64_t kept_from;
	bool ahead;

	/* It has ended meanwhile, and its client has just read that it is subscribed. */
	if (sub == NULL) {
		tell_unsubscribed(ch, s, span_from(m->channel), span_str("server"));
		ch->on.unsubscribed(s, span_from(m->channel));
		return;
	}
	if (!(sub->special & SPECIAL_PENDING))
		return;
	c = sub->channel;
	kept_from = sub->extra->pending->kept_from;
	if (m->position != NULL && deliver_compare(c, span_from(m->position->epoch)) > 0)
		deliver_begin_epoch(ch, c, span_from(m->position->epoch));
	table_catch(sub, c->offset);
	table_unpend(ch, sub);
	if (catch_up(ch, sub, m, kept_from) != EMIT_GONE) {
		ahead = sub->special & SPECIAL_CATCHING && sub->extra->own > c->offset;
		table_trim(sub);
		gap_check(ch, c, ahead);
	}
}

/* ---- the end ---- */

bool subscription_unsubscribe(struct channels *ch, struct subscriber *s,
			      struct span channel, struct span reason)
{
	struct subscription *sub = table_subscription(s, channel);
	bool tells;

	if (sub == NULL)
		return false;
	if (emit_batch(ch, sub) == EMIT_GONE)
		return true;
	tells = !(sub->special & SPECIAL_PENDING) && !(sub->options & OPTION_RAW);
	table_remove(ch, sub);
	if (tells)
		tell_unsubscribed(ch, s, channel, reason);
	return true;
}

void subscription_drop(struct channels *ch, struct subscriber *s, struct span channel)
{
	struct subscription *sub = table_subscription(s, channel);

	if (sub != NULL)
		table_remove(ch, sub);
}

bool subscription_is_live(const struct subscriber *s, struct span channel)
{
	const struct subscription *sub = table_subscription(s, channel);

	return sub != NULL && !(sub->special & SPECIAL_PENDING);
}

void subscription_leave(struct channels *ch, struct subscriber *s)
{
	while (s->first != NULL)
		table_remove(ch, s->first);
}

void subscription_drained(struct channels *ch, struct subscriber *s)
{
	struct subscription *sub = s->first, *next;

	for (; sub != NULL; sub = next) {
		next = sub->next;
		if (emit_drained(ch, sub) == EMIT_GONE)
			return;
	}
}

struct blob *subscription_presence(const struct subscriber *s)
{
	struct blob *names;
	size_t n = 0;

	for (const struct subscription *sub = s->first; sub != NULL; sub = sub->next)
		if (sub->extra != NULL && sub->extra->member != NULL)
			n += 1U + sub->channel->n_name;
	if (n == 0)
		return NULL;
	names = blob_alloc(n);
	n = 0;
	for (const struct subscription *sub = s->first; sub != NULL; sub = sub->next) {
		if (sub->extra == NULL || sub->extra->member == NULL)
			continue;
		names->p[n++] = sub->channel->n_name;
		memcpy(names->p + n, sub->channel->name, sub->channel->n_name);
		n += sub->channel->n_name;
	}
	return names;
}

bool subscription_is_member(const struct subscriber *s, struct span channel)
{
	const struct subscription *sub = table_subscription(s, channel);

	return sub != NULL && sub->extra != NULL && sub->extra->member != NULL;
}

void subscription_memberships(const struct subscriber *s, uplink_membership_fn *fn,
			      void *arg)
{
	for (const struct subscription *sub = s->first; sub != NULL; sub = sub->next)
		if (sub->extra != NULL && sub->extra->member != NULL)
			fn(arg, channel_name(sub->channel),
			   blob_span(sub->extra->member));
}

/* Its channel lives until the end of the turn, whatever happens to the subscription. */
static void end_by_itself(struct channels *ch, struct subscription *sub)
{
	struct subscriber *s = sub->owner;
	struct span channel = channel_name(sub->channel);
	bool is_member = sub->extra->member != NULL;

	subscription_unsubscribe(ch, s, channel, span_str("expired"));
	if (is_member)
		ch->on.unsubscribed(s, channel);
}

void subscription_tick(struct channels *ch, int64_t now)
{
	uint32_t some = ch->n_expiring / (1000 / CHANNELS_TICK_MS) + 1;
	const struct pending *p;

	while ((p = TAILQ_FIRST(&ch->pending)) != NULL && now - p->since_ms > PENDING_MS)
		end_by_itself(ch, p->sub);
	/* Each about once a second; one that ends is replaced by the last one. */
	for (; some > 0 && ch->n_expiring > 0; some--) {
		struct subscription *sub;

		if (ch->expiring_next >= ch->n_expiring)
			ch->expiring_next = 0;
		sub = ch->expiring[ch->expiring_next];
		if (sub->extra->expires_ms <= now)
			end_by_itself(ch, sub);
		else
			ch->expiring_next++;
	}
}
