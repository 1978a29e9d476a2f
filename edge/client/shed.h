#ifndef EDGE_CLIENT_SHED_H
#define EDGE_CLIENT_SHED_H

/*
 * Some of this edge's clients are to reconnect elsewhere: WebSockets in random order are closed at
 * --drain-rate, as when it drains. Others are still accepted.
 */

#include <stdint.h>

struct clients;
struct shed;

/* clients: borrowed until shed_free. rate: a second */
struct shed *shed_new(struct clients *clients, int64_t rate);
void shed_free(struct shed *s); /* NULL is fine */

/* Open WebSockets. */
uint32_t shed_count_open(const struct shed *s);

/*
 * Close so many of those that are open now, instead of those that an earlier call has left.
 *
 * returns  how many it will be: not more than there are, and none while the edge drains
 */
uint32_t shed_begin(struct shed *s, uint32_t most);

#endif
