#ifndef BROKER_CLUSTER_EDGES_INTERNAL_H
#define BROKER_CLUSTER_EDGES_INTERNAL_H

/*
 * What edges.c (all edges, and what comes in), edge_link.c (one edge's link, and what it is
 * told) and edge_lease.c (its number) share; no other file includes it.
 */

#include "base/map.h"
#include "broker/cluster/edges.h"
#include "store/members.h"

#include <sys/queue.h>

struct edge_link {
	struct link link; /* link.to is the key of by_route */
	struct edges *edges;
	unsigned refs;
	bool is_gone;    /* no link any more; holders of a reference see this */
	bool is_leaving; /* the edge ends: its number is not kept for it */
	bool is_asking; /* the store is being asked about the lease, and holds a reference */
	LIST_ENTRY(edge_link) asking; /* while that is so */
	uint64_t boot;
	char boot_text[17];
	uint16_t
		number; /* 0 until the lease is there; stays as it is once the link is up */
	struct edge_link *older; /* up, with the same number; by_number has the newest */
	/* The store's cluster id when the edge had no number, and so no rows; empty: it had one. */
	char cluster[MEMBERS_CLUSTER];
	uint16_t given_up; /* the number that this edge has lost; 0: none known */
	int64_t unknown_ms; /* since when the owner of its number is unknown; 0: it is known */
	int64_t lease_ms; /* when it was taken or renewed, or is to be asked for again */
	uint64_t sent_items, sent_bytes; /* commands */
};

LIST_HEAD(edge_link_list, edge_link);

struct edges {
	struct edges_conf conf;
	struct edges_uses uses;
	struct edges_callbacks on;
	void *arg;
	struct zsock *z;
	struct timer *timer;
	struct map *by_route, *by_number;
	struct edge_link_list asking;
	int64_t ticked_ms;
	bool store_is_down; /* as sent to the edges */
	bool is_leaving;    /* as sent to the edges */
	int64_t stopped_ms; /* when it was seen last that this process had been stopped */
	struct proto_arena arena; /* of the envelope being read */
	struct metric *full;
};

/* ---- edge_link.c ---- */

/* The link of an edge that has sent Hello; in by_route from now on. */
struct edge_link *edge_link_new(struct edges *edges, struct span from,
				const Gatepost__Hello *h);

/* End the link. Asking again changes nothing. */
void edge_link_drop(struct edge_link *edge, const char *why);

/* What the edge has taken of our commands; ERR_MALFORMED when that is more than was sent. */
enum err edge_link_credit(struct edge_link *edge, const Gatepost__Envelope *e);

/* Where it is reached through the ROUTER. */
struct span edge_link_route(const struct edge_link *edge);

/* It has its number: the link is up, and in by_number. */
void edge_link_welcome(struct edge_link *edge);

/* Send it the live brokers; whether this one has the store; that it is to send no new lanes. */
void edge_link_send_members(struct edge_link *edge);
void edge_link_send_store(struct edge_link *edge);
void edge_link_send_leaving(struct edge_link *edge);

/* ---- edge_lease.c ---- */

/* Take the lease of a number; wanted is what it has had, 0 for any. Then it is welcome. */
void edge_lease_acquire(struct edge_link *edge, uint16_t wanted);

/* Renew its lease, or ask for one again, if it is time for that. */
void edge_lease_tick(struct edge_link *edge, int64_t now);

/* Forget all questions about leases: the store ends, and does not answer them. */
void edge_lease_abandon(struct edges *edges);

/* ---- edges.c ---- */

/* Refuse a link, with the reason: also to a peer without one. */
void edges_refuse(struct edges *edges, struct span to, const char *why);

/*
 * Was this process stopped? Then edges have given their lanes to others, and their leases
 * may have expired: nothing that they sent before may be started now. They reconnect.
 */
void edges_check_clock(struct edges *edges);

#endif
