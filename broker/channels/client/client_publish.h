#ifndef BROKER_CHANNELS_CLIENT_CLIENT_PUBLISH_H
#define BROKER_CHANNELS_CLIENT_CLIENT_PUBLISH_H

/* A client publishes: its limits, then publish.h. */

struct session;

/* The action under way is a publish, and allowed. */
void client_publish(struct session *s);

#endif
