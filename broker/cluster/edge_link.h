#ifndef BROKER_CLUSTER_EDGE_LINK_H
#define BROKER_CLUSTER_EDGE_LINK_H

/*
 * One edge that has sent Hello: its link, and the messages to it. It gets its number here,
 * on a lease in the store that is renewed for as long as the edge is heard.
 *
 *   Hello → (lease) → Welcome → events and outcomes … → silence, or another Hello
 */

#include "proto/link.h"

#include <proto/gatepost.pb-c.h>
#include <stdbool.h>
#include <stdint.h>

struct edge_link;

/* Where items for the edge are added; NULL when the link has ended. */
struct link *edge_link_out(struct edge_link *edge);

/*
 * Does the edge still count on this broker? False when the link has ended; and when this
 * process was stopped for so long that others may have taken over: then all links end.
 */
bool edge_link_is_live(struct edge_link *edge);

/* What it has its lease with: its number, and the boot id in 16 hex digits. */
uint16_t edge_link_number(const struct edge_link *edge);
const char *edge_link_boot(const struct edge_link *edge);

/* Ask the edge for the list of its connections; it answers with Rosters of this ticket. */
void edge_link_ask_resync(struct edge_link *edge, uint64_t ticket);

/*
 * A command for the edge, to be filled; its link is up.
 *
 * bytes    of its body
 * returns  NULL when the edge's credit is used up: it does not keep up
 */
Gatepost__Command *edge_link_command(struct edge_link *edge, size_t bytes);

/* Would a command, or a publication, be taken now? */
bool edge_link_has_credit(const struct edge_link *edge);

/* A publication for the edge, which costs the same credit; bytes: of its body. Returns as edge_link_command. */
Gatepost__Deliver *edge_link_deliver(struct edge_link *edge, size_t bytes);

/* All interest of the edge up to this serial is known here; its link is up. */
void edge_link_confirm(struct edge_link *edge, uint64_t serial);

/* The answer to a Gap, to be filled; its link is up. */
Gatepost__Fill *edge_link_fill(struct edge_link *edge);

struct edge_link *edge_link_ref(struct edge_link *edge); /* returns edge */
void edge_link_unref(struct edge_link *edge);

#endif
