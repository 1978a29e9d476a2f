#include "edge/roster.h"

#include "edge/connection.h"

enum { ROWS = 256 }; /* in one item */

struct roster {
	struct link *to;
	Gatepost__Roster *item; /* being filled; NULL before the first */
};

static void tell(void *arg, struct connection *c)
{
	struct roster *r = arg;
	Gatepost__Roster__Row *row;

	if (!c->is_opened)
		return;
	if (r->item == NULL || r->item->n_rows == ROWS) {
		r->item = link_add(r->to, GATEPOST__ITEM__BODY_ROSTER,
				   &gatepost__roster__descriptor);
		r->item->rows =
			arena_alloc(&r->to->out.arena, ROWS * sizeof *r->item->rows);
	}
	row = arena_alloc(&r->to->out.arena, sizeof *row);
	gatepost__roster__row__init(row);
	row->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = c->id.b};
	row->context = batch_hold(&r->to->out, c->context);
	r->item->rows[r->item->n_rows++] = row;
}

void roster_tell(struct registry *registry, struct link *to)
{
	struct roster r = {.to = to};

	registry_each(registry, 0, UINT32_MAX, tell, &r);
}
