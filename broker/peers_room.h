#ifndef BROKER_PEERS_ROOM_H
#define BROKER_PEERS_ROOM_H

/*
 * What peers.c (all edges, and what comes in), peer.c (one edge's link, and what it is
 * told) and peer_lease.c (its number) share; no other file includes it.
 */

#include "base/map.h"
#include "broker/peers.h"

#include <sys/queue.h>

struct peer {
	struct link link; /* link.to is the key of by_route */
	struct peers *peers;
	unsigned refs;
	bool is_gone;    /* no link any more; those who still hold a reference see that */
	bool is_leaving; /* it ends: its number is not kept for it */
	bool is_asking; /* the store is being asked about the lease, and holds a reference */
	LIST_ENTRY(peer) asking; /* while that is so */
	uint64_t boot;
	char boot_text[17];
	uint16_t number; /* 0 until the lease is there */
	/* The store's memory when it said that it has no number, and so no rows; empty: it had one. */
	char cluster[40];
	uint16_t
		given_up; /* the number that this edge has lost; 0: none that we know of */
	int64_t unknown_ms; /* since when nobody knows who has had its number; 0: somebody does */
	int64_t lease_ms; /* when it was taken or renewed, or is to be asked for again */
	uint64_t sent_items, sent_bytes; /* commands */
};

LIST_HEAD(peer_list, peer);

struct peers {
	struct broker *broker;
	struct zsock *z;
	struct timer *timer;
	struct map *by_route;
	struct peer_list asking;
	int64_t ticked_ms;
	bool store_is_away; /* so the edges were told */
	int64_t stopped_ms; /* when it was seen last that this process had been stopped */
	struct arena arena; /* of the envelope being read */
};

/* ---- peer.c ---- */

/* An edge that has said Hello from there, in by_route from now on. */
struct peer *peer_new(struct peers *ps, struct span from, const Gatepost__Hello *h);

/* The end of its link, and why. Asking again changes nothing. */
void peer_drop(struct peer *p, const char *why);

/* The edge tells what it has taken of our commands; ERR_MALFORMED when that is more than was sent. */
enum err peer_credit(struct peer *p, const Gatepost__Envelope *e);

/* Where it is reached through the ROUTER. */
struct span peer_route(const struct peer *p);

/* It has its number: the link is up. */
void peer_welcome(struct peer *p);

/* Who the brokers are; whether this one has the store; that it wants no new lanes. */
void peer_tell_members(struct peer *p);
void peer_tell_store(struct peer *p);
void peer_tell_leaving(struct peer *p);

/* ---- peer_lease.c ---- */

/* Take the lease of a number; wanted is what it has had, 0 for any. Then it is welcome. */
void peer_lease_take(struct peer *p, uint16_t wanted);

/* Keep its lease alive, or ask for one again, if it is time for that. */
void peer_lease_tick(struct peer *p, int64_t now);

/* Forget all questions about leases: the store ends, and does not answer them. */
void peer_lease_abandon(struct peers *ps);

/* ---- peers.c ---- */

/* No link, and why: also to those who have none. */
void peers_refuse(struct peers *ps, struct span to, const char *why);

/*
 * Were we stopped? Then edges have given their lanes to others, and their leases may have
 * lapsed: nothing that they sent before may be begun now. They link anew.
 */
void peers_look_at_clock(struct peers *ps);

#endif
