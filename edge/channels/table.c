#include "edge/channels/table.h"

#include <stdlib.h>

struct channel *table_find(const struct channels *ch, struct span name)
{
	return map_find(ch->table, name);
}

struct subscription *table_subscription(const struct subscriber *s, struct span channel)
{
	struct subscription *sub = s->first;

	while (sub != NULL && !span_eq(channel_name(sub->channel), channel))
		sub = sub->next;
	return sub;
}

static void note_change(struct channels *ch, struct channel *c)
{
	if (c->is_changed)
		return;
	c->is_changed = true;
	TAILQ_INSERT_TAIL(&ch->changed, c, changed);
}

static struct channel *new_channel(struct channels *ch, struct span name)
{
	struct channel *c = xcalloc(1, sizeof *c + name.n);

	memcpy(c->name, name.p, name.n);
	c->n_name = (uint8_t)name.n;
	c->change = CHANGE_NONE;
	map_put(ch->table, channel_name(c), c);
	note_change(ch, c);
	return c;
}

struct subscription *table_add(struct channels *ch, struct subscriber *s,
			       struct span name)
{
	struct subscription *sub = xcalloc(1, sizeof *sub);
	struct channel *c = table_find(ch, name);

	if (c == NULL)
		c = new_channel(ch, name);
	if (c->n == c->room) {
		c->room += c->room / 2 + 1;
		c->subs = xrealloc(c->subs, c->room * sizeof(struct subscription *));
	}
	sub->owner = s;
	sub->channel = c;
	sub->at = c->n;
	c->subs[c->n++] = sub;
	sub->next = s->first;
	s->first = sub;
	ch->subscriptions++;
	return sub;
}

static void leave_owner(struct subscription *sub)
{
	struct subscription **at = &sub->owner->first;

	while (*at != sub)
		at = &(*at)->next;
	*at = sub->next;
}

static void leave_channel(struct subscription *sub)
{
	struct channel *c = sub->channel;

	c->subs[sub->at] = c->subs[--c->n];
	c->subs[sub->at]->at = sub->at;
	if (c->n >= 16 && c->n < c->room / 4) {
		c->room /= 2;
		c->subs = xrealloc(c->subs, c->room * sizeof(struct subscription *));
	}
}

void table_clear_aside(struct channels *ch, struct slow *slow)
{
	ch->aside_bytes -= slow->ring.bytes;
	shelf_clear(&slow->ring);
}

static void free_slow(struct channels *ch, struct extra *x)
{
	if (x->slow == NULL)
		return;
	table_clear_aside(ch, x->slow);
	free(x->slow);
	x->slow = NULL;
}

static void unbatch(struct channels *ch, struct extra *x)
{
	if (x->batch.n > 0)
		TAILQ_REMOVE(&ch->batched, x, batched);
	shelf_clear(&x->batch);
}

void table_remove(struct channels *ch, struct subscription *sub)
{
	struct channel *c = sub->channel;
	struct extra *x;

	table_unpend(ch, sub);
	table_caught(sub);
	table_set_option(sub, 0);
	table_expire(ch, sub, 0);
	x = sub->extra;
	if (x != NULL) {
		free_slow(ch, x);
		unbatch(ch, x);
		filter_free(x->filter);
		ch->members -= x->member != NULL;
		blob_unref(x->member);
		free(x);
	}
	leave_owner(sub);
	leave_channel(sub);
	free(sub);
	ch->subscriptions--;
	if (c->n == 0)
		note_change(ch, c);
}

void table_free_channel(struct channels *ch, struct channel *c)
{
	map_remove(ch->table, channel_name(c));
	if (c->is_changed)
		TAILQ_REMOVE(&ch->changed, c, changed);
	if (c->is_moved)
		TAILQ_REMOVE(&ch->moved, c, moved);
	if (c->queue != NULL)
		TAILQ_REMOVE(c->queue, c, queued);
	shelf_clear(&c->held);
	shelf_clear(&c->kept);
	blob_unref(c->epoch);
	free(c->subs);
	free(c);
}

struct extra *table_extra(struct subscription *sub)
{
	if (sub->extra == NULL) {
		sub->extra = xcalloc(1, sizeof *sub->extra);
		sub->extra->sub = sub;
	}
	return sub->extra;
}

void table_trim(struct subscription *sub)
{
	const struct extra *x = sub->extra;

	if (x == NULL || x->filter != NULL || x->member != NULL || x->expires_ms != 0 ||
	    x->pending != NULL || x->slow != NULL || x->batch.n > 0 ||
	    sub->special & (SPECIAL_CATCHING | SPECIAL_BATCH))
		return;
	free(x->batch.of);
	free(sub->extra);
	sub->extra = NULL;
}

void table_catch(struct subscription *sub, uint64_t own)
{
	table_extra(sub)->own = own;
	if (!(sub->special & SPECIAL_CATCHING))
		sub->channel->n_catching++;
	sub->special |= SPECIAL_CATCHING;
}

/* Nobody needs what is kept any more. */
static void drop_kept(struct channel *c)
{
	if (c->n_pending + c->n_catching > 0)
		return;
	c->kept_gone += c->kept.n;
	shelf_clear(&c->kept);
}

void table_caught(struct subscription *sub)
{
	if (!(sub->special & SPECIAL_CATCHING))
		return;
	sub->special &= (uint8_t)~SPECIAL_CATCHING;
	sub->channel->n_catching--;
	drop_kept(sub->channel);
}

void table_unpend(struct channels *ch, struct subscription *sub)
{
	struct pending *p = sub->extra ? sub->extra->pending : NULL;

	if (p == NULL)
		return;
	TAILQ_REMOVE(&ch->pending, p, all);
	if (p->waits_in != NULL)
		TAILQ_REMOVE(p->waits_in, p, waits);
	free(p);
	sub->extra->pending = NULL;
	sub->special &= (uint8_t)~SPECIAL_PENDING;
	sub->channel->n_pending--;
	drop_kept(sub->channel);
}

static void leave_expiring(struct channels *ch, const struct extra *x)
{
	struct subscription *last = ch->expiring[--ch->n_expiring];

	ch->expiring[x->expires_at] = last;
	last->extra->expires_at = x->expires_at;
}

static void join_expiring(struct channels *ch, struct subscription *sub)
{
	if (ch->n_expiring == ch->expiring_room) {
		ch->expiring_room += ch->expiring_room / 2 + 16;
		ch->expiring = xrealloc(
			ch->expiring, ch->expiring_room * sizeof(struct subscription *));
	}
	sub->extra->expires_at = ch->n_expiring;
	ch->expiring[ch->n_expiring++] = sub;
}

void table_expire(struct channels *ch, struct subscription *sub, int64_t at_ms)
{
	bool was = sub->extra != NULL && sub->extra->expires_ms != 0;

	if (at_ms == 0 && !was)
		return;
	if (was && at_ms == 0)
		leave_expiring(ch, sub->extra);
	table_extra(sub)->expires_ms = at_ms;
	if (!was)
		join_expiring(ch, sub);
}

void table_set_option(struct subscription *sub, uint8_t options)
{
	struct channel *c = sub->channel;

	c->n_presence -= (sub->options & OPTION_PRESENCE) != 0;
	c->n_presence += (options & OPTION_PRESENCE) != 0;
	sub->options = options;
}
