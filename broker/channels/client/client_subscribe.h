#ifndef BROKER_CHANNELS_CLIENT_CLIENT_SUBSCRIBE_H
#define BROKER_CHANNELS_CLIENT_CLIENT_SUBSCRIBE_H

/*
 * A client subscribes to a channel, or ends that.
 *
 *   subscribe → command to the edge → position and history → ack, what was missed, live
 */

struct session;

/* The action under way is a subscribe, and allowed. */
void client_subscribe(struct session *s);

/* The action under way is an unsubscribe. */
void client_unsubscribe(struct session *s);

#endif
