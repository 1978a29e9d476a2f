#ifndef CONFIG_CHANNEL_EVENT_H
#define CONFIG_CHANNEL_EVENT_H

/*
 * The function of a webhook takes events of a namespace:
 *
 *   channel: { namespace: room, on: [subscribe, unsubscribe, publish, occupied, vacated] }
 */

#include "config/value.h"

void channel_event_read(struct reading *r, size_t function, const struct value *v);

#endif
