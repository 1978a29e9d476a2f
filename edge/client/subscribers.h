#ifndef EDGE_CLIENT_SUBSCRIBERS_H
#define EDGE_CLIENT_SUBSCRIBERS_H

/* Connections as edge/channels sees them: each is a subscriber. */

#include "edge/channels/channels.h"

/* For channels_new. */
extern const struct channels_callbacks subscribers_callbacks;

#endif
