#ifndef EDGE_LINK_UPLINK_INTERNAL_H
#define EDGE_LINK_UPLINK_INTERNAL_H

/* Shared by the files of edge/link: uplink.c (events) and broker_link.c (brokers) own it. */

#include "base/ring.h"
#include "edge/link/channel_link.h"
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
	uint64_t serial;           /* of this link, since Welcome (channel_link.h) */
	struct lane_queue waiting; /* lanes that it owns, without credit */
	struct lane_queue
		busy; /* lanes with something under way, or large events: after those */
	struct lane_queue
		disconnecting;  /* lanes whose next event is the disconnect: last */
	size_t n_disconnecting; /* disconnects under way */
	int64_t reconnect_ms;   /* when to connect next */
	int64_t listed_ms;      /* when a seed named it last */
	bool is_member;         /* the brokers name it: as the process `member` */
	uint64_t member;
	bool in_ring;
	bool lacks_store; /* events that need it go to another broker, if there is one */
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
	struct channel_link_callbacks channels;
	void *channels_arg;
	uint64_t serials; /* given to links so far */
	uint64_t picked;  /* by channel_link_pick: the last one */
	struct uplink_counts counts;
	struct seeds *seeds;
	struct timer *timer;
	struct broker_link *links;
	size_t n_links;
	uint16_t number;            /* of this edge; 0 until a broker has given one */
	uint16_t resyncs;           /* sent so far; wraps around */
	bool is_far;                /* a member has an endpoint that is not linked to */
	struct ring *ring;          /* brokers that accept lanes */
	struct ring *stored;        /* of these, those that have the store */
	struct lane_queue orphans;  /* no broker is there */
	struct lane_queue retrying; /* in the order of their time */
	struct lane_queue
		suspects; /* lanes whose next event is accused: one at a time (poison.h) */
	const struct lane_event
		*suspect;         /* the accused event that is under way; NULL: none */
	struct proto_arena arena; /* of the envelope being read */
};

/* Send the lane's unsent events as far as the credit allows; the rest waits. */
void uplink_pump(struct uplink *u, struct lane *l);

/* The event is answered: remove it, and send the next ones. */
void uplink_event_done(struct uplink *u, struct lane *l, struct lane_event *e);

/* The broker cannot handle the event now: give back the credit of it and of the later events, and send them again after a pause, to another broker if there is one. */
void uplink_retry(struct uplink *u, struct lane *l, struct lane_event *e);

/* The lane's events are to be sent again, but not before --retry. */
void uplink_pause(struct uplink *u, struct lane *l);

/* The broker gives back the credit of an event that it has answered. */
void uplink_credit(struct broker_link *from, const struct lane_event *e);

/* Pump the lanes that found no broker, each once. */
void uplink_pump_orphans(struct uplink *u);

/* Pump the lanes whose pause is over. */
void uplink_retry_due(struct uplink *u, int64_t now);

/* For uplink_new and uplink_free. */
void broker_links_named(void *uplink, const char *endpoint); /* a seeds_fn */
void broker_links_tick(void *uplink); /* closes silent links, connects again */
void broker_links_free(struct uplink *u);

enum link_end {
	LINK_ENDED_BY_US, /* or by a broker that had announced it: no blame */
	LINK_ENDED_SILENT,
	LINK_ENDED_CLOSED,
	LINK_ENDED_UNREADABLE, /* one side could not read the other */
};

/* One message has arrived. */
void broker_link_receive(struct broker_link *b, struct span message);

/* End the link: its lanes go to other brokers, with what this one had not answered. Nothing if there is no link. */
void broker_link_close(struct broker_link *b, const char *why, enum link_end end);

#endif
