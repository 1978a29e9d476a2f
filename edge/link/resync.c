#include "edge/link/resync.h"

#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

enum { ROWS = ENVELOPE_ITEM_PARTS };

struct resync {
	struct link *to;
	uint64_t ticket;
	Gatepost__Roster *item; /* being filled */
};

static void begin_item(struct resync *r)
{
	r->item = link_add(r->to, GATEPOST__ITEM__BODY_ROSTER,
			   &gatepost__roster__descriptor);
	r->item->ticket = r->ticket;
	r->item->rows = arena_alloc(&r->to->out.arena, ROWS * sizeof *r->item->rows);
}

static void add_row(void *arg, struct lane *l)
{
	struct resync *r = arg;
	Gatepost__Roster__Row *row;

	if (!l->is_open)
		return;
	/* Rows with large contexts fill a batch early. */
	if (r->item->n_rows == ROWS || batch_is_full(&r->to->out))
		begin_item(r);
	row = arena_alloc(&r->to->out.arena, sizeof *row);
	gatepost__roster__row__init(row);
	row->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = l->id.b};
	row->context = batch_hold(&r->to->out, l->context);
	r->item->rows[r->item->n_rows++] = row;
}

void resync_send(struct uplink *u, struct link *to, uint64_t ticket)
{
	struct resync r = {.to = to, .ticket = ticket};

	begin_item(&r);
	u->on.each(u->arg, add_row, &r);
	r.item->last = true;
}

void resync_send_one(struct lane *l, struct link *to)
{
	struct resync r = {.to = to};

	if (!l->is_open)
		return;
	begin_item(&r);
	add_row(&r, l);
}
