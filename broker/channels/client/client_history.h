#ifndef BROKER_CHANNELS_CLIENT_CLIENT_HISTORY_H
#define BROKER_CHANNELS_CLIENT_CLIENT_HISTORY_H

/* A client reads the history of a channel. */

struct session;

/* The action under way is a history, and allowed. */
void client_history(struct session *s);

#endif
