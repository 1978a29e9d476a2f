#include "edge/client/subscribers.h"

#include "edge/client/connection.h"
#include "edge/client/websocket.h"
#include "edge/link/uplink.h"

static struct connection *connection_of_subscriber(struct subscriber *s)
{
	return (struct connection *)(void *)((char *)s -
					     offsetof(struct connection, subscriber));
}

/* A burst fills the outbox of a client that reads, too: so what it has room for is written before it counts as slow. */
static enum err send_frame(struct subscriber *s, struct blob *frame, bool must)
{
	struct connection *c = connection_of_subscriber(s);

	if (!must && !connection_can_queue(c)) {
		connection_write(c);
		if (c->state != CONNECTION_OPEN)
			return ERR_DOWN;
		if (!connection_can_queue(c)) {
			c->is_slow = true;
			return ERR_BUSY;
		}
	}
	websocket_send(c, blob_ref(frame));
	return OK;
}

static void end_slow(struct subscriber *s)
{
	connection_end(connection_of_subscriber(s), CAUSE_SLOW, NULL);
}

static void unsubscribed(struct subscriber *s, struct span channel)
{
	struct connection *c = connection_of_subscriber(s);

	if (c->lane.is_open)
		connection_event_added(
			c, uplink_unsubscribed(c->clients->uplink, &c->lane, channel));
}

const struct channels_callbacks subscribers_callbacks = {
	.send = send_frame,
	.end_slow = end_slow,
	.unsubscribed = unsubscribed,
};
