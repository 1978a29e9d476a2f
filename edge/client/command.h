#ifndef EDGE_CLIENT_COMMAND_H
#define EDGE_CLIENT_COMMAND_H

/* Commands of brokers: send to a connection or to many, close it, describe it, its subscriptions, or which ids are known. */

#include "edge/client/clients.h"

#include <proto/gatepost.pb-c.h>

struct broker_link;

/* Execute the command; the outcome is sent back on the same link: of a subscribe later (edge/channels/subscription.h). */
void command_execute(struct clients *clients, struct broker_link *from,
		     const Gatepost__Command *m);

#endif
