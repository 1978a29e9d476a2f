#include "edge/link/resync.h"

#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

/* MEMBERSHIPS: room for the first ones of a row. */
enum { ROWS = ENVELOPE_ITEM_PARTS, MEMBERSHIPS = 4 };

struct resync {
	struct link *to;
	uint64_t ticket;
	struct uplink *uplink;
	Gatepost__Roster *item;     /* being filled */
	Gatepost__Roster__Row *row; /* of it, being filled */
	size_t room;                /* of the row's memberships */
};

static void begin_item(struct resync *r)
{
	r->item = link_add(r->to, GATEPOST__ITEM__BODY_ROSTER,
			   &gatepost__roster__descriptor);
	r->item->ticket = r->ticket;
	r->item->rows =
		proto_arena_alloc(&r->to->out.arena, ROWS * sizeof *r->item->rows);
}

static void add_membership(void *arg, struct span channel, struct span member)
{
	struct resync *r = arg;
	struct batch *out = &r->to->out;
	Gatepost__Membership *m = proto_arena_alloc(&out->arena, sizeof *m);

	if (r->row->n_memberships == r->room) {
		Gatepost__Membership **old = r->row->memberships;

		r->room = r->room > 0 ? r->room * 2 : MEMBERSHIPS;
		r->row->memberships = proto_arena_alloc(
			&out->arena, r->room * sizeof(Gatepost__Membership *));
		if (old != NULL)
			memcpy(r->row->memberships, old,
			       r->row->n_memberships * sizeof(Gatepost__Membership *));
	}
	gatepost__membership__init(m);
	m->channel = batch_copy(out, channel);
	m->member = batch_copy(out, member);
	r->row->memberships[r->row->n_memberships++] = m;
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
	row = proto_arena_alloc(&r->to->out.arena, sizeof *row);
	gatepost__roster__row__init(row);
	row->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = l->id.b};
	row->context = batch_hold(&r->to->out, l->context);
	r->item->rows[r->item->n_rows++] = row;
	r->row = row;
	r->room = 0;
	r->uplink->on.memberships(r->uplink->arg, l, add_membership, r);
}

void resync_send(struct uplink *u, struct link *to, uint64_t ticket)
{
	struct resync r = {.to = to, .ticket = ticket, .uplink = u};

	begin_item(&r);
	u->on.each(u->arg, add_row, &r);
	r.item->last = true;
}

void resync_send_one(struct uplink *u, struct lane *l, struct link *to)
{
	struct resync r = {.to = to, .uplink = u};

	if (!l->is_open)
		return;
	begin_item(&r);
	add_row(&r, l);
}
