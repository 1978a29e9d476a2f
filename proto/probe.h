#ifndef PROTO_PROBE_H
#define PROTO_PROBE_H

/*
 * Delivery probes: each broker publishes to a private channel, which each edge carries, and the edge
 * answers as it does for any publication with a ticket.
 */

#define PROBE_CHANNEL "\x01probe" /* no client can name it: it has a control character */

enum { PROBE_MS = 5000 }; /* between two probes of a broker */

#endif
