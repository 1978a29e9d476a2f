#ifndef BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_H
#define BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_H

/*
 * The webhooks `occupied` and `vacated`: a channel has its first subscriber in the cluster, or none any more.
 *
 * The broker that keeps a channel's shard (occupancy_keeper.h) compares what the webhook was told last with the
 * interest of all edges. When they differ, it writes the event to the store, invokes the webhook, and writes that the
 * event is handled; then it compares again. Whoever keeps the shard next, also after a crash, goes on there, with the
 * same event.
 *
 *   carried, not told → READ (position) → BEGIN (write) → TELL (invoke) → END (write) → REST
 *   told, not carried → absent → (occupancy_absence.h: nowhere else) → the same
 */

#include "broker/channels/delivery/interest.h"
#include "broker/channels/delivery/read.h"

struct occupancies;
struct routes;

/* All of it is borrowed until occupancy_free. */
struct occupancy_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct interest *interest;
	struct readers *readers;
	struct metrics *metrics; /* may be NULL */
	const char *boot;        /* of this broker, as text */
	int64_t tries;           /* of a webhook, in all */
	/* As they are now. */
	struct routes *(*routes)(void *arg);
	void *arg;
};

/* Before members_start. */
struct occupancies *occupancy_new(const struct occupancy_uses *uses);

/* After edges_free and store_free, before interest_free. NULL is fine. */
void occupancy_free(struct occupancies *o);

/* The configuration is another one: other channels may have a webhook. */
void occupancy_reload(struct occupancies *o);

/* This broker drains: begin nothing more. Stopped: what was under way has ended, and other brokers may go on. */
void occupancy_stop(struct occupancies *o);
bool occupancy_is_stopped(const struct occupancies *o);

#endif
