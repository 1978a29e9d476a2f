#ifndef EDGE_CHANNELS_TABLE_H
#define EDGE_CHANNELS_TABLE_H

/* Which subscriptions there are: of a channel, and of a connection. */

#include "edge/channels/internal.h"

/* NULL: nobody here has subscribed to it. */
struct channel *table_find(const struct channels *ch, struct span name);

/* The subscription of s; NULL: none. */
struct subscription *table_subscription(const struct subscriber *s, struct span channel);

/* A new one with nothing special; the channel is made if need be. */
struct subscription *table_add(struct channels *ch, struct subscriber *s,
			       struct span channel);

/* Free it, whatever its state. Brokers are told at the end of the turn when it was the channel's last. */
void table_remove(struct channels *ch, struct subscription *sub);

/* Free a channel without subscriptions. */
void table_free_channel(struct channels *ch, struct channel *c);

/* Forget what is set aside for a slow subscriber. */
void table_clear_aside(struct channels *ch, struct slow *slow);

/* What is special of a subscription: made if need be, and freed when nothing of it is used. */
struct extra *table_extra(struct subscription *sub);
void table_trim(struct subscription *sub);

/* It has an own position, or the channel's again. */
void table_catch(struct subscription *sub, uint64_t own);
void table_caught(struct subscription *sub);

/* It is not pending any more. */
void table_unpend(struct channels *ch, struct subscription *sub);

/* Its time ends then, by the loop's clock; 0: never. */
void table_expire(struct channels *ch, struct subscription *sub, int64_t at_ms);

/* For presence frames. */
void table_set_option(struct subscription *sub, uint8_t options);

#endif
