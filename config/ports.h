#ifndef CONFIG_PORTS_H
#define CONFIG_PORTS_H

/*
 * gatepost.ports: where workers of a function poll, by its name:
 *
 *   gatepost:
 *     ports: { rooms: 9001, search: 9002 }
 */

#include "config/value.h"

/* Read reading.ports, once the functions are there. */
void ports_read(struct reading *r);

#endif
