#ifndef EDGE_CLIENT_LANES_H
#define EDGE_CLIENT_LANES_H

/* The connections' lanes, as edge/link sees them. */

#include "edge/link/uplink.h"

/* For uplink_new; its arg is the struct edge. */
extern const struct uplink_callbacks lanes_callbacks;

#endif
