#ifndef EDGE_LINK_UPLINK_INTERNAL_H
#define EDGE_LINK_UPLINK_INTERNAL_H

/* What uplink.c (events) and broker_link.c (who takes them) share; no other file includes it. */

#include "base/ring.h"
#include "edge/link/poison.h"
#include "edge/link/seeds.h"
#include "edge/link/uplink.h"
#include "proto/link.h"

struct broker {
	struct uplink *uplink;
	struct broker *next;
	char *endpoint;
	struct zsock *z; /* NULL: no link now */
	struct link link;
	uint64_t boot;             /* of the process that said Welcome */
	struct lane_queue waiting; /* lanes at home here, without credit */
	struct lane_queue
		greedy; /* those with something under way, or much to say: after them */
	struct lane_queue
		departing;  /* those whose next event is the disconnect: they come last */
	size_t n_departing; /* disconnects under way */
	int64_t again_ms;   /* when to connect next */
	int64_t named_ms;   /* when a seed named it last */
	bool is_member;     /* the brokers name it */
	bool in_ring;
	bool lacks_store; /* what needs it goes to another, if there is one */
};

struct uplink {
	struct edge *edge;
	void *zctx;
	struct seeds *seeds;
	struct timer *timer;
	struct broker *brokers;
	size_t n_brokers;
	struct ring *ring;          /* who takes lanes */
	struct ring *stored;        /* of these, who has the store */
	struct lane_queue orphans;  /* no broker is there */
	struct lane_queue retrying; /* in the order of their time */
	struct lane_queue
		accused; /* those whose next event is accused: one at a time (poison.h) */
	const struct lane_event
		*on_trial;  /* the accused event that is under way; NULL: none */
	struct arena arena; /* of the envelope being read */
};

/* As far as credit goes, send what the lane has unsent; what is left waits. */
void uplink_pump(struct uplink *u, struct lane *l);

/* The lane's events are to be sent again, but not before --retry. */
void uplink_pause(struct uplink *u, struct lane *l);

/* The lanes that no broker was there for: each once. */
void uplink_pump_orphans(struct uplink *u);

/* Those whose pause is over. */
void uplink_retry_due(struct uplink *u, int64_t now);

/* For uplink_new and uplink_free. */
void brokers_named(void *uplink, const char *endpoint); /* a seeds_fn */
void brokers_tick(void *uplink); /* silence, and who is to be connected to */
void brokers_free(struct uplink *u);

/* One message of its. */
void broker_hears(struct broker *b, struct span said);

/* The link has ended: its lanes go to their next homes, with what it had not answered. */
void broker_lost(struct broker *b, const char *why, enum link_end end);

#endif
