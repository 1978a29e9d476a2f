#ifndef BROKER_CHANNELS_CHANNELS_H
#define BROKER_CHANNELS_CHANNELS_H

/* Creates the parts of channels, and connects them to the edges. */

#include "broker/channels/delivery/gap.h"
#include "broker/channels/presence/presence.h"
#include "broker/channels/delivery/publish.h"

struct channels;
struct occupancies; /* occupancy.h */
struct routes;

/* All of it is borrowed until channels_free; metrics may be NULL. */
struct channels_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct metrics *metrics;
	uint64_t boot;         /* of this broker */
	int64_t webhook_tries; /* of `occupied` and `vacated`, in all */
	/* The namespace of a channel, borrowed until the loop's next turn; NULL: there is none. */
	const struct config_namespace *(*ns)(void *arg, struct span channel);
	/* As they are now. */
	struct routes *(*routes)(void *arg);
	void *arg;
};

/* Before members_start. */
struct channels *channels_new(const struct channels_uses *uses);

/* After edges_free and store_free, before members_free; no fn is called any more. NULL is fine. */
void channels_free(struct channels *c);

/* For the callbacks of edges. channels_outcome: false: the Outcome is that of a command. */
void channels_link_up(struct channels *c, struct edge_link *edge);
void channels_link_lost(struct channels *c, struct edge_link *edge);
void channels_interest(struct channels *c, struct edge_link *from,
		       const Gatepost__Interest *m);
void channels_gap(struct channels *c, struct edge_link *from, const Gatepost__Gap *m);
bool channels_outcome(struct channels *c, struct edge_link *from,
		      const Gatepost__Outcome *o);

/* For readiness: NULL when publications are delivered to all linked edges; else what is missing, borrowed until the next call. */
const char *channels_missing(const struct channels *c);

/* Its parts, for those who publish and read. */
struct publishers *channels_publishers(const struct channels *c);
struct readers *channels_readers(const struct channels *c);
struct presence *channels_presence(const struct channels *c);
const struct interest *channels_carried(const struct channels *c);
struct occupancies *channels_occupancies(const struct channels *c);

#endif
