#ifndef BROKER_PEER_H
#define BROKER_PEER_H

/*
 * One edge that has said Hello: its link, and what it is told. It gets its number here,
 * on a lease in the store that is kept alive for as long as the edge is heard.
 *
 *   Hello → (lease) → Welcome → events and outcomes … → silence, or another Hello
 */

#include "proto/link.h"

#include <proto/gatepost.pb-c.h>
#include <stdbool.h>
#include <stdint.h>

struct peer;

/* The link, to add items to; NULL when it has ended. */
struct link *peer_link(struct peer *p);

/*
 * Does its edge still count on us? False when the link has ended; and when this process was
 * stopped for so long that others may have taken over: then all links end.
 */
bool peer_is_live(struct peer *p);

/* What it has its lease with: its number, and the boot id in 16 hex digits. */
uint16_t peer_number(const struct peer *p);
const char *peer_boot(const struct peer *p);

/* Ask the edge what it holds; it answers with Rosters of this ticket. */
void peer_resync(struct peer *p, uint64_t ticket);

/*
 * A command for the edge, to be filled; its link is up.
 *
 * bytes    of its body
 * returns  NULL when the edge's credit is used up: it does not keep up
 */
Gatepost__Command *peer_command(struct peer *p, size_t bytes);

struct peer *peer_ref(struct peer *p); /* returns p */
void peer_unref(struct peer *p);

#endif
