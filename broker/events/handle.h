#ifndef BROKER_EVENTS_HANDLE_H
#define BROKER_EVENTS_HANDLE_H

/* A handler for each kind of event, each in its own file. Every handler ends its call in one of the ways of call.h. */

#include "broker/events/call.h"

struct clients;  /* broker/channels/client/client.h */
struct presence; /* broker/channels/presence/presence.h */
struct redelivery;
struct store;

/* What handlers work with (call->uses); all of it is borrowed. */
struct handle_uses {
	struct store *store;
	struct redelivery *redelivery;
	struct clients *clients;
	struct presence *presence;
};

void handle_connect(struct call *c);      /* handle_connect.c */
void handle_message(struct call *c);      /* handle_message.c */
void handle_disconnect(struct call *c);   /* handle_disconnect.c */
void handle_http(struct call *c);         /* handle_http.c */
void handle_unsubscribed(struct call *c); /* handle_unsubscribed.c */

#endif
