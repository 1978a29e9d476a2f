#ifndef STORE_KEYS_H
#define STORE_KEYS_H

/*
 * Every key in Redis and how long it lives, on one page.
 *
 *   key                          type    lives until
 *   {prefix}{eN}:connections     HASH    its last row is removed; field: connection id, value: the row as JSON
 *   {prefix}{eN}:disconnects     HASH    its last one is handled; field: connection id, value: the pending disconnect as JSON
 *   {prefix}{eN}:due             ZSET    with disconnects; member: connection id, score: when it may be claimed, in ms
 *   {prefix}{eN}:lease           STRING  the lease expires (PX); value: the boot id of the edge that holds N
 *   {prefix}{eN}:owner           STRING  KEYS_OWNER_MS after N's lease expired; the last boot id of N, behind
 *                                        "reaped:" once N was reaped
 *   {prefix}{eN}:synced          STRING  N is forgotten; the cluster id of the memory that all its rows are in
 *   {prefix}{eN}:presence        ZSET    its last channel is taken off; member: a channel in which connections of N are
 *                                        present, score: when it was noted last, in ms
 *   {prefix}{oN}:keeper          STRING  its lease expires (PX); value: the boot id of the broker that keeps the occupancy of
 *                                        the channels of shard N (0 to 15)
 *   {prefix}{oN}:occupancy       HASH    its last channel is vacated; field: channel, value: whether it is occupied, and the
 *                                        event that its webhook has not handled yet
 *   {prefix}{m}:presence-due     ZSET    its last grace is over; member: channel, score: when its next grace ends, in ms
 *   {prefix}{m}:edges            SET     for ever; a number leaves when it is forgotten
 *   {prefix}{m}:members          HASH    twice the members' ttl after the last beat; field: boot id, value: JSON
 *   {prefix}{m}:cluster          STRING  for ever: when it is gone, Redis has lost its memory; value: the cluster id,
 *                                        a space, Redis's run id
 *   {prefix}{m}:parked           HASH    its last one is retried or dropped; field: connection id, value: as in disconnects
 *
 *   {prefix}{NAME}:position      STRING  twice the channel's ttl and an hour after the last publication or look; offset, epoch, … packed
 *   {prefix}{NAME}:history       LIST    the channel's ttl, and up to 30 s more, after the last publication; time and message
 *   {prefix}{NAME}:key:KEY       STRING  the idempotency key's ttl; the position of its publication
 *   {prefix}{NAME}:events:PERIOD HASH    10 minutes; for each connection: what its last event of these 5 minutes has published
 *   {prefix}{USER}:ids           SET     its last connection has ended; connection ids of the user
 *   {prefix}{USER}:rate:NS       STRING  2 s; a second, and how often the user has published in the namespace NS then
 *   {prefix}{NAME}:members       HASH    the last one leaves; field: connection id, value: length of the user, ':', user, JSON
 *   {prefix}{NAME}:order         ZSET    with members; member: connection id, score: 0
 *   {prefix}{NAME}:users         HASH    the last one leaves; field: user, value: how many connections
 *   {prefix}{NAME}:leaving       ZSET    its last grace is over; member: connection id, score: when its grace ends, in ms
 *   {prefix}{NAME}:left          HASH    with leaving; field: user, value: the connection of it that left last
 *
 * The braces stand in the key: what is inside is Redis Cluster's hash tag, so all
 * keys of one edge (eN, N from 1 to 65535) are on one node, so are those of a shard (oN), all with {m}, and all
 * of the channel NAME. A channel may be called e1 or m: what is behind the tag differs.
 * The prefix is a setting, "gatepost:" by default.
 */

#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

enum {
	KEYS_PREFIX_MAX = 64,
	KEYS_TEXT = 128,         /* room for any key and its zero */
	KEYS_CHANNEL_TEXT = 640, /* room for any key of a channel */
	KEYS_OWNER_MS = 24 * 60 * 60 * 1000,
};

/* May this be a prefix: at most 64 of A-Z a-z 0-9 : . _ - /, so that neither tags nor patterns break. */
must_use enum err keys_check_prefix(const char *prefix);

/* Each writes the key into out and returns out. */
const char *keys_connections(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_disconnects(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_due(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_lease(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_owner(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_synced(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_presence(const char *prefix, uint16_t edge, char out[KEYS_TEXT]);
const char *keys_keeper(const char *prefix, uint16_t shard, char out[KEYS_TEXT]);
const char *keys_occupancy(const char *prefix, uint16_t shard, char out[KEYS_TEXT]);
const char *keys_edges(const char *prefix, char out[KEYS_TEXT]);
const char *keys_members(const char *prefix, char out[KEYS_TEXT]);
const char *keys_cluster(const char *prefix, char out[KEYS_TEXT]);
const char *keys_dead_letters(const char *prefix, char out[KEYS_TEXT]);
const char *keys_presence_due(const char *prefix, char out[KEYS_TEXT]);

/*
 * A key of a channel, without a zero behind it; returns its bytes.
 *
 * name, follows  at most 255 bytes each; follows: behind what, may be empty
 */
size_t keys_channel(const char *prefix, struct span name, const char *what,
		    struct span follows, char out[KEYS_CHANNEL_TEXT]);

#endif
