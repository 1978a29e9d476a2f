#ifndef BROKER_PEERS_H
#define BROKER_PEERS_H

/*
 * The edges, as a broker sees them: one ROUTER, and a link for each that has said
 * Hello. An edge gets its number here, on a lease in the store that is kept alive
 * for as long as the edge is heard.
 *
 *   Hello → (lease) → Welcome → events and outcomes … → silence, or another Hello
 */

#include "broker/broker.h"
#include "proto/id.h"
#include "proto/link.h"

#include <proto/gatepost.pb-c.h>

struct peer;
struct peers;

/* NULL after an error line when conf.bind cannot be bound. */
struct peers *peers_new(struct broker *b, void *zctx);
void peers_free(struct peers *p); /* NULL is fine */

/* What edges are to connect to; lives as long as p. */
const char *peers_endpoint(const struct peers *p);

/* The edge with this number, if its link is up; NULL otherwise. */
struct peer *peers_find(const struct peers *p, uint16_t number);

/* Links that are up. */
int64_t peers_count(const struct peers *p);

/* Tell all edges who the brokers are. */
void peers_tell_members(struct peers *p);

/* The store may have lost their leases: renew them all now. */
void peers_renew(struct peers *p);

/* Ask all edges for no new lanes. */
void peers_leave(struct peers *p);

/* Was this process stopped at some time since since_ms (loop_now)? Then what was late was not others' fault. */
bool peers_were_stopped(struct peers *p, int64_t since_ms);

/* Send what this turn has produced; a hook of the loop. */
void peers_flush(void *peers);

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
