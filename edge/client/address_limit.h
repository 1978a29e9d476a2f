#ifndef EDGE_CLIENT_ADDRESS_LIMIT_H
#define EDGE_CLIENT_ADDRESS_LIMIT_H

/*
 * How many sockets an address may have, and how fast it may open them. An address is
 * an IPv4 address, or a /64 of IPv6, which one customer usually has.
 *
 * An address is remembered while it has sockets, or has used some of its burst: so the
 * memory is bounded by the number of sockets, and by ADDRESS_LIMIT_IDLE_MOST.
 */

#include "base/err.h"

#include <stdint.h>
#include <sys/socket.h>

struct address_limit;
struct address_use; /* what one address has; borrowed from the table */

/* Most addresses without a socket that are remembered; more of them start with a full burst again. */
enum { ADDRESS_LIMIT_IDLE_MOST = 65536 };

/*
 * connections  most sockets of an address; 0: any number
 * rate, burst  sockets a second, and at once; rate 0: any number
 * returns      NULL when there is nothing to limit
 */
struct address_limit *address_limit_new(int64_t connections, int64_t rate, int64_t burst);
void address_limit_free(struct address_limit *l); /* NULL is fine */

/*
 * A new socket of this address.
 *
 * out      on OK: to be given back by address_limit_leave, once
 * returns  OK; ERR_BUSY: too many sockets; ERR_RATE: too many in this time
 */
must_use enum err address_limit_enter(struct address_limit *l, const struct sockaddr *sa,
				      int64_t now, struct address_use **out);

/* One of its sockets is closed. */
void address_limit_leave(struct address_limit *l, struct address_use *u, int64_t now);

/* Forget the addresses whose burst is full. To be called regularly. */
void address_limit_tick(struct address_limit *l, int64_t now);

/* Addresses that are remembered. */
size_t address_limit_size(const struct address_limit *l);

#endif
