#ifndef CONFIG_CHANNEL_ACCESS_H
#define CONFIG_CHANNEL_ACCESS_H

/*
 * Who may subscribe, or publish, in a namespace:
 *
 *   anyone          authenticated      who is a user
 *   nobody          token              who has a JWT that names the channel
 *   context.KEY     whom the authorizer's context value KEY allows the channel
 *   NAME            whom this function of the file allows
 */

#include "config/channels.h"
#include "config/value.h"

/* Read v into a, which stays as it is after an error line. A function is the index of its draft. */
void channel_access_read(struct reading *r, const struct value *v,
			 struct channel_access *a);

/* As it is written: "context.rooms"; freed with free(3). c: with its functions. */
char *channel_access_text(const struct config *c, const struct channel_access *a);

#endif
