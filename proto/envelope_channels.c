#include "proto/envelope_internal.h"

bool envelope_channel_ok(ProtobufCBinaryData name)
{
	return name.len >= 1 && name.len <= ENVELOPE_CHANNEL;
}

static bool position_ok(const Gatepost__Position *p)
{
	return p != NULL && p->epoch.len >= 1 && p->epoch.len <= ENVELOPE_EPOCH &&
	       p->offset <= INT64_MAX;
}

bool envelope_position_ok_or_none(const Gatepost__Position *p)
{
	return p == NULL || position_ok(p);
}

static bool tags_ok(const Gatepost__Publication *p)
{
	return p->n_tags <= ENVELOPE_TAGS;
}

/* Publications that follow each other, the last of them not above `top`. */
static bool run_ok(Gatepost__Publication *const *list, size_t n, uint64_t top)
{
	if (n > ENVELOPE_PUBLICATIONS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!tags_ok(list[i]) || list[i]->offset == 0 ||
		    list[i]->offset != list[0]->offset + i)
			return false;
	return n == 0 || list[n - 1]->offset <= top;
}

static bool values_ok(const Gatepost__FilterNode *n)
{
	switch ((int)n->op) {
	case GATEPOST__FILTER_NODE__OP__AND:
	case GATEPOST__FILTER_NODE__OP__OR:
	case GATEPOST__FILTER_NODE__OP__NOT: return n->n_values == 0;
	case GATEPOST__FILTER_NODE__OP__IN:
	case GATEPOST__FILTER_NODE__OP__NIN: return n->n_values <= ENVELOPE_VALUES;
	default: return n->n_values == 1;
	}
}

static bool operands_ok(const Gatepost__FilterNode *n)
{
	switch ((int)n->op) {
	case GATEPOST__FILTER_NODE__OP__AND:
	case GATEPOST__FILTER_NODE__OP__OR:
		return n->operands >= 1 && n->operands < ENVELOPE_FILTER;
	case GATEPOST__FILTER_NODE__OP__NOT: return n->operands == 1;
	default: return n->operands == 0;
	}
}

bool envelope_filter_ok(Gatepost__FilterNode *const *nodes, size_t n)
{
	size_t wanted = n > 0; /* nodes that the ones so far want behind them */

	if (n > ENVELOPE_FILTER)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (wanted == 0 || nodes[i]->op < GATEPOST__FILTER_NODE__OP__AND ||
		    nodes[i]->op > GATEPOST__FILTER_NODE__OP__LTE ||
		    !operands_ok(nodes[i]) || !values_ok(nodes[i]))
			return false;
		wanted += nodes[i]->operands;
		wanted--;
	}
	return wanted == 0;
}

bool envelope_subscription_ok(const Gatepost__Subscription *s)
{
	return s != NULL && envelope_channel_ok(s->channel) &&
	       envelope_filter_ok(s->filter, s->n_filter) &&
	       (unsigned)s->slow <= GATEPOST__SUBSCRIPTION__SLOW__LATEST &&
	       s->expires_ms >= 0 && s->expires_ms <= ENVELOPE_TIME_MOST;
}

bool envelope_activate_ok(const Gatepost__Activate *a)
{
	if (!envelope_channel_ok(a->channel))
		return false;
	if (a->position == NULL)
		return a->n_missed == 0;
	return position_ok(a->position) &&
	       run_ok(a->missed, a->n_missed, a->position->offset);
}

bool envelope_interest_ok(const Gatepost__Interest *m)
{
	if (m->n_channels > ENVELOPE_NAMES || m->serial == 0)
		return false;
	for (size_t i = 0; i < m->n_channels; i++)
		if (!envelope_channel_ok(m->channels[i]->name) ||
		    !envelope_position_ok_or_none(m->channels[i]->position))
			return false;
	return true;
}

bool envelope_deliver_ok(const Gatepost__Deliver *m)
{
	return envelope_channel_ok(m->channel) && m->publication != NULL &&
	       tags_ok(m->publication) && m->publication->offset <= INT64_MAX &&
	       m->epoch.len <= ENVELOPE_EPOCH &&
	       (m->publication->offset == 0) == (m->epoch.len == 0);
}

bool envelope_fill_ok(const Gatepost__Fill *m)
{
	if (!envelope_channel_ok(m->channel) || !position_ok(m->from) ||
	    !position_ok(m->top) ||
	    !run_ok(m->publications, m->n_publications, m->top->offset))
		return false;
	if (m->lost || m->n_publications == 0)
		return true;
	return span_eq(span_from(m->from->epoch), span_from(m->top->epoch)) &&
	       m->publications[0]->offset == m->from->offset + 1;
}

bool envelope_presence_ok(const Gatepost__Presence *m)
{
	return envelope_channel_ok(m->channel) && m->n_joined <= ENVELOPE_NAMES &&
	       m->n_left <= ENVELOPE_NAMES;
}

bool envelope_gap_ok(const Gatepost__Gap *m)
{
	return envelope_channel_ok(m->channel) && position_ok(m->position);
}
