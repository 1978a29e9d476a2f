#include "edge/link/resync.h"

#include "edge/client/connection.h"
#include "proto/envelope.h"

enum { ROWS = ENVELOPE_ITEM_PARTS };

struct roster {
	struct link *to;
	uint64_t ticket;
	Gatepost__Roster *item; /* being filled */
};

static void begin_item(struct roster *r)
{
	r->item = link_add(r->to, GATEPOST__ITEM__BODY_ROSTER,
			   &gatepost__roster__descriptor);
	r->item->ticket = r->ticket;
	r->item->rows = arena_alloc(&r->to->out.arena, ROWS * sizeof *r->item->rows);
}

static void tell(void *arg, struct connection *c)
{
	struct roster *r = arg;
	Gatepost__Roster__Row *row;

	if (!c->lane.is_open)
		return;
	/* Rows with large contexts fill a batch long before they are many. */
	if (r->item->n_rows == ROWS || batch_is_full(&r->to->out))
		begin_item(r);
	row = arena_alloc(&r->to->out.arena, sizeof *row);
	gatepost__roster__row__init(row);
	row->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = c->lane.id.b};
	row->context = batch_hold(&r->to->out, c->lane.context);
	r->item->rows[r->item->n_rows++] = row;
}

void roster_tell(struct registry *registry, struct link *to, uint64_t ticket)
{
	struct roster r = {.to = to, .ticket = ticket};

	begin_item(&r);
	registry_each(registry, 0, UINT32_MAX, tell, &r);
	r.item->last = true;
}

void roster_tell_one(struct connection *c, struct link *to)
{
	struct roster r = {.to = to};

	begin_item(&r);
	tell(&r, c);
}
