#ifndef CLI_UP_PORT_H
#define CLI_UP_PORT_H

/*
 * Ports that our processes share, kept for us from before the first of them starts until
 * after the last has ended: a socket that is bound with SO_REUSEPORT but never listens.
 */

#include "base/address.h"

/*
 * Take the port, or a free one for port 0.
 *
 * text     "127.0.0.1:8080"
 * flag     "--listen", for the message
 * at       gets the address with the port that was taken
 * returns  the descriptor; or -1 after a line on stderr
 */
int port_reserve(const char *text, const char *flag, struct address *at);

/*
 * The address for the process number i of those that each need a port of their own: the
 * port after the first's, or 0 for all when the first's is 0.
 *
 * returns  OK; ERR_TOOBIG over 65535
 */
must_use enum err port_next(const struct address *first, unsigned i, struct address *out);

/* How a client on this machine reaches it: 127.0.0.1 for 0.0.0.0, [::1] for [::]. */
struct address port_reach(const struct address *at);

#endif
