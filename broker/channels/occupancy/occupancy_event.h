#ifndef BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_EVENT_H
#define BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_EVENT_H

/* One invocation of the webhook `occupied` or `vacated` of a channel. */

#include "broker/routes/route.h"
#include "store/occupancy.h"

struct occupancy_event;

/* The bits of enum channel_on that the namespace's webhook has of these two; 0: none. ns may be NULL. */
unsigned occupancy_event_on(const struct config_namespace *ns);

/* A new id, for struct occupancy. */
void occupancy_event_name(char out[OCCUPANCY_EVENT + 1]);

/*
 * routes   a reference is kept
 * is       pending
 * returns  NULL: the namespace has no such webhook (any more), or the event's id is not one of ours
 */
struct occupancy_event *occupancy_event_new(struct routes *routes, struct span channel,
					    const struct occupancy *is);

/* Once its fn was called, or at the end of the process. NULL is fine. */
void occupancy_event_free(struct occupancy_event *e);

/* why: NULL: the function has handled it; else a sentence for the log. fn may be called before this returns. */
typedef void occupancy_event_fn(void *arg, const char *why);
void occupancy_event_invoke(struct occupancy_event *e, occupancy_event_fn *fn, void *arg);

#endif
