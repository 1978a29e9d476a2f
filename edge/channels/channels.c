#include "edge/channels/channels.h"

#include "edge/channels/deliver.h"
#include "edge/channels/emit.h"
#include "edge/channels/gap.h"
#include "edge/channels/interest.h"
#include "edge/channels/presence.h"
#include "edge/channels/probe.h"
#include "edge/channels/subscription.h"
#include "edge/channels/table.h"

#include <assert.h>
#include <stdlib.h>

/* Before the hooks that write to clients and brokers. */
static void end_turn(void *arg)
{
	struct channels *ch = arg;

	if (!TAILQ_EMPTY(&ch->batched))
		emit_flush(ch);
	if (!TAILQ_EMPTY(&ch->changed) && ch->uplink != NULL)
		interest_flush(ch);
}

static void tick(void *arg)
{
	struct channels *ch = arg;
	int64_t now = loop_now(ch->loop);

	interest_tick(ch, now);
	subscription_tick(ch, now);
	gap_tick(ch, now);
	presence_tick(ch, now);
}

static int64_t ask_channels(void *arg)
{
	const struct channels *ch = arg;

	return (int64_t)map_size(ch->table) - probe_own(ch);
}

static int64_t ask_subscriptions(void *arg)
{
	const struct channels *ch = arg;

	return (int64_t)ch->subscriptions - probe_own(ch);
}

static int64_t ask_members(void *arg)
{
	return (int64_t)((struct channels *)arg)->members;
}

static void count_drops(struct channel_counts *n, struct metrics *m)
{
	static const char NAME[] = "gatepost_edge_channel_slow_total";

	n->slow[GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT] =
		metric_counter(m, NAME, "policy=\"disconnect\"",
			       "Publications dropped, and clients disconnected, since a "
			       "subscriber did not read");
	n->slow[GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST] =
		metric_counter(m, NAME, "policy=\"drop-oldest\"", NULL);
	n->slow[GATEPOST__SUBSCRIPTION__SLOW__LATEST] =
		metric_counter(m, NAME, "policy=\"latest\"", NULL);
}

static void count_resets(struct channel_counts *n, struct metrics *m)
{
	for (int i = 0; i < TEXT_REASONS; i++) {
		char *label =
			xasprintf("reason=\"%s\"", text_reason((enum text_reason)i));

		n->resets[i] = metric_counter(
			m, "gatepost_edge_channel_resets_total", label,
			"Resets sent to subscribers, which have missed something");
		free(label);
	}
}

static void count_gaps(struct channel_counts *n, struct metrics *m)
{
	static const char NAME[] = "gatepost_edge_channel_gaps_total";

	n->asked = metric_counter(m, NAME, "what=\"asked\"",
				  "Questions to brokers about what a channel may have "
				  "missed, and what came of them");
	n->filled = metric_counter(m, NAME, "what=\"filled\"", NULL);
	n->lost = metric_counter(m, NAME, "what=\"lost\"", NULL);
}

static void count_all(struct channels *ch, struct metrics *m)
{
	struct channel_counts *n = &ch->counts;

	if (m == NULL)
		return;
	n->publications = metric_counter(m, "gatepost_edge_channel_publications_total",
					 NULL, "Publications received from brokers");
	n->deliveries =
		metric_counter(m, "gatepost_edge_channel_deliveries_total", NULL,
			       "Publications queued for subscribers, once for each");
	n->bytes = metric_counter(m, "gatepost_edge_channel_bytes_total", NULL,
				  "Bytes of frames queued for subscribers");
	n->positions = metric_counter(m, "gatepost_edge_channel_positions_total", NULL,
				      "Positions of channels that brokers were told "
				      "since they had moved, once for all brokers");
	n->filtered = metric_counter(m, "gatepost_edge_channel_filtered_total", NULL,
				     "Publications that a subscriber's filter left out");
	count_drops(n, m);
	count_resets(n, m);
	count_gaps(n, m);
	metric_asked_gauge(m, "gatepost_edge_channels", NULL,
			   "Channels with subscriptions on this edge", ask_channels, ch);
	metric_asked_gauge(m, "gatepost_edge_subscriptions", NULL,
			   "Subscriptions of this edge's connections", ask_subscriptions,
			   ch);
	metric_asked_gauge(m, "gatepost_edge_presence_members", NULL,
			   "Of these, the ones that take part in presence", ask_members,
			   ch);
}

struct channels *channels_new(struct loop *loop, struct metrics *metrics,
			      const struct channels_callbacks *on)
{
	struct channels *ch = xcalloc(1, sizeof *ch);

	ch->loop = loop;
	ch->on = *on;
	ch->table = map_new();
	TAILQ_INIT(&ch->changed);
	TAILQ_INIT(&ch->moved);
	TAILQ_INIT(&ch->unconfirmed);
	TAILQ_INIT(&ch->unsettled);
	TAILQ_INIT(&ch->pending);
	TAILQ_INIT(&ch->to_ask);
	TAILQ_INIT(&ch->now);
	TAILQ_INIT(&ch->soon);
	TAILQ_INIT(&ch->rest);
	TAILQ_INIT(&ch->presence);
	TAILQ_INIT(&ch->batched);
	count_all(ch, metrics);
	loop_at_turn_end(loop, end_turn, ch);
	return ch;
}

void channels_use(struct channels *ch, struct uplink *u)
{
	ch->uplink = u;
	ch->tick = timer_new(ch->loop, tick, ch);
	timer_every(ch->tick, CHANNELS_TICK_MS);
}

void channels_stop(struct channels *ch)
{
	if (ch == NULL)
		return;
	timer_free(ch->tick);
	probe_end(ch);
	ch->tick = NULL;
	ch->uplink = NULL;
}

void channels_free(struct channels *ch)
{
	struct channel *c;
	size_t at = 0;

	if (ch == NULL)
		return;
	assert(ch->subscriptions == 0 && ch->aside_bytes == 0);
	while ((c = map_next(ch->table, &at)) != NULL) {
		presence_drop(ch, c);
		table_free_channel(ch, c);
	}
	map_free(ch->table);
	free(ch->brokers);
	free(ch->expiring);
	free(ch);
}

static void on_linked(void *arg, uint64_t link, int64_t settled_ms)
{
	struct channels *ch = arg;

	if (ch->n_brokers == 0)
		probe_linked(ch);
	interest_linked(ch, link, settled_ms);
	gap_linked(ch);
}

static void on_unlinked(void *arg, uint64_t link)
{
	interest_unlinked(arg, link);
}

static void on_deliver(struct channels *ch, uint64_t link, const Gatepost__Deliver *m)
{
	struct channel *c = deliver_item(ch, link, m);

	if (c != NULL)
		gap_check(ch, c, false);
}

static void on_item(void *arg, uint64_t link, const Gatepost__Item *i)
{
	struct channels *ch = arg;

	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_CONFIRMATION:
		interest_confirmed(ch, link, i->confirmation->serial);
		return;
	case GATEPOST__ITEM__BODY_DELIVER: on_deliver(ch, link, i->deliver); return;
	case GATEPOST__ITEM__BODY_FILL: gap_filled(ch, link, i->fill); return;
	case GATEPOST__ITEM__BODY_PRESENCE: presence_changed(ch, i->presence); return;
	}
}

const struct channel_link_callbacks channels_link_callbacks = {
	.linked = on_linked,
	.unlinked = on_unlinked,
	.item = on_item,
};
