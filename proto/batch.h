#ifndef PROTO_BATCH_H
#define PROTO_BATCH_H

/* What this turn of the loop has produced for one peer: items, in order, until they are packed into one envelope. */

#include "base/blob.h"
#include "proto/proto_arena.h"

#include <proto/gatepost.pb-c.h>
#include <zmq.h>

struct batch {
	struct proto_arena arena;
	Gatepost__Item **items;
	size_t n, room;
	size_t bytes; /* of bodies, for deciding when a batch is large enough */
	struct blob **held;
	size_t n_held, held_room;
};

void batch_init(struct batch *b);
void batch_close(struct batch *b);

/*
 * Append an item.
 *
 * what     GATEPOST__ITEM__BODY_EVENT …
 * d        the descriptor of that message, such as &gatepost__event__descriptor
 * returns  the message inside the item, initialised, to be filled before the batch is packed
 */
void *batch_add(struct batch *b, Gatepost__Item__BodyCase what,
		const ProtobufCMessageDescriptor *d);

/* Large enough to be worth a message of its own, and as large as its reader takes with one item more. */
bool batch_is_full(const struct batch *b);

/* Keep the blob until the batch is packed (b takes a reference of its own), and count its bytes; the message can then point into it. */
ProtobufCBinaryData batch_hold(struct batch *b, struct blob *body);

/* A copy of in that lives until the batch is packed. */
ProtobufCBinaryData batch_copy(struct batch *b, struct span in);

/* Pack all into out as one envelope with the given head, and begin anew. */
void batch_pack(struct batch *b, Gatepost__Envelope *head, zmq_msg_t *out);

/* Forget what is in it. */
void batch_drop(struct batch *b);

/* protobuf-c's bytes as ours. */
static inline struct span span_from(ProtobufCBinaryData d)
{
	return span_of(d.data, d.len);
}

#endif
