#ifndef TESTS_UNIT_BROKER_EVENTS_FAKE_CLIENTS_H
#define TESTS_UNIT_BROKER_EVENTS_FAKE_CLIENTS_H

/* In place of broker/channels/client/client.c and presence.c: actions on channels wait until the test answers them. */

#include "broker/channels/client/client.h"

/* What waits, which must be there: its event, and actions that were chosen for it, "subscribe "room:1"; publish {…}; ". */
const struct client_event *fake_clients_event(void);
const char *fake_clients_chosen(void);

/* Answer it. */
void fake_clients_answer(const struct action *actions, size_t n,
			 const struct failure *failure);

/* Does nothing wait? */
bool fake_clients_is_idle(void);

/* Channels whose presence connections have left, "room:1;room:2;"; each leave waits for fake_clients_left. */
const char *fake_clients_leaves(void);
void fake_clients_left(const struct failure *failure);

void fake_clients_reset(void);

#endif
