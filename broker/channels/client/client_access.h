#ifndef BROKER_CHANNELS_CLIENT_CLIENT_ACCESS_H
#define BROKER_CHANNELS_CLIENT_CLIENT_ACCESS_H

/* May the client do the action under way? */

struct session;

/*
 * As the namespace's rule says, or its function, which is asked then. A subscribed client may read
 * history and presence whatever the rule says.
 *
 * allowed  goes on with the action; perhaps called before this returns. Else the action ends with an error
 */
void client_access(struct session *s, void (*allowed)(struct session *s));

#endif
