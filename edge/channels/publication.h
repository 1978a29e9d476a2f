#ifndef EDGE_CHANNELS_PUBLICATION_H
#define EDGE_CHANNELS_PUBLICATION_H

/* A publication, with the frame that all subscribers share; and lists of them. */

#include "base/blob.h"

#include <proto/gatepost.pb-c.h>

struct publication_tag {
	struct span key, value;
};

struct publication {
	uint32_t refs;
	bool is_binary;
	bool is_reset; /* no publication, but the frame of a reset in its place */
	uint8_t n_tags;
	uint64_t offset;       /* 0: no history */
	uint64_t link, ticket; /* whom to tell how many it has reached; 0: nobody */
	struct blob *frame;
	struct publication_tag tags[];
};

/* A copy of m, which envelope_read has checked; one reference. */
struct publication *publication_new(const Gatepost__Publication *m);

/* A reset to be sent in its turn; takes frame. */
struct publication *publication_reset(struct blob *frame);

struct publication *publication_ref(struct publication *p);
void publication_unref(struct publication *p);

/* Publications in order; zeros: empty. It holds a reference to each. */
struct shelf {
	struct publication **of; /* a ring of room places */
	uint32_t first, n, room;
	size_t bytes; /* of memory for the frames */
};

struct publication *shelf_at(const struct shelf *s, uint32_t i);

/* Add p before the one at i, or at the end (i = n); takes a reference of its own. */
void shelf_insert(struct shelf *s, uint32_t i, struct publication *p);
void shelf_push(struct shelf *s, struct publication *p);

/* Take the first one out; the caller has its reference. */
struct publication *shelf_shift(struct shelf *s);

/* The last one. */
struct publication *shelf_pop(struct shelf *s);

/* Drop all. */
void shelf_clear(struct shelf *s);

#endif
