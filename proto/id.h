#ifndef PROTO_ID_H
#define PROTO_ID_H

/*
 * Connection ids: edge number (16 bits), slot (32 bits), random (40 bits). A broker
 * finds the edge in it without asking anybody, the edge finds the slot without a
 * hash table and compares the rest. People see 16 characters of base64url with a
 * trailing '=', as AWS's are, and need not know more.
 */

#include "base/err.h"
#include "base/span.h"

enum { ID_BYTES = 11, ID_TEXT = 17 /* with the zero */ };

struct id {
	uint8_t b[ID_BYTES];
};

/* random: its low 40 bits are used. */
struct id id_make(uint16_t edge, uint32_t slot, uint64_t random);

uint16_t id_edge(const struct id *id);
uint32_t id_slot(const struct id *id);
bool id_eq(const struct id *a, const struct id *b);
struct span id_span(const struct id *id);

/* From the wire; ERR_MALFORMED unless it is 11 bytes. */
must_use enum err id_from(struct span bytes, struct id *out);

/* What people see, into out; returns out. */
const char *id_text(const struct id *id, char out[ID_TEXT]);

/* What people typed; ERR_MALFORMED unless id_text could have written it. */
must_use enum err id_parse(struct span text, struct id *out);

/*
 * The requestId of an event, of the same form: always the same one for the same
 * event, whichever broker handles it, and however often. A disconnect's does not depend on
 * its number, so that any broker that produces it after a crash gives it the same id.
 */
enum { ID_SEQ_DISCONNECT = -1 };
const char *id_request(const struct id *id, uint64_t seq, char out[ID_TEXT]);

/* A key for base/ring.h. */
uint64_t id_hash(const struct id *id);

#endif
