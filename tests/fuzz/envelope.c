/*
 * What a peer sends instead of an envelope. What is accepted keeps what envelope.h promises
 * to the modules that use it, and all its bytes are there.
 */
#include "proto/envelope.h"

#include "ws/close_code.h"
#include "proto/id.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The sanitizer sees to it that they can be read. */
static void read_all(ProtobufCBinaryData d)
{
	static volatile uint8_t sum;

	for (size_t i = 0; i < d.len; i++)
		sum = (uint8_t)(sum + d.data[i]);
}

static void check_channel(ProtobufCBinaryData name)
{
	check(name.len >= 1 && name.len <= ENVELOPE_CHANNEL);
	read_all(name);
}

static void check_position(const Gatepost__Position *p)
{
	check(p->epoch.len >= 1 && p->epoch.len <= ENVELOPE_EPOCH);
	check(p->offset <= INT64_MAX);
	read_all(p->epoch);
}

static void check_publication(const Gatepost__Publication *p)
{
	check(p->n_tags <= ENVELOPE_TAGS);
	for (size_t i = 0; i < p->n_tags; i++) {
		read_all(p->tags[i]->key);
		read_all(p->tags[i]->value);
	}
	read_all(p->body);
}

static void check_run(Gatepost__Publication **list, size_t n, uint64_t first,
		      uint64_t top)
{
	check(n <= ENVELOPE_PUBLICATIONS);
	for (size_t i = 0; i < n; i++) {
		check_publication(list[i]);
		check(list[i]->offset == first + i && list[i]->offset <= top);
	}
}

/* Evaluates as an edge does; what is behind it. */
static size_t check_node(Gatepost__FilterNode **nodes, size_t at, size_t n)
{
	const Gatepost__FilterNode *f;

	check(at < n);
	f = nodes[at++];
	read_all(f->tag);
	for (size_t i = 0; i < f->n_values; i++)
		read_all(f->values[i]);
	for (size_t i = 0; i < f->operands; i++)
		at = check_node(nodes, at, n);
	return at;
}

static void check_subscription(const Gatepost__Subscription *s)
{
	check_channel(s->channel);
	check(s->n_filter <= ENVELOPE_FILTER);
	if (s->n_filter > 0)
		check(check_node(s->filter, 0, s->n_filter) == s->n_filter);
	check(s->expires_ms >= 0 && s->expires_ms <= ENVELOPE_TIME_MOST);
	read_all(s->member);
}

static void check_activate(const Gatepost__Activate *a)
{
	check_channel(a->channel);
	check(a->position != NULL || a->n_missed == 0);
	if (a->position != NULL)
		check_position(a->position);
	if (a->n_missed > 0)
		check_run(a->missed, a->n_missed, a->missed[0]->offset,
			  a->position->offset);
}

static void check_event(const Gatepost__Event *e)
{
	check(e->id.len == ID_BYTES);
	check(e->kind >= GATEPOST__EVENT__KIND__CONNECT &&
	      e->kind <= GATEPOST__EVENT__KIND__UNSUBSCRIBED);
	for (size_t i = 0; i < e->n_channels; i++)
		check_channel(e->channels[i]);
	if (e->kind == GATEPOST__EVENT__KIND__UNSUBSCRIBED)
		check_channel(e->body);
	read_all(e->id);
	read_all(e->context);
	read_all(e->request);
	read_all(e->body);
	read_all(e->reason);
}

static void check_response(const Gatepost__Response *r)
{
	check(r->status >= 200 && r->status <= 599);
	read_all(r->body);
	for (size_t n = 0; n < r->n_headers; n++) {
		read_all(r->headers[n]->name);
		read_all(r->headers[n]->value);
	}
}

static void check_actions(Gatepost__Action **actions, size_t n_actions)
{
	check(n_actions <= ENVELOPE_ACTIONS);
	for (size_t n = 0; n < n_actions; n++) {
		const Gatepost__Action *m = actions[n];

		switch ((int)m->body_case) {
		case GATEPOST__ACTION__BODY_RESPONSE:
			check(n == 0);
			check_response(m->response);
			break;
		case GATEPOST__ACTION__BODY_TEXT: read_all(m->text); break;
		case GATEPOST__ACTION__BODY_BINARY: read_all(m->binary); break;
		case GATEPOST__ACTION__BODY_ACTIVATE: check_activate(m->activate); break;
		case GATEPOST__ACTION__BODY_UNSUBSCRIBE:
			check_channel(m->unsubscribe->channel);
			break;
		case GATEPOST__ACTION__BODY_CLOSE:
			check(n == n_actions - 1);
			check(close_code_is_allowed(m->close->code));
			read_all(m->close->reason);
			break;
		default: check(false);
		}
	}
}

static void check_answer(const Gatepost__Answer *a)
{
	check(a->id.len == ID_BYTES);
	check(a->expires_ms >= 0 && a->expires_ms <= ENVELOPE_TIME_MOST);
	check(!a->retry || a->n_actions == 0);
	read_all(a->id);
	read_all(a->context);
	check_actions(a->actions, a->n_actions);
}

static void check_command(const Gatepost__Command *c)
{
	bool many = c->ids.len > 0;

	check(many ? c->id.len == 0 && c->ids.len % ID_BYTES == 0
		   : c->id.len == ID_BYTES);
	check(!many || c->kind == GATEPOST__COMMAND__KIND__SEND ||
	      c->kind == GATEPOST__COMMAND__KIND__KNOW);
	check(many || c->kind != GATEPOST__COMMAND__KIND__KNOW);
	check(c->kind != GATEPOST__COMMAND__KIND__CLOSE ||
	      close_code_is_allowed(c->code));
	check(c->kind >= GATEPOST__COMMAND__KIND__SEND &&
	      c->kind <= GATEPOST__COMMAND__KIND__APPLY);
	read_all(c->id);
	read_all(c->ids);
	read_all(c->reason);
	if (c->kind == GATEPOST__COMMAND__KIND__SEND)
		read_all(c->frame->body);
	if (c->kind == GATEPOST__COMMAND__KIND__SUBSCRIBE)
		check_subscription(c->subscription);
	if (c->kind == GATEPOST__COMMAND__KIND__UNSUBSCRIBE)
		check_channel(c->channel);
	if (c->kind == GATEPOST__COMMAND__KIND__APPLY)
		check_actions(c->actions, c->n_actions);
}

static void check_members(const Gatepost__Members *m)
{
	for (size_t n = 0; n < m->n_members; n++)
		check(m->members[n]->name && m->members[n]->endpoint);
}

static void check_roster(const Gatepost__Roster *r)
{
	for (size_t n = 0; n < r->n_rows; n++) {
		check(r->rows[n]->id.len == ID_BYTES);
		read_all(r->rows[n]->id);
		read_all(r->rows[n]->context);
		check(r->rows[n]->n_memberships <= ENVELOPE_NAMES);
		for (size_t i = 0; i < r->rows[n]->n_memberships; i++)
			check_channel(r->rows[n]->memberships[i]->channel);
	}
}

static void check_welcome(const Gatepost__Welcome *w)
{
	check(w->name && w->boot != 0);
	check(w->number >= 1 && w->number <= UINT16_MAX);
	check_members(w->members);
}

static void check_interest(const Gatepost__Interest *m)
{
	check(m->serial > 0 && m->n_channels <= ENVELOPE_NAMES);
	for (size_t n = 0; n < m->n_channels; n++) {
		check_channel(m->channels[n]->name);
		if (m->channels[n]->position != NULL)
			check_position(m->channels[n]->position);
	}
}

static void check_deliver(const Gatepost__Deliver *m)
{
	check_channel(m->channel);
	check_publication(m->publication);
	check((m->publication->offset == 0) == (m->epoch.len == 0));
	check(m->epoch.len <= ENVELOPE_EPOCH);
}

static void check_fill(const Gatepost__Fill *m)
{
	check_channel(m->channel);
	check_position(m->from);
	check_position(m->top);
	check_run(m->publications, m->n_publications,
		  m->lost && m->n_publications > 0 ? m->publications[0]->offset
						   : m->from->offset + 1,
		  m->top->offset);
}

static void check_presence(const Gatepost__Presence *m)
{
	check_channel(m->channel);
	check(m->n_joined <= ENVELOPE_NAMES && m->n_left <= ENVELOPE_NAMES);
	for (size_t n = 0; n < m->n_joined; n++)
		read_all(m->joined[n]);
	for (size_t n = 0; n < m->n_left; n++)
		read_all(m->left[n]);
}

static void check_item(const Gatepost__Item *i)
{
	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_HELLO:
		check(i->hello->name && i->hello->boot != 0 &&
		      i->hello->number <= UINT16_MAX);
		return;
	case GATEPOST__ITEM__BODY_WELCOME: check_welcome(i->welcome); return;
	case GATEPOST__ITEM__BODY_REFUSAL: check(i->refusal->reason); return;
	case GATEPOST__ITEM__BODY_MEMBERS: check_members(i->members); return;
	case GATEPOST__ITEM__BODY_ROSTER: check_roster(i->roster); return;
	case GATEPOST__ITEM__BODY_RESYNC:
	case GATEPOST__ITEM__BODY_LEAVING:
	case GATEPOST__ITEM__BODY_CONFIRMATION:
	case GATEPOST__ITEM__BODY_STORE: return;
	case GATEPOST__ITEM__BODY_INTEREST: check_interest(i->interest); return;
	case GATEPOST__ITEM__BODY_DELIVER: check_deliver(i->deliver); return;
	case GATEPOST__ITEM__BODY_GAP:
		check_channel(i->gap->channel);
		check_position(i->gap->position);
		return;
	case GATEPOST__ITEM__BODY_FILL: check_fill(i->fill); return;
	case GATEPOST__ITEM__BODY_PRESENCE: check_presence(i->presence); return;
	case GATEPOST__ITEM__BODY_EVENT: check_event(i->event); return;
	case GATEPOST__ITEM__BODY_ANSWER: check_answer(i->answer); return;
	case GATEPOST__ITEM__BODY_COMMAND: check_command(i->command); return;
	case GATEPOST__ITEM__BODY_OUTCOME:
		check(i->outcome->result >= GATEPOST__OUTCOME__RESULT__OK &&
		      i->outcome->result <= GATEPOST__OUTCOME__RESULT__FULL);
		read_all(i->outcome->context);
		read_all(i->outcome->results);
		return;
	default: abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	Gatepost__Envelope *e = NULL;
	struct proto_arena a;

	proto_arena_init(&a);

	enum err err = envelope_read(span_of(p, n), &a, &e);

	check(err == OK || err == ERR_DENIED || err == ERR_MALFORMED);
	if (err == ERR_DENIED)
		check(e->version != LINK_VERSION);
	for (size_t i = 0; err == OK && i < e->n_items; i++)
		check_item(e->items[i]);
	proto_arena_close(&a);
	return 0;
}
