#include "proto/envelope_internal.h"

#include "ws/close_code.h"
#include "proto/id.h"

static bool id_ok(ProtobufCBinaryData id)
{
	return id.len == ID_BYTES;
}

bool envelope_response_ok(uint32_t status, size_t headers)
{
	return status >= 200 && status <= 599 && headers <= ENVELOPE_ITEM_PARTS;
}

bool envelope_actions_ok(size_t actions, uint64_t bytes_before_last)
{
	return actions <= ENVELOPE_ACTIONS && bytes_before_last < ENVELOPE_BYTES;
}

static size_t missed_bytes(const Gatepost__Activate *a)
{
	size_t bytes = 0;

	for (size_t i = 0; i < a->n_missed; i++)
		bytes += a->missed[i]->body.len;
	return bytes;
}

/* The action at i, of n: is it one of those that may be there? bytes: of it are added. */
static bool action_ok(const Gatepost__Action *a, size_t i, size_t n, uint64_t *bytes)
{
	const Gatepost__Response *r;

	switch ((int)a->body_case) {
	case GATEPOST__ACTION__BODY_TEXT: *bytes += a->text.len; return true;
	case GATEPOST__ACTION__BODY_BINARY: *bytes += a->binary.len; return true;
	case GATEPOST__ACTION__BODY_CLOSE:
		return i == n - 1 && close_code_is_allowed(a->close->code);
	case GATEPOST__ACTION__BODY_RESPONSE:
		r = a->response;
		*bytes += r->body.len;
		return i == 0 && envelope_response_ok(r->status, r->n_headers) &&
		       (n == 1 || r->status <= 299);
	case GATEPOST__ACTION__BODY_ACTIVATE:
		*bytes += missed_bytes(a->activate);
		return envelope_activate_ok(a->activate);
	case GATEPOST__ACTION__BODY_UNSUBSCRIBE:
		return envelope_channel_ok(a->unsubscribe->channel);
	default: return false;
	}
}

/* All of them together. */
static bool actions_ok(Gatepost__Action *const *actions, size_t n)
{
	uint64_t bytes = 0, before_last = 0;
	size_t missed = 0;

	for (size_t i = 0; i < n; i++) {
		before_last = bytes;
		if (!action_ok(actions[i], i, n, &bytes))
			return false;
		if (actions[i]->body_case == GATEPOST__ACTION__BODY_ACTIVATE)
			missed += actions[i]->activate->n_missed;
	}
	return missed <= ENVELOPE_PUBLICATIONS && envelope_actions_ok(n, before_last);
}

static bool answer_ok(const Gatepost__Answer *a)
{
	return id_ok(a->id) && a->expires_ms >= 0 &&
	       a->expires_ms <= ENVELOPE_TIME_MOST && (!a->retry || a->n_actions == 0) &&
	       actions_ok(a->actions, a->n_actions);
}

static bool memberships_ok(const Gatepost__Roster__Row *r)
{
	if (r->n_memberships > ENVELOPE_NAMES)
		return false;
	for (size_t i = 0; i < r->n_memberships; i++)
		if (!envelope_channel_ok(r->memberships[i]->channel))
			return false;
	return true;
}

static bool roster_ok(const Gatepost__Roster *r)
{
	if (r->n_rows > ENVELOPE_ITEM_PARTS)
		return false;
	for (size_t i = 0; i < r->n_rows; i++)
		if (!id_ok(r->rows[i]->id) || !memberships_ok(r->rows[i]))
			return false;
	return true;
}

static bool command_ok(const Gatepost__Command *c)
{
	switch ((int)c->kind) {
	case GATEPOST__COMMAND__KIND__SEND:
		if (c->frame == NULL)
			return false;
		return c->ids.len == 0 ? id_ok(c->id)
				       : c->id.len == 0 && c->ids.len % ID_BYTES == 0;
	case GATEPOST__COMMAND__KIND__CLOSE:
		return id_ok(c->id) && c->ids.len == 0 && close_code_is_allowed(c->code);
	case GATEPOST__COMMAND__KIND__KNOW:
		return c->id.len == 0 && c->ids.len > 0 && c->ids.len % ID_BYTES == 0 &&
		       c->channel.len <= ENVELOPE_CHANNEL;
	case GATEPOST__COMMAND__KIND__LOOK: return id_ok(c->id) && c->ids.len == 0;
	case GATEPOST__COMMAND__KIND__SUBSCRIBE:
		return id_ok(c->id) && c->ids.len == 0 &&
		       envelope_subscription_ok(c->subscription);
	case GATEPOST__COMMAND__KIND__UNSUBSCRIBE:
		return id_ok(c->id) && c->ids.len == 0 && envelope_channel_ok(c->channel);
	case GATEPOST__COMMAND__KIND__SHED: return c->id.len == 0 && c->ids.len == 0;
	case GATEPOST__COMMAND__KIND__APPLY:
		return id_ok(c->id) && c->ids.len == 0 && c->n_actions > 0 &&
		       c->actions[0]->body_case != GATEPOST__ACTION__BODY_RESPONSE &&
		       actions_ok(c->actions, c->n_actions);
	default: return false;
	}
}

static bool event_ok(const Gatepost__Event *e)
{
	if (!id_ok(e->id) || e->kind < GATEPOST__EVENT__KIND__CONNECT ||
	    e->kind > GATEPOST__EVENT__KIND__UNSUBSCRIBED || e->code > UINT16_MAX ||
	    e->n_channels > ENVELOPE_NAMES)
		return false;
	for (size_t i = 0; i < e->n_channels; i++)
		if (!envelope_channel_ok(e->channels[i]))
			return false;
	return e->kind != GATEPOST__EVENT__KIND__UNSUBSCRIBED ||
	       envelope_channel_ok(e->body);
}

static bool outcome_ok(const Gatepost__Outcome *o)
{
	return o->result >= GATEPOST__OUTCOME__RESULT__OK &&
	       o->result <= GATEPOST__OUTCOME__RESULT__FULL &&
	       envelope_position_ok_or_none(o->position);
}

/* An item of this version: a newer one's unknown kinds have body_case NOT_SET. */
static bool item_ok(const Gatepost__Item *i)
{
	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_HELLO:
		return i->hello->boot != 0 && i->hello->number <= UINT16_MAX;
	case GATEPOST__ITEM__BODY_WELCOME:
		return i->welcome->boot != 0 && i->welcome->number >= 1 &&
		       i->welcome->number <= UINT16_MAX && i->welcome->members != NULL;
	case GATEPOST__ITEM__BODY_REFUSAL:
	case GATEPOST__ITEM__BODY_MEMBERS:
	case GATEPOST__ITEM__BODY_RESYNC:
	case GATEPOST__ITEM__BODY_LEAVING:
	case GATEPOST__ITEM__BODY_STORE: return true;
	case GATEPOST__ITEM__BODY_ROSTER: return roster_ok(i->roster);
	case GATEPOST__ITEM__BODY_EVENT: return event_ok(i->event);
	case GATEPOST__ITEM__BODY_ANSWER: return answer_ok(i->answer);
	case GATEPOST__ITEM__BODY_COMMAND: return command_ok(i->command);
	case GATEPOST__ITEM__BODY_OUTCOME: return outcome_ok(i->outcome);
	case GATEPOST__ITEM__BODY_INTEREST: return envelope_interest_ok(i->interest);
	case GATEPOST__ITEM__BODY_CONFIRMATION: return true;
	case GATEPOST__ITEM__BODY_DELIVER: return envelope_deliver_ok(i->deliver);
	case GATEPOST__ITEM__BODY_GAP: return envelope_gap_ok(i->gap);
	case GATEPOST__ITEM__BODY_FILL: return envelope_fill_ok(i->fill);
	case GATEPOST__ITEM__BODY_PRESENCE: return envelope_presence_ok(i->presence);
	default: return false;
	}
}

enum err envelope_read(struct span in, struct proto_arena *a, Gatepost__Envelope **out)
{
	Gatepost__Envelope *e;

	proto_arena_limit(a, 2 * in.n + ENVELOPE_READ_STRUCTS);
	e = gatepost__envelope__unpack(&a->allocator, in.n, in.p);
	if (e == NULL)
		return ERR_MALFORMED;
	*out = e;
	if (e->version != LINK_VERSION)
		return ERR_DENIED;
	for (size_t i = 0; i < e->n_items; i++)
		if (!item_ok(e->items[i]))
			return ERR_MALFORMED;
	return OK;
}
