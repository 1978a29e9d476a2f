#ifndef BROKER_ROSTER_H
#define BROKER_ROSTER_H

/* What an edge holds, into the connection table, after the store has lost its memory. */

#include "broker/broker.h"

#include <proto/gatepost.pb-c.h>

void roster_take(struct broker *b, uint16_t edge, const Gatepost__Roster *r);

#endif
