#ifndef BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_CHANNEL_H
#define BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_CHANNEL_H

/* Shared by occupancy*.c; no other file includes it. */

#include "base/map.h"
#include "broker/channels/occupancy/occupancy.h"
#include "broker/channels/occupancy/occupancy_absence.h"
#include "broker/channels/occupancy/occupancy_event.h"
#include "broker/channels/occupancy/occupancy_keeper.h"

#include <sys/queue.h>

/* What is done next with a channel. */
enum occupancy_step { REST, READ, BEGIN, TELL, END };

/* A channel of a shard that is kept here: told to be occupied, or with an event. */
struct tracked {
	TAILQ_ENTRY(tracked) next;
	struct tracked_list *in; /* NULL: in none */
	struct occupancies *all;
	struct occupancy is; /* BEGIN to END: the event */
	enum occupancy_step step;
	bool is_busy;  /* an answer is awaited */
	bool is_stale; /* and the shard was lost meanwhile: it does not count */
	struct occupancy_event *event; /* TELL, busy */
	int64_t due_ms;                /* in paused */
	uint16_t shard;
	uint8_t n;
	uint8_t name[]; /* the key */
};

TAILQ_HEAD(tracked_list, tracked);

struct occupancies {
	struct occupancy_uses uses;
	struct occupancy_keeper *keeper;
	struct occupancy_absence *absence;
	struct timer *timer, *soon;
	struct map *tracked;
	/* Absent: not carried here; checking: the same while the absence is checked. */
	struct tracked_list ready, absent, checking, paused;
	size_t n_busy;
	struct metric *events[2], *failed, *dropped;
};

struct span occupancy_name(const struct tracked *t);

/* As the configuration is now; NULL: there is none. */
const struct config_namespace *occupancy_namespace(const struct occupancies *o,
						   struct span channel);

/* The channel goes on soon, or in ms; or it is in another list. */
void occupancy_enqueue(struct tracked *t);
void occupancy_pause(struct tracked *t, int64_t ms);
void occupancy_enlist(struct tracked *t, struct tracked_list *list);

/* Forget the channel, and free it; it is not busy. */
void occupancy_remove(struct tracked *t);

/* Do its next step, if its shard is kept; it is in no list, and not busy. It may be freed. */
void occupancy_channel_advance(struct tracked *t);

/* The channel is occupied now, or vacated, and was the other. The same holds. */
void occupancy_channel_change(struct tracked *t, bool is_occupied);

#endif
