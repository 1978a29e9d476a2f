#ifndef BROKER_EVENTS_DEAD_LETTERS_H
#define BROKER_EVENTS_DEAD_LETTERS_H

/* How many disconnects are parked, for who watches the metrics. */

#include "broker/broker.h"

struct parked;

struct parked *parked_new(struct broker *b);
void parked_free(struct parked *p); /* NULL is fine; the store answers no more */

#endif
