#ifndef BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_KEEPER_H
#define BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_KEEPER_H

/*
 * Which shards of the occupancy (store/occupancy.h) this broker keeps. The ring of the brokers says who should keep
 * a shard, a lease in the store who does: it is renewed each second, and ends after five.
 *
 *   the ring names this broker → (lease) → LOADING → KEPT → the ring names another, or drain → LEAVING → NONE
 *                                             └── lease over, or memory of the store lost ──────────────┘
 */

#include "broker/cluster/members.h"
#include "store/occupancy.h"

struct occupancy_keeper;

enum keeper_state {
	KEEPER_NONE,
	KEEPER_LOADING, /* the lease is there, the shard is being read */
	KEEPER_KEPT,
	KEEPER_LEAVING, /* nothing is begun; what is under way is finished */
};

/* All of it is borrowed until occupancy_keeper_free. */
struct keeper_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	const char *boot; /* of this broker, as text */
};

struct keeper_callbacks {
	/* Is there anything to keep? */
	bool (*is_needed)(void *arg);
	/* A channel of a shard that is loading; then the whole shard is kept. The latter also when a shard stays after all. */
	void (*row)(void *arg, const struct occupancy_row *row);
	void (*kept)(void *arg, uint16_t shard);
	/* What is known of the shard's channels does not count any more. */
	void (*lost)(void *arg, uint16_t shard);
};

/* Before members_start. */
struct occupancy_keeper *occupancy_keeper_new(const struct keeper_uses *uses,
					      const struct keeper_callbacks *on,
					      void *arg);

/* After store_free. NULL is fine. */
void occupancy_keeper_free(struct occupancy_keeper *k);

enum keeper_state occupancy_keeper_state(const struct occupancy_keeper *k,
					 uint16_t shard);

/* KEPT or LEAVING, and the lease is not over by this process's own clock. */
bool occupancy_keeper_has_lease(const struct occupancy_keeper *k, uint16_t shard);

/* Something of the shard is under way, until it is finished. */
void occupancy_keeper_begin(struct occupancy_keeper *k, uint16_t shard);
void occupancy_keeper_finish(struct occupancy_keeper *k, uint16_t shard);

/* The store says that another broker keeps this shard. */
void occupancy_keeper_denied(struct occupancy_keeper *k, uint16_t shard);

/* This broker drains: release all shards, each when nothing of it is under way. */
void occupancy_keeper_stop(struct occupancy_keeper *k);

/* Is there a shard that is not NONE? */
bool occupancy_keeper_is_any(const struct occupancy_keeper *k);

#endif
