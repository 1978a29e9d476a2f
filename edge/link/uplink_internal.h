#ifndef EDGE_LINK_UPLINK_INTERNAL_H
#define EDGE_LINK_UPLINK_INTERNAL_H

/* What the files of edge/link share: uplink.c (events) and broker_link.c (brokers) own it. */

#include "base/ring.h"
#include "edge/link/seeds.h"
#include "edge/link/uplink.h"
#include "proto/link.h"

struct broker_link {
	struct uplink *uplink;
	struct broker_link *next;
	char *endpoint;
	struct zsock *z; /* NULL: no link now */
	struct link link;
	uint64_t boot;             /* of the process that sent Welcome */
	struct lane_queue waiting; /* lanes that it owns, without credit */
	struct lane_queue
		busy; /* those with something under way, or much to send: after them */
	struct lane_queue
		disconnecting; /* those whose next event is the disconnect: they come last */
	size_t n_disconnecting; /* disconnects under way */
	int64_t reconnect_ms;   /* when to connect next */
	int64_t listed_ms;      /* when a seed named it last */
	bool is_member;         /* the brokers name it */
	bool in_ring;
	bool lacks_store; /* what needs it goes to another, if there is one */
};

struct uplink_counts {
	struct metric *events, *resent, *stale, *poisonous;
	struct metric *out_of_credit, *link_full;
};

struct uplink {
	struct uplink_conf conf;
	struct uplink_uses uses;
	struct uplink_callbacks on;
	void *arg; /* of on */
	struct uplink_counts counts;
	struct seeds *seeds;
	struct timer *timer;
	struct broker_link *links;
	size_t n_links;
	uint16_t number;            /* of this edge; 0 until a broker has given one */
	uint16_t resyncs;           /* sent so far; wraps around */
	struct ring *ring;          /* brokers that accept lanes */
	struct ring *stored;        /* of these, those that have the store */
	struct lane_queue orphans;  /* no broker is there */
	struct lane_queue retrying; /* in the order of their time */
	struct lane_queue
		suspects; /* those whose next event is accused: one at a time (poison.h) */
	const struct lane_event
		*suspect;   /* the accused event that is under way; NULL: none */
	struct arena arena; /* of the envelope being read */
};

/* As far as credit goes, send what the lane has unsent; what is left waits. */
void uplink_pump(struct uplink *u, struct lane *l);

/* The event has been answered: forget it, and send what may follow it. */
void uplink_event_done(struct uplink *u, struct lane *l, struct lane_event *e);

/* The event could not be done for now: it, and what follows it, gives back its credit, and is sent again after a pause, to another broker if there is one. */
void uplink_retry(struct uplink *u, struct lane *l, struct lane_event *e);

/* The lane's events are to be sent again, but not before --retry. */
void uplink_pause(struct uplink *u, struct lane *l);

/* The broker gives back the credit of an event that it has answered. */
void uplink_credit(struct broker_link *from, const struct lane_event *e);

/* The lanes that found no broker: each once. */
void uplink_pump_orphans(struct uplink *u);

/* Those whose pause is over. */
void uplink_retry_due(struct uplink *u, int64_t now);

/* For uplink_new and uplink_free. */
void broker_links_named(void *uplink, const char *endpoint); /* a seeds_fn */
void broker_links_tick(void *uplink); /* closes silent links, connects again */
void broker_links_free(struct uplink *u);

enum link_end {
	LINK_ENDED_BY_US, /* or by a broker that had announced it: counts against nothing */
	LINK_ENDED_SILENT,
	LINK_ENDED_CLOSED,
	LINK_ENDED_UNREADABLE, /* one side could not read the other */
};

/* One message has come. */
void broker_link_receive(struct broker_link *b, struct span message);

/* End the link: its lanes go to other brokers, with what this one had not answered. Nothing if there is no link. */
void broker_link_close(struct broker_link *b, const char *why, enum link_end end);

#endif
