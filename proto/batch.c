#include "proto/batch.h"

#include "base/mem.h"
#include "proto/envelope.h"

#include <stdlib.h>

void batch_init(struct batch *b)
{
	*b = (struct batch){.n = 0};
	proto_arena_init(&b->arena);
}

void batch_close(struct batch *b)
{
	batch_drop(b);
	proto_arena_close(&b->arena);
	free(b->items);
	free(b->held);
}

void *batch_add(struct batch *b, Gatepost__Item__BodyCase what,
		const ProtobufCMessageDescriptor *d)
{
	Gatepost__Item *item = proto_arena_alloc_raw(&b->arena, sizeof *item);
	ProtobufCMessage *m = proto_arena_alloc_raw(&b->arena, d->sizeof_message);

	gatepost__item__init(item);
	protobuf_c_message_init(d, m);
	item->body_case = what;
	item->hello =
		(void *)m; /* each member of the union is a pointer to its message */
	if (b->n == b->room) {
		b->room = b->room ? b->room * 2 : 32;
		b->items = xrealloc(b->items, b->room * sizeof *b->items);
	}
	b->items[b->n++] = item;
	return m;
}

bool batch_is_full(const struct batch *b)
{
	return b->bytes >= ENVELOPE_BYTES || b->n >= ENVELOPE_ITEMS ||
	       b->arena.size >= ENVELOPE_STRUCTS;
}

ProtobufCBinaryData batch_hold(struct batch *b, struct blob *body)
{
	if (body == NULL || body->n == 0)
		return (ProtobufCBinaryData){.len = 0};
	if (b->n_held == b->held_room) {
		b->held_room = b->held_room ? b->held_room * 2 : 32;
		b->held = xrealloc(b->held, b->held_room * sizeof *b->held);
	}
	b->held[b->n_held++] = blob_ref(body);
	b->bytes += body->n;
	return (ProtobufCBinaryData){.len = body->n, .data = body->p};
}

ProtobufCBinaryData batch_copy(struct batch *b, struct span in)
{
	struct span copy = proto_arena_copy(&b->arena, in);

	b->bytes += in.n;
	return (ProtobufCBinaryData){.len = copy.n, .data = (uint8_t *)(uintptr_t)copy.p};
}

void batch_pack(struct batch *b, Gatepost__Envelope *head, zmq_msg_t *out)
{
	head->items = b->items;
	head->n_items = b->n;
	zmq_msg_init_size(out, gatepost__envelope__get_packed_size(head));
	gatepost__envelope__pack(head, zmq_msg_data(out));
	batch_drop(b);
}

void batch_drop(struct batch *b)
{
	for (size_t i = 0; i < b->n_held; i++)
		blob_unref(b->held[i]);
	b->n_held = 0;
	b->n = 0;
	b->bytes = 0;
	proto_arena_reset(&b->arena);
}
