#ifndef EDGE_LINK_DOWNLINK_H
#define EDGE_LINK_DOWNLINK_H

/* Answers of brokers to events. */

#include "edge/link/uplink.h"

/*
 * The event is done: on.answer applies the answer. One of an older term, or to an unknown event, is dropped. One
 * with actions that the event cannot have ends the link, and nothing of it is applied.
 */
void downlink_answer(struct broker_link *from, const Gatepost__Answer *a);

#endif
