#ifndef BROKER_DRAIN_H
#define BROKER_DRAIN_H

/*
 * The end of a broker. SIGTERM or SIGINT: not ready, edges are asked for no new lanes,
 * what is under way is finished; then the loop stops, at the latest after drain-timeout.
 * Whatever is not answered then, the edges give to other brokers. A second signal stops
 * it at once.
 */

#include "broker/broker.h"

struct drain;

struct drain *drain_new(struct broker *b);
void drain_free(struct drain *d); /* NULL is fine */

#endif
