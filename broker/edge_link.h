#ifndef BROKER_EDGE_LINK_H
#define BROKER_EDGE_LINK_H

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

struct edge_link;

/* The link, to add items to; NULL when it has ended. */
struct link *edge_link_out(struct edge_link *p);

/*
 * Does its edge still count on us? False when the link has ended; and when this process was
 * stopped for so long that others may have taken over: then all links end.
 */
bool edge_link_is_live(struct edge_link *p);

/* What it has its lease with: its number, and the boot id in 16 hex digits. */
uint16_t edge_link_number(const struct edge_link *p);
const char *edge_link_boot(const struct edge_link *p);

/* Ask the edge what it holds; it answers with Rosters of this ticket. */
void edge_link_ask_resync(struct edge_link *p, uint64_t ticket);

/*
 * A command for the edge, to be filled; its link is up.
 *
 * bytes    of its body
 * returns  NULL when the edge's credit is used up: it does not keep up
 */
Gatepost__Command *edge_link_command(struct edge_link *p, size_t bytes);

struct edge_link *edge_link_ref(struct edge_link *p); /* returns p */
void edge_link_unref(struct edge_link *p);

#endif
