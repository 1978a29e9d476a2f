#include "edge/channels/presence.h"

#include "edge/channels/table.h"
#include "proto/batch.h"

#include <stdlib.h>

/* Over them a frame has only counts. LATE: an older change may come from another broker so long. */
enum { NAMES_MOST = 1000, NAMES_BYTES = 1024 * 1024, LATE_MS = 10 * 1000 };

struct presence {
	TAILQ_ENTRY(presence) due;
	struct channel *channel;
	int64_t due_ms;
	struct text_names joined, left;
	size_t bytes;
	bool has_counts;           /* they have changed, without names */
	bool counts_only, is_sent; /* is_sent: nothing has come since the last frame */
	uint64_t connections, users;
	uint64_t at_us; /* of the counts */
};

static void wait(struct channels *ch, struct presence *p, int64_t ms)
{
	p->due_ms = loop_now(ch->loop) + ms;
}

/* What was sent is kept for a while; the next change begins an interval. */
static struct presence *of_channel(struct channels *ch, struct channel *c,
				   uint32_t interval_ms)
{
	struct presence *p = c->presence;

	if (p == NULL) {
		p = c->presence = xcalloc(1, sizeof *p);
		p->channel = c;
		p->is_sent = true;
		TAILQ_INSERT_TAIL(&ch->presence, p, due);
	}
	if (p->is_sent)
		wait(ch, p, interval_ms);
	p->is_sent = false;
	return p;
}

static void clear(struct text_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		blob_unref(names->of[i]);
	free(names->of);
	*names = (struct text_names){0};
}

static void count_only(struct presence *p)
{
	p->counts_only = true;
	clear(&p->joined);
	clear(&p->left);
}

/* Take it out; false: it is not there. */
static bool take(struct text_names *names, struct span name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!span_eq(blob_span(names->of[i]), name))
			continue;
		blob_unref(names->of[i]);
		names->of[i] = names->of[--names->n];
		return true;
	}
	return false;
}

/* Who comes and goes within the interval has done neither. */
static void add(struct presence *p, struct text_names *to, struct text_names *other,
		struct span name)
{
	if (p->counts_only)
		return;
	if (take(other, name)) {
		p->bytes -= name.n;
		return;
	}
	if (p->joined.n + p->left.n == NAMES_MOST || p->bytes + name.n > NAMES_BYTES) {
		count_only(p);
		return;
	}
	if ((to->n & (to->n - 1)) == 0) /* full at each power of two */
		to->of = xrealloc(to->of,
				  (to->n > 0 ? to->n * 2 : 1) * sizeof(struct blob *));
	to->of[to->n++] = blob_new(name);
	p->bytes += name.n;
}

void presence_changed(struct channels *ch, const Gatepost__Presence *m)
{
	struct channel *c = table_find(ch, span_from(m->channel));
	struct presence *p;

	if (c == NULL || c->n_presence == 0)
		return;
	p = of_channel(ch, c, m->interval_ms);
	if (m->at_us >= p->at_us) {
		p->connections = m->connections;
		p->users = m->users;
		p->at_us = m->at_us;
	}
	if (m->counts_only)
		count_only(p);
	if (m->n_left + m->n_joined == 0)
		p->has_counts = true;
	for (size_t i = 0; i < m->n_left; i++)
		add(p, &p->left, &p->joined, span_from(m->left[i]));
	for (size_t i = 0; i < m->n_joined; i++)
		add(p, &p->joined, &p->left, span_from(m->joined[i]));
}

static void send_frame(struct channels *ch, const struct presence *p)
{
	struct channel *c = p->channel;
	bool names = !p->counts_only;
	struct blob *frame =
		text_presence(channel_name(c), names ? &p->joined : NULL,
			      names ? &p->left : NULL, p->connections, p->users);

	/* From the end: a connection that ends takes only its own one out. */
	for (uint32_t i = c->n; i-- > 0;) {
		const struct subscription *sub = c->subs[i];

		if (sub->options & OPTION_PRESENCE && !(sub->options & OPTION_RAW) &&
		    !(sub->special & (SPECIAL_PENDING | SPECIAL_SLOW)) &&
		    ch->on.send(sub->owner, frame, false) == ERR_BUSY)
			continue; /* too slow: it is told less */
	}
	blob_unref(frame);
}

void presence_drop(struct channels *ch, struct channel *c)
{
	struct presence *p = c->presence;

	if (p == NULL)
		return;
	TAILQ_REMOVE(&ch->presence, p, due);
	clear(&p->joined);
	clear(&p->left);
	free(p);
	c->presence = NULL;
}

static bool has_news(const struct presence *p)
{
	return p->has_counts || p->counts_only || p->joined.n + p->left.n > 0;
}

void presence_tick(struct channels *ch, int64_t now)
{
	struct presence *p, *next;

	for (p = TAILQ_FIRST(&ch->presence); p != NULL; p = next) {
		next = TAILQ_NEXT(p, due);
		if (p->due_ms > now)
			continue;
		if (p->is_sent) {
			presence_drop(ch, p->channel);
			continue;
		}
		if (has_news(p))
			send_frame(ch, p);
		clear(&p->joined);
		clear(&p->left);
		p->bytes = 0;
		p->has_counts = p->counts_only = false;
		p->is_sent = true;
		wait(ch, p, LATE_MS);
	}
}
