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

static void check_event(const Gatepost__Event *e)
{
	check(e->id.len == ID_BYTES);
	check(e->kind >= GATEPOST__EVENT__KIND__CONNECT &&
	      e->kind <= GATEPOST__EVENT__KIND__HTTP);
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

static void check_answer(const Gatepost__Answer *a)
{
	check(a->id.len == ID_BYTES);
	check(a->expires_ms >= 0 && a->expires_ms <= ENVELOPE_TIME_MOST);
	check(a->n_actions <= ENVELOPE_ACTIONS);
	check(!a->retry || a->n_actions == 0);
	read_all(a->id);
	read_all(a->context);
	for (size_t n = 0; n < a->n_actions; n++) {
		const Gatepost__Action *m = a->actions[n];

		switch ((int)m->body_case) {
		case GATEPOST__ACTION__BODY_RESPONSE:
			check(n == 0);
			check_response(m->response);
			break;
		case GATEPOST__ACTION__BODY_TEXT: read_all(m->text); break;
		case GATEPOST__ACTION__BODY_BINARY: read_all(m->binary); break;
		case GATEPOST__ACTION__BODY_CLOSE:
			check(n == a->n_actions - 1);
			check(close_code_is_allowed(m->close->code));
			read_all(m->close->reason);
			break;
		default: check(false);
		}
	}
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
	      c->kind <= GATEPOST__COMMAND__KIND__KNOW);
	read_all(c->id);
	read_all(c->ids);
	read_all(c->reason);
	if (c->kind == GATEPOST__COMMAND__KIND__SEND)
		read_all(c->frame->body);
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
	}
}

static void check_welcome(const Gatepost__Welcome *w)
{
	check(w->name && w->boot != 0);
	check(w->number >= 1 && w->number <= UINT16_MAX);
	check_members(w->members);
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
	case GATEPOST__ITEM__BODY_STORE: return;
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
	struct arena a;

	arena_init(&a);

	enum err err = envelope_read(span_of(p, n), &a, &e);

	check(err == OK || err == ERR_DENIED || err == ERR_MALFORMED);
	if (err == ERR_DENIED)
		check(e->version != LINK_VERSION);
	for (size_t i = 0; err == OK && i < e->n_items; i++)
		check_item(e->items[i]);
	arena_close(&a);
	return 0;
}
