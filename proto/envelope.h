#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

/* From bytes to an envelope that can be trusted: what the rooms behind this one need not check again. */

#include "base/err.h"
#include "proto/arena.h"

#include <proto/gatepost.pb-c.h>

/* Raised whenever an older process would misread a newer one. */
enum { LINK_VERSION = 1 };

/*
 * Read one ZeroMQ message.
 *
 * in       borrowed
 * a        what *out is made of; reset it when the envelope is no longer needed
 * out      on OK: each item has a body of a known kind, each id in it is 11 bytes, each enum has a
 *          known value that is not 0. On ERR_DENIED only out->version means anything.
 * returns  OK; ERR_DENIED: another protocol version; ERR_MALFORMED: not an envelope (drop the link)
 */
must_use enum err envelope_read(struct span in, struct arena *a,
				Gatepost__Envelope **out);

#endif
