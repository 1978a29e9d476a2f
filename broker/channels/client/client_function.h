#ifndef BROKER_CHANNELS_CLIENT_CLIENT_FUNCTION_H
#define BROKER_CHANNELS_CLIENT_CLIENT_FUNCTION_H

/*
 * For client*.c: functions that are asked whether a client may do an action, or told that it does: that of
 * an access rule, and the webhook of the namespace.
 */

#include <stddef.h>

struct session;

/*
 * Ask the function at this index of the configuration. It may replace the data of a publish.
 *
 * then  called when it allows the action; if it refuses or fails, the action ends with an error
 */
void client_ask_function(struct session *s, size_t function,
			 void (*then)(struct session *s));

/*
 * The namespace's webhook: it is asked about a subscribe or a publish, and told of an unsubscribe.
 *
 * then  called at once when it has not asked for this; after an unsubscribe whatever it answers
 */
void client_hook(struct session *s, void (*then)(struct session *s));

#endif
