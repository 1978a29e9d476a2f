#include "edge/channels/deliver.h"

#include "edge/channels/emit.h"
#include "edge/channels/table.h"
#include "proto/batch.h"

static void answer(struct channels *ch, const struct publication *p, uint32_t reached)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	if (p->ticket == 0)
		return;
	o.ticket = p->ticket;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.reached = reached;
	channel_link_outcome(ch->uplink, p->link, &o);
}

/* For those that are pending, or catching up. */
static void keep(struct channel *c, struct publication *p)
{
	shelf_push(&c->kept, p);
	if (c->kept.n <= CHANNEL_KEEPS && c->kept.bytes <= CHANNEL_KEEPS_BYTES)
		return;
	publication_unref(shelf_shift(&c->kept));
	c->kept_gone++;
}

/* From the end: a connection that ends takes only its own one out, and the last one, which has its own, moves there. */
static void fan_out(struct channels *ch, struct channel *c, struct publication *p)
{
	uint32_t reached = 0;

	if (c->n_pending + c->n_catching > 0)
		keep(c, p);
	for (uint32_t i = c->n; i-- > 0;)
		reached += emit_publication(ch, c->subs[i], p) == EMIT_SENT;
	answer(ch, p, reached);
}

/* It came with a fill before: those that are live have it, unless their filters say no, which nobody counted. */
static void answer_had(struct channels *ch, const struct channel *c,
		       const struct publication *p)
{
	answer(ch, p, c->n - c->n_pending);
}

static void drain_held(struct channels *ch, struct channel *c)
{
	while (c->held.n > 0 && shelf_at(&c->held, 0)->offset <= c->offset + 1) {
		struct publication *p = shelf_shift(&c->held);

		if (p->offset == c->offset + 1) {
			c->offset++;
			fan_out(ch, c, p);
		} else {
			answer_had(ch, c, p);
		}
		publication_unref(p);
	}
}

/* In the order of offsets; when there are too many, the highest ones go: they come again with the gap. */
static void hold(struct channels *ch, struct channel *c, struct publication *p)
{
	uint32_t i = c->held.n;

	if (p->offset > c->top)
		c->top = p->offset;
	while (i > 0 && shelf_at(&c->held, i - 1)->offset > p->offset)
		i--;
	if (i > 0 && shelf_at(&c->held, i - 1)->offset == p->offset) {
		answer(ch, p, 0);
		return;
	}
	shelf_insert(&c->held, i, p);
	while (c->held.n > CHANNEL_KEEPS || c->held.bytes > CHANNEL_KEEPS_BYTES) {
		struct publication *last = shelf_pop(&c->held);

		answer(ch, last, 0);
		publication_unref(last);
	}
}

void deliver_take(struct channels *ch, struct channel *c, struct publication *p)
{
	if (p->offset == 0) {
		fan_out(ch, c, p);
	} else if (!c->is_placed || p->offset > c->offset + 1) {
		hold(ch, c, p);
	} else if (p->offset == c->offset + 1) {
		c->offset++;
		if (p->offset > c->top)
			c->top = p->offset;
		fan_out(ch, c, p);
		drain_held(ch, c);
	} else {
		answer_had(ch, c, p);
	}
}

int deliver_compare(const struct channel *c, struct span epoch)
{
	return span_compare(epoch, blob_span(c->epoch));
}

void deliver_forget_above(struct channels *ch, struct channel *c, uint64_t offset)
{
	while (c->held.n > 0 && shelf_at(&c->held, c->held.n - 1)->offset > offset) {
		struct publication *p = shelf_pop(&c->held);

		answer(ch, p, 0);
		publication_unref(p);
	}
	if (c->top > offset)
		c->top = offset;
}

void deliver_begin_epoch(struct channels *ch, struct channel *c, struct span epoch)
{
	deliver_forget_above(ch, c, 0);
	c->kept_gone += c->kept.n;
	shelf_clear(&c->kept);
	blob_unref(c->epoch);
	c->epoch = blob_new(epoch);
	c->offset = c->top = 0;
	if (c->is_placed)
		deliver_reset(ch, c, TEXT_EPOCH, NULL);
}

void deliver_place(struct channels *ch, struct channel *c, uint64_t offset)
{
	c->is_placed = true;
	c->offset = offset;
	if (offset > c->top)
		c->top = offset;
	drain_held(ch, c);
}

/* A channel had no history, and has now: those that are live get what comes from here on. */
static void adopt(struct channels *ch, struct channel *c, uint64_t offset)
{
	if (c->held.n > 0 && shelf_at(&c->held, 0)->offset < offset)
		offset = shelf_at(&c->held, 0)->offset;
	deliver_place(ch, c, offset - 1);
}

struct channel *deliver_item(struct channels *ch, uint64_t link,
			     const Gatepost__Deliver *m)
{
	struct channel *c = table_find(ch, span_from(m->channel));
	struct publication *p;
	int newer = 0;

	metric_add(ch->counts.publications, 1);
	if (c != NULL && m->publication->offset > 0)
		newer = deliver_compare(c, span_from(m->epoch));
	if (c == NULL || newer < 0) {
		answer(ch, &(struct publication){.link = link, .ticket = m->ticket}, 0);
		return c;
	}
	if (newer > 0)
		deliver_begin_epoch(ch, c, span_from(m->epoch));
	if (m->publication->offset > 0 && !c->is_placed && c->n_pending == 0)
		adopt(ch, c, m->publication->offset);
	p = publication_new(m->publication);
	p->link = link;
	p->ticket = m->ticket;
	deliver_take(ch, c, p);
	publication_unref(p);
	return c;
}

/* ---- resets ---- */

struct reset {
	enum text_reason why;
	struct publication *frame, *newest;
};

static void begin(struct reset *r, const struct channel *c)
{
	r->frame = publication_reset(
		text_reset(channel_name(c), blob_span(c->epoch), c->offset, r->why));
}

static void reset_one(struct channels *ch, struct subscription *sub,
		      const struct reset *r)
{
	table_caught(sub);
	table_trim(sub);
	if (r->newest != NULL && sub->options & OPTION_CACHE) {
		(void)emit_missed(ch, sub, r->newest);
	} else if (!(sub->options & OPTION_RAW)) {
		metric_add(ch->counts.resets[r->why], 1);
		(void)emit_reset(ch, sub, r->frame);
	}
}

/* It went live at a position above the hole: it has missed nothing of that. */
static bool has_all(const struct channel *c, struct subscription *sub,
		    enum text_reason why)
{
	if (why != TEXT_TRIMMED || !(sub->special & SPECIAL_CATCHING) ||
	    sub->extra->own < c->offset)
		return false;
	if (sub->extra->own == c->offset) {
		table_caught(sub);
		table_trim(sub);
	}
	return true;
}

void deliver_reset(struct channels *ch, struct channel *c, enum text_reason why,
		   struct publication *newest)
{
	struct reset r = {.why = why, .newest = newest};

	begin(&r, c);
	for (uint32_t i = c->n; i-- > 0;)
		if (!(c->subs[i]->special & SPECIAL_PENDING) &&
		    !has_all(c, c->subs[i], why))
			reset_one(ch, c->subs[i], &r);
	publication_unref(r.frame);
}

void deliver_reset_behind(struct channels *ch, struct channel *c, uint64_t own_most,
			  struct publication *newest)
{
	struct reset r = {.why = TEXT_TRIMMED, .newest = newest};

	begin(&r, c);
	for (uint32_t i = c->n; i-- > 0;) {
		struct subscription *sub = c->subs[i];

		if (sub->special & SPECIAL_CATCHING && sub->extra->own <= own_most)
			reset_one(ch, sub, &r);
	}
	publication_unref(r.frame);
}
