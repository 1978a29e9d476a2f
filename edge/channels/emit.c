#include "edge/channels/emit.h"

#include "edge/channels/probe.h"
#include "edge/channels/table.h"

#include <stdlib.h>

/* RING: publications that are set aside for a slow subscriber. BATCH: one frame of a turn has no more. */
enum { RING_MOST = 64, BATCH_MOST = 256, BATCH_BYTES = 256 * 1024 };

/* Set aside for all slow subscribers; over it: one publication for each. */
enum { ASIDE_BYTES = 256 * 1024 * 1024 };

static void count_sent(struct channels *ch, size_t n, size_t bytes)
{
	metric_add(ch->counts.deliveries, (int64_t)n);
	metric_add(ch->counts.bytes, (int64_t)bytes);
}

/* ---- slow ones ---- */

static bool is_full(const struct channels *ch, const struct subscription *sub,
		    const struct shelf *ring)
{
	if (ring->n > 0 && ch->aside_bytes >= ASIDE_BYTES)
		return true;
	switch (sub->policy) {
	case GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT:
		return ring->n >= CHANNEL_KEEPS || ring->bytes >= CHANNEL_KEEPS_BYTES;
	case GATEPOST__SUBSCRIPTION__SLOW__LATEST: return ring->n >= 1;
	default: return ring->n >= RING_MOST;
	}
}

static void drop_first(struct channels *ch, struct shelf *ring)
{
	struct publication *p = shelf_shift(ring);

	ch->aside_bytes -= blob_memory(p->frame);
	publication_unref(p);
}

/* A burst alone disconnects nobody: what one turn brings may be more than an outbox has room for. */
static enum emitted set_aside(struct channels *ch, struct subscription *sub,
			      struct publication *p)
{
	struct slow *slow;

	if (!(sub->special & SPECIAL_SLOW)) {
		table_extra(sub)->slow = xcalloc(1, sizeof *slow);
		sub->special |= SPECIAL_SLOW;
	}
	slow = sub->extra->slow;
	while (is_full(ch, sub, &slow->ring)) {
		metric_add(ch->counts.slow[sub->policy], 1);
		if (sub->policy == GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT) {
			ch->on.end_slow(sub->owner);
			return EMIT_GONE;
		}
		drop_first(ch, &slow->ring);
		slow->has_dropped = true;
	}
	shelf_push(&slow->ring, p);
	ch->aside_bytes += blob_memory(p->frame);
	return EMIT_NOT;
}

static enum emitted set_all_aside(struct channels *ch, struct subscription *sub,
				  const struct shelf *all)
{
	enum emitted done = EMIT_NOT;

	for (uint32_t i = 0; i < all->n && done != EMIT_GONE; i++)
		done = set_aside(ch, sub, shelf_at(all, i));
	return done;
}

static enum emitted queue(struct channels *ch, struct subscription *sub,
			  struct publication *p)
{
	enum err e = ch->on.send(sub->owner, p->frame, false);

	if (e == ERR_BUSY)
		return set_aside(ch, sub, p);
	if (e != OK)
		return EMIT_GONE;
	count_sent(ch, !p->is_reset, p->frame->n);
	return EMIT_SENT;
}

/* The position before the first one that is left. */
static struct blob *reset_of_slow(const struct subscription *sub,
				  const struct publication *first)
{
	struct span epoch = blob_span(first->offset > 0 ? sub->channel->epoch : NULL);

	return text_reset(channel_name(sub->channel), epoch,
			  first->offset > 0 ? first->offset - 1 : 0, TEXT_SLOW);
}

static enum err tell_dropped(struct channels *ch, struct subscription *sub)
{
	struct slow *slow = sub->extra->slow;
	const struct publication *first = shelf_at(&slow->ring, 0);
	struct blob *frame;
	enum err e;

	if (!slow->has_dropped || first->is_reset || sub->options & OPTION_RAW)
		return OK;
	frame = reset_of_slow(sub, first);
	e = ch->on.send(sub->owner, frame, false);
	blob_unref(frame);
	if (e == OK) {
		slow->has_dropped = false;
		metric_add(ch->counts.resets[TEXT_SLOW], 1);
	}
	return e;
}

static enum err send_first(struct channels *ch, struct subscription *sub)
{
	struct shelf *ring = &sub->extra->slow->ring;
	struct publication *p = publication_ref(shelf_at(ring, 0));
	enum err e = ch->on.send(sub->owner, p->frame, false);

	if (e == OK) {
		count_sent(ch, !p->is_reset, p->frame->n);
		drop_first(ch, ring);
	}
	publication_unref(p);
	return e;
}

enum emitted emit_drained(struct channels *ch, struct subscription *sub)
{
	struct slow *slow;
	enum err e = OK;

	if (!(sub->special & SPECIAL_SLOW))
		return EMIT_NOT;
	slow = sub->extra->slow;
	if (slow->ring.n > 0)
		e = tell_dropped(ch, sub);
	while (e == OK && slow->ring.n > 0)
		e = send_first(ch, sub);
	if (e != OK)
		return e == ERR_BUSY ? EMIT_NOT : EMIT_GONE;
	table_clear_aside(ch, slow);
	free(slow);
	sub->extra->slow = NULL;
	sub->special &= (uint8_t)~SPECIAL_SLOW;
	table_trim(sub);
	return EMIT_SENT;
}

/* ---- batches ---- */

/* The frame of the batch before: many subscribers of a channel have the same. */
struct same {
	struct shelf of;
	struct blob *frame;
};

static bool is_same(const struct shelf *a, const struct shelf *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (shelf_at(a, i) != shelf_at(b, i))
			return false;
	return true;
}

static void forget(struct same *same)
{
	shelf_clear(&same->of);
	blob_unref(same->frame);
	same->frame = NULL;
}

static void make_frame(struct same *same, const struct shelf *batch)
{
	struct blob *frames[BATCH_MOST];

	forget(same);
	for (uint32_t i = 0; i < batch->n; i++) {
		frames[i] = shelf_at(batch, i)->frame;
		shelf_push(&same->of, shelf_at(batch, i));
	}
	same->frame = text_array(frames, batch->n);
}

static enum emitted send_array(struct channels *ch, struct subscription *sub,
			       const struct shelf *batch, struct same *same)
{
	enum err e;

	if (same->frame == NULL || !is_same(&same->of, batch))
		make_frame(same, batch);
	e = ch->on.send(sub->owner, same->frame, false);
	if (e == OK) {
		count_sent(ch, batch->n, same->frame->n);
		return EMIT_SENT;
	}
	return e == ERR_BUSY ? set_all_aside(ch, sub, batch) : EMIT_GONE;
}

static enum emitted flush_one(struct channels *ch, struct subscription *sub,
			      struct same *same)
{
	struct extra *x = sub->extra;
	struct shelf batch;
	enum emitted done;

	if (x == NULL || x->batch.n == 0)
		return EMIT_NOT;
	batch = x->batch;
	x->batch = (struct shelf){.n = 0};
	TAILQ_REMOVE(&ch->batched, x, batched);
	if (sub->special & SPECIAL_SLOW)
		done = set_all_aside(ch, sub, &batch);
	else if (batch.n == 1)
		done = queue(ch, sub, shelf_at(&batch, 0));
	else
		done = send_array(ch, sub, &batch, same);
	shelf_clear(&batch);
	return done;
}

enum emitted emit_batch(struct channels *ch, struct subscription *sub)
{
	struct same same = {.frame = NULL};
	enum emitted done = flush_one(ch, sub, &same);

	forget(&same);
	return done;
}

void emit_flush(struct channels *ch)
{
	struct same same = {.frame = NULL};
	struct extra *x;

	while ((x = TAILQ_FIRST(&ch->batched)) != NULL)
		(void)flush_one(ch, x->sub, &same);
	forget(&same);
}

static enum emitted add_to_batch(struct channels *ch, struct subscription *sub,
				 struct publication *p)
{
	struct extra *x = table_extra(sub);

	if (x->batch.n == 0)
		TAILQ_INSERT_TAIL(&ch->batched, x, batched);
	shelf_push(&x->batch, p);
	if (x->batch.n < BATCH_MOST && x->batch.bytes < BATCH_BYTES)
		return EMIT_SENT;
	return emit_batch(ch, sub);
}

/* ---- all ---- */

static bool is_wanted(struct channels *ch, const struct subscription *sub,
		      const struct publication *p)
{
	if (!(sub->special & SPECIAL_FILTER) || filter_wants(sub->extra->filter, p))
		return true;
	metric_add(ch->counts.filtered, 1);
	return false;
}

enum emitted emit_missed(struct channels *ch, struct subscription *sub,
			 struct publication *p)
{
	if (!is_wanted(ch, sub, p))
		return EMIT_NOT;
	if (emit_batch(ch, sub) == EMIT_GONE)
		return EMIT_GONE;
	if (sub->special & SPECIAL_SLOW)
		return set_aside(ch, sub, p);
	(void)ch->on.send(sub->owner, p->frame, true);
	count_sent(ch, 1, p->frame->n);
	return EMIT_SENT;
}

static enum emitted emit_special(struct channels *ch, struct subscription *sub,
				 struct publication *p)
{
	bool batches = sub->special & SPECIAL_BATCH;

	if (!is_wanted(ch, sub, p))
		return EMIT_NOT;
	if (batches && p->is_binary && emit_batch(ch, sub) == EMIT_GONE)
		return EMIT_GONE;
	if (sub->special & SPECIAL_SLOW)
		return set_aside(ch, sub, p);
	return batches && !p->is_binary ? add_to_batch(ch, sub, p) : queue(ch, sub, p);
}

static bool is_next(struct subscription *sub, const struct publication *p)
{
	struct extra *x = sub->extra;

	if (p->offset == 0)
		return true;
	if (p->offset != x->own + 1)
		return false;
	x->own++;
	if (x->own == sub->channel->offset)
		table_caught(sub);
	return true;
}

enum emitted emit_publication(struct channels *ch, struct subscription *sub,
			      struct publication *p)
{
	if (sub->special == 0)
		return queue(ch, sub, p);
	if (sub->special & SPECIAL_PROBE)
		return probe_receive(ch);
	if (sub->special & SPECIAL_PENDING)
		return EMIT_NOT;
	if (sub->special & SPECIAL_CATCHING && !is_next(sub, p))
		return EMIT_NOT;
	return emit_special(ch, sub, p);
}

enum emitted emit_kept(struct channels *ch, struct subscription *sub, uint64_t from)
{
	struct channel *c = sub->channel;

	for (uint32_t i = 0; i < c->kept.n && sub->special & SPECIAL_CATCHING; i++) {
		struct publication *p = publication_ref(shelf_at(&c->kept, i));
		enum emitted done = EMIT_NOT;

		if (p->offset > 0 || c->kept_gone + i >= from)
			done = emit_publication(ch, sub, p);
		publication_unref(p);
		if (done == EMIT_GONE)
			return EMIT_GONE;
	}
	return EMIT_NOT;
}

enum emitted emit_reset(struct channels *ch, struct subscription *sub,
			struct publication *reset)
{
	if (sub->options & OPTION_RAW)
		return EMIT_NOT;
	if (sub->special & SPECIAL_SLOW) {
		struct slow *slow = sub->extra->slow;

		metric_add(ch->counts.slow[sub->policy], slow->ring.n);
		table_clear_aside(ch, slow);
		slow->has_dropped = false;
		return set_aside(ch, sub, reset);
	}
	if (emit_batch(ch, sub) == EMIT_GONE)
		return EMIT_GONE;
	if (sub->special & SPECIAL_SLOW) /* it has become so */
		return emit_reset(ch, sub, reset);
	return queue(ch, sub, reset);
}
