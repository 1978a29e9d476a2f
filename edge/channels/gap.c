#include "edge/channels/gap.h"

#include "edge/channels/deliver.h"
#include "edge/channels/emit.h"
#include "edge/channels/interest.h"
#include "edge/channels/table.h"
#include "proto/batch.h"

enum {
	AGAIN_MS = 1000,
	SOON_MS = 10 * 1000,
	REST_MS = 30 * 60 * 1000,
	ASKED_AT_ONCE = 500, /* by one tick */
};

static bool is_behind(const struct channel *c)
{
	return c->offset < c->top || c->n_catching > 0;
}

static void wait_in(struct channels *ch, struct channel *c, struct channel_list *list,
		    int64_t ms)
{
	if (c->queue != NULL)
		TAILQ_REMOVE(c->queue, c, queued);
	TAILQ_INSERT_TAIL(list, c, queued);
	c->queue = list;
	c->due_ms = loop_now(ch->loop) + ms;
}

/* The lowest position of the channel and of its subscriptions. */
static uint64_t lowest(const struct channel *c)
{
	uint64_t offset = c->offset;

	for (uint32_t i = 0; c->n_catching > 0 && i < c->n; i++)
		if (c->subs[i]->special & SPECIAL_CATCHING &&
		    c->subs[i]->extra->own < offset)
			offset = c->subs[i]->extra->own;
	return offset;
}

static void ask(struct channels *ch, struct channel *c, uint64_t but)
{
	Gatepost__Position position = GATEPOST__POSITION__INIT;
	Gatepost__Gap m = GATEPOST__GAP__INIT;
	uint64_t link = channel_link_pick(ch->uplink, but);
	bool behind = is_behind(c);

	wait_in(ch, c, behind ? &ch->to_ask : &ch->soon, behind ? AGAIN_MS : SOON_MS);
	c->asked_link = link;
	c->asked_top = c->top;
	if (link == 0)
		return;
	position.epoch = (ProtobufCBinaryData){c->epoch->n, c->epoch->p};
	position.offset = lowest(c);
	m.channel = (ProtobufCBinaryData){c->n_name, (uint8_t *)c->name};
	m.position = &position;
	metric_add(ch->counts.asked, 1);
	channel_link_gap(ch->uplink, link, &m);
}

void gap_check(struct channels *ch, struct channel *c, bool patient)
{
	if (!c->is_placed)
		return;
	interest_moved(ch, c);
	if (!is_behind(c)) {
		if (c->queue == NULL || c->queue == &ch->rest)
			wait_in(ch, c, &ch->soon, SOON_MS);
	} else if (c->queue != &ch->to_ask) {
		if (patient)
			wait_in(ch, c, &ch->to_ask, AGAIN_MS);
		else
			ask(ch, c, 0);
	}
}

void gap_linked(struct channels *ch)
{
	struct channel_list *const from[] = {&ch->soon, &ch->rest};

	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		while (!TAILQ_EMPTY(from[i]))
			wait_in(ch, TAILQ_FIRST(from[i]), &ch->now, 0);
}

void gap_tick(struct channels *ch, int64_t now)
{
	struct channel_list *const lists[] = {&ch->to_ask, &ch->now, &ch->soon,
					      &ch->rest};
	int asked = 0;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct channel *c;

		while (asked < ASKED_AT_ONCE && (c = TAILQ_FIRST(lists[i])) != NULL &&
		       c->due_ms <= now) {
			bool again = c->queue == &ch->to_ask;

			if (again && !is_behind(c)) { /* it has come meanwhile */
				wait_in(ch, c, &ch->soon, SOON_MS);
				continue;
			}
			ask(ch, c, again ? c->asked_link : 0);
			asked++;
		}
	}
}

/* ---- what comes back ---- */

/* The publications, and what was kept meanwhile, to those that are catching up. */
static void catch_up(struct channels *ch, struct channel *c, const struct shelf *filled)
{
	for (uint32_t i = c->n; i-- > 0 && c->n_catching > 0;) {
		struct subscription *sub = c->subs[i];
		enum emitted done = EMIT_NOT;

		for (uint32_t k = 0; k < filled->n && done != EMIT_GONE &&
				     sub->special & SPECIAL_CATCHING;
		     k++)
			done = emit_publication(ch, sub, shelf_at(filled, k));
		if (done != EMIT_GONE && sub->special & SPECIAL_CATCHING)
			done = emit_kept(ch, sub, UINT64_MAX);
		if (done != EMIT_GONE)
			table_trim(sub);
	}
}

static void take_all(struct channels *ch, struct channel *c, const Gatepost__Fill *m)
{
	struct shelf filled = {.n = 0};
	uint64_t before = c->offset;

	for (size_t i = 0; i < m->n_publications; i++) {
		struct publication *p;

		if (m->publications[i]->offset <= c->offset && c->n_catching == 0)
			continue;
		p = publication_new(m->publications[i]);
		shelf_push(&filled, p);
		deliver_take(ch, c, p);
		publication_unref(p);
	}
	catch_up(ch, c, &filled);
	shelf_clear(&filled);
	metric_add(ch->counts.filled, c->offset > before);
}

static void lose(struct channels *ch, struct channel *c, const Gatepost__Fill *m)
{
	struct publication *newest =
		m->n_publications > 0
			? publication_new(m->publications[m->n_publications - 1])
			: NULL;

	if (c->offset <= m->from->offset && c->offset < m->top->offset) {
		metric_add(ch->counts.lost, 1);
		c->offset = m->top->offset;
		deliver_reset(ch, c, TEXT_TRIMMED, newest);
		deliver_place(ch, c, m->top->offset);
	} else if (m->from->offset < c->offset) {
		metric_add(ch->counts.lost, 1);
		deliver_reset_behind(ch, c, m->from->offset, newest);
	}
	if (newest != NULL)
		publication_unref(newest);
}

/*
 * The store has less than a publication or an answer has told us of, also when it was asked after that: it has gone
 * back. What it does not have any more is not delivered; its next publication begins a new epoch.
 */
static void go_back(struct channels *ch, struct channel *c, uint64_t top)
{
	deliver_forget_above(ch, c, top > c->offset ? top : c->offset);
	for (uint32_t i = 0; c->n_catching > 0 && i < c->n; i++)
		if (c->subs[i]->special & SPECIAL_CATCHING &&
		    c->subs[i]->extra->own > c->top)
			table_caught(c->subs[i]);
}

static void fill(struct channels *ch, struct channel *c, const Gatepost__Fill *m)
{
	if (m->top->offset > c->top)
		c->top = m->top->offset;
	else if (m->top->offset < c->top && c->asked_top == c->top)
		go_back(ch, c, m->top->offset);
	if (deliver_compare(c, span_from(m->from->epoch)) != 0)
		return; /* it was asked in another epoch */
	if (m->lost)
		lose(ch, c, m);
	else
		take_all(ch, c, m);
}

/* Its question was about another position than the next one is. */
static bool is_of_another(const struct channel *c, const Gatepost__Fill *m)
{
	return m->from->offset != lowest(c);
}

void gap_filled(struct channels *ch, uint64_t link, const Gatepost__Fill *m)
{
	struct channel *c = table_find(ch, span_from(m->channel));
	uint64_t before;
	int newer;

	if (c == NULL || !c->is_placed)
		return;
	newer = deliver_compare(c, span_from(m->top->epoch));
	if (newer < 0)
		return; /* it is asked again */
	if (newer > 0)
		deliver_begin_epoch(ch, c, span_from(m->top->epoch));
	before = lowest(c);
	fill(ch, c, m);
	interest_moved(ch, c);
	if (!is_behind(c)) {
		wait_in(ch, c, &ch->rest, REST_MS);
	} else if (newer > 0 || lowest(c) != before || is_of_another(c, m)) {
		ask(ch, c, 0);
	} else {
		wait_in(ch, c, &ch->to_ask, AGAIN_MS);
		c->asked_link = link;
	}
}
