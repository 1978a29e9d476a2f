#ifndef STORE_EDGES_H
#define STORE_EDGES_H

/* What leases.c and dead_letters.c need of edges.c; other modules use store/leases.h. */

#include "store/ask.h"

#include <stdint.h>

/* Put a number on the list of those that may have rows. */
void edges_note(struct store *st, uint16_t number);

#endif
