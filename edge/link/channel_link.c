#include "edge/link/channel_link.h"

#include "edge/link/outcome.h"
#include "edge/link/uplink_internal.h"

/* Of brokers that do not tell it. */
enum { BEAT_MS = 1000 };

void channel_link_use(struct uplink *u, const struct channel_link_callbacks *on,
		      void *arg)
{
	u->channels = *on;
	u->channels_arg = arg;
}

uint64_t channel_link_serial(const struct broker_link *b)
{
	return b->serial;
}

static bool is_up(const struct broker_link *b)
{
	return b->z != NULL && b->link.state == LINK_UP;
}

static struct broker_link *find(const struct uplink *u, uint64_t serial)
{
	for (struct broker_link *b = u->links; b != NULL; b = b->next)
		if (b->serial == serial && is_up(b))
			return b;
	return NULL;
}

static ProtobufCBinaryData copy(struct link *l, ProtobufCBinaryData in)
{
	return batch_copy(&l->out, span_from(in));
}

void channel_link_interest(struct uplink *u, uint64_t serial, const Gatepost__Interest *m)
{
	struct broker_link *b = find(u, serial);
	Gatepost__Interest *out;

	if (b == NULL)
		return;
	out = link_add(&b->link, GATEPOST__ITEM__BODY_INTEREST,
		       &gatepost__interest__descriptor);
	out->serial = m->serial;
	out->all = m->all;
	out->channels = proto_arena_alloc(&b->link.out.arena,
					  m->n_channels * sizeof *out->channels);
	for (; out->n_channels < m->n_channels; out->n_channels++) {
		const Gatepost__Interest__Channel *from = m->channels[out->n_channels];
		Gatepost__Interest__Channel *to =
			proto_arena_alloc(&b->link.out.arena, sizeof *to);

		gatepost__interest__channel__init(to);
		to->name = copy(&b->link, from->name);
		to->ends = from->ends;
		to->position = outcome_copy_position(&b->link, from->position);
		out->channels[out->n_channels] = to;
	}
}

void channel_link_gap(struct uplink *u, uint64_t serial, const Gatepost__Gap *m)
{
	struct broker_link *b = find(u, serial);
	Gatepost__Gap *out;

	if (b == NULL)
		return;
	out = link_add(&b->link, GATEPOST__ITEM__BODY_GAP, &gatepost__gap__descriptor);
	out->channel = copy(&b->link, m->channel);
	out->position = outcome_copy_position(&b->link, m->position);
}

void channel_link_outcome(struct uplink *u, uint64_t serial, const Gatepost__Outcome *m)
{
	struct broker_link *b = find(u, serial);

	if (b != NULL)
		outcome_send(b, m);
}

/* Of the links that may be picked, the one after u->picked by serial, or else the first. */
static struct broker_link *next_of(const struct uplink *u, uint64_t but, bool stored)
{
	struct broker_link *after = NULL, *first = NULL;

	for (struct broker_link *b = u->links; b != NULL; b = b->next) {
		if (!is_up(b) || b->serial == but || (stored && b->lacks_store))
			continue;
		if (first == NULL || b->serial < first->serial)
			first = b;
		if (b->serial > u->picked && (after == NULL || b->serial < after->serial))
			after = b;
	}
	return after != NULL ? after : first;
}

uint64_t channel_link_pick(struct uplink *u, uint64_t but)
{
	struct broker_link *b = next_of(u, but, true);

	if (b == NULL)
		b = next_of(u, 0, true);
	if (b == NULL)
		b = next_of(u, but, false);
	if (b == NULL)
		b = next_of(u, 0, false);
	if (b == NULL)
		return 0;
	u->picked = b->serial;
	return b->serial;
}

/* A broker may be linked by another endpoint than that which the brokers name. */
static bool is_linked(const struct uplink *u, uint64_t boot)
{
	for (const struct broker_link *b = u->links; b != NULL; b = b->next)
		if (is_up(b) && b->boot == boot)
			return true;
	return false;
}

bool channel_link_is_complete(const struct uplink *u)
{
	if (u->is_far)
		return false;
	for (const struct broker_link *b = u->links; b != NULL; b = b->next)
		if (b->is_member && !is_linked(u, b->member))
			return false;
	return true;
}

void channel_link_up(struct broker_link *b, uint32_t beat_ms)
{
	struct uplink *u = b->uplink;
	int64_t beat = beat_ms > 0 ? beat_ms : BEAT_MS;

	b->serial = ++u->serials;
	if (u->channels.linked != NULL)
		u->channels.linked(u->channels_arg, b->serial,
				   loop_now(u->uses.loop) + 2 * beat);
}

void channel_link_down(struct broker_link *b)
{
	struct uplink *u = b->uplink;

	if (u->channels.unlinked != NULL)
		u->channels.unlinked(u->channels_arg, b->serial);
}

void channel_link_item(struct broker_link *b, const Gatepost__Item *i)
{
	struct uplink *u = b->uplink;

	if (i->body_case == GATEPOST__ITEM__BODY_DELIVER) {
		b->link.taken_items++;
		b->link.taken_bytes += i->deliver->publication->body.len;
	}
	if (u->channels.item != NULL)
		u->channels.item(u->channels_arg, b->serial, i);
}
