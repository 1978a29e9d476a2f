#ifndef CONFIG_EVENTS_H
#define CONFIG_EVENTS_H

/* The events of a function: websocket, http, httpApi and channel ones; all others are ignored. */

#include "config/value.h"

/* function: among the drafts. */
void events_read(struct reading *r, size_t function);

#endif
