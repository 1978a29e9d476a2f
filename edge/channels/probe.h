#ifndef EDGE_CHANNELS_PROBE_H
#define EDGE_CHANNELS_PROBE_H

/*
 * Brokers publish to a private channel to see whether that is delivered (proto/probe.h). This edge carries it
 * like any other channel; its one subscriber is here.
 */

#include "edge/channels/internal.h"

/* Subscribe. After channels_use; it ends with channels_stop. */
void probe_begin(struct channels *ch);

/* NULL: a probe has come lately, or no broker is linked; else what is missing. */
const char *probe_missing(const struct channels *ch);

/* For channels.c and emit.c: it ends; the first broker is linked; one has come. */
void probe_end(struct channels *ch);
void probe_linked(struct channels *ch);
enum emitted probe_receive(struct channels *ch);

/* How many of the edge's channels, and of its subscriptions, are no client's: 0 or 1. */
int64_t probe_own(const struct channels *ch);

#endif
