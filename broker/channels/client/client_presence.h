#ifndef BROKER_CHANNELS_CLIENT_CLIENT_PRESENCE_H
#define BROKER_CHANNELS_CLIENT_CLIENT_PRESENCE_H

/* A client's part in the presence of a channel, and its look at it. */

#include <stdbool.h>

struct session;

/* The action under way is a presence, and allowed. */
void client_presence(struct session *s);

/* Does the namespace of the action keep presence? */
bool client_has_presence(const struct session *s);

/* What others see of the client, in the session from now on; a subscribe's command has it. */
void client_make_member(struct session *s);

/* Join, or leave, the presence of the action's channel; then fn. When that fails the action ends with an error. */
void client_join(struct session *s, void (*fn)(struct session *s));
void client_leave(struct session *s, void (*fn)(struct session *s));

#endif
