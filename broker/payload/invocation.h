#ifndef BROKER_PAYLOAD_INVOCATION_H
#define BROKER_PAYLOAD_INVOCATION_H

/* The input of a function or an authorizer: an event, and the settings of its route. */

#include "base/span.h"
#include "proto/id.h"

#include <proto/gatepost.pb-c.h>
#include <stdbool.h>

/* What all events of a configuration have in common. */
struct event_setting {
	const char *stage;
	const char *api_id;  /* opaque, 10 characters */
	const char *account; /* "123456789012" */
	const char *region;
	const char *service; /* NULL: it has no name */
	bool context; /* headers and query of the upgrade in MESSAGE and DISCONNECT too */
};

/* What all events of a route have in common. */
struct event_route {
	const char *key;      /* "$connect", "say"; of an HTTP one "GET /ping" */
	const char *function; /* its name, for the log */
	const char *resource; /* HTTP: "/users/{id}" */
	bool two_way;         /* MESSAGE: the function's body goes to the client */
	bool is_v2;           /* HTTP: payload 2.0 */
};

/* What a function is asked about a channel, or told of it: the event is of the type CHANNEL then. */
struct channel_event {
	struct span name;
	const char *name_space;
	const char *action; /* "subscribe", "publish", … */
	/* Of the cluster (occupied, vacated): the event has no connection, and the invocation's id is its own. */
	bool is_of_cluster;
	struct span epoch; /* OF_CLUSTER: position of the channel; empty: none */
	int64_t offset;
};

/* Everything is borrowed until the invocation has ended. */
struct invocation {
	const struct event_setting *setting;
	const struct event_route *route;
	struct id id; /* of the connection, or as channel says */
	Gatepost__Event__Kind kind;
	uint64_t seq;
	int64_t time_ms;
	uint16_t code;       /* DISCONNECT */
	bool binary;         /* MESSAGE */
	bool is_suspect;     /* links have ended while it was under way */
	const char *path;    /* HTTP: below the stage, "/users/7" */
	struct span context; /* a packed Context */
	struct span request; /* CONNECT, HTTP: a packed Request */
	struct span body;    /* MESSAGE, HTTP; DISCONNECT: the reason */
	const struct channel_event
		*channel; /* MESSAGE: its body is about this; NULL: it is a message */
};

/* Which JSON the function gets. */
enum event_form {
	EVENT_PROXY, /* CONNECT, MESSAGE, DISCONNECT, or the HTTP one: as its kind is */
	EVENT_AUTHORIZER, /* the REQUEST authorizer's, of a CONNECT */
};

#endif
