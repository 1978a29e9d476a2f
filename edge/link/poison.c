#include "edge/link/poison.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/link/uplink_internal.h"
#include "edge/client/reply.h"
#include "edge/client/websocket.h"
#include "proto/batch.h"

#include <stdlib.h>

/* A broker that dies of an event does so soon after it got it; one that is killed does not know what it has. */
enum { SUDDEN_MS = 1000 };

/* An end that is clearly about what was said, or that may be; twelve of those are as much as three of these. */
enum { POINTS_CLEAR = 4, POINTS_PERHAPS = 1 };

static const char ERROR_TEXT[] =
	"Internal server error"; /* as of a function that failed */

static unsigned points_of(const struct lane_event *e, enum link_end end, int64_t now)
{
	switch (end) {
	case LINK_ENDED_BY_US: return 0;
	case LINK_ENDED_SILENT: return POINTS_PERHAPS;
	case LINK_ENDED_CLOSED:
		return now - e->sent_ms < SUDDEN_MS ? POINTS_CLEAR : POINTS_PERHAPS;
	case LINK_ENDED_UNREADABLE: return POINTS_CLEAR;
	}
	return 0;
}

struct lane_event *poison_blame(struct uplink *u, struct lane *l, enum link_end end)
{
	int64_t now = loop_now(u->edge->loop);
	struct lane_event *guilty = NULL;

	for (struct lane_event *e = l->first; e != NULL && e != l->unsent; e = e->next) {
		unsigned points = points_of(e, end, now);

		if (u->on_trial == e) {
			u->on_trial = NULL;
			if (points > 0)
				guilty = e;
		}
		if (!poison_is_accused(e))
			e->blame = (uint8_t)(e->blame + points);
	}
	return guilty;
}

static const char *const kinds[] = {
	[GATEPOST__EVENT__KIND__CONNECT] = "CONNECT",
	[GATEPOST__EVENT__KIND__MESSAGE] = "MESSAGE",
	[GATEPOST__EVENT__KIND__DISCONNECT] = "DISCONNECT",
	[GATEPOST__EVENT__KIND__HTTP] = "HTTP",
};

/* What it says is its client's: the log has no more of it than where it was sent to. */
static void tell(const struct connection *c, const struct lane_event *e)
{
	struct span packed = blob_span(e->request);
	Gatepost__Request *q =
		e->request ? gatepost__request__unpack(NULL, packed.n, packed.p) : NULL;
	char text[ID_TEXT];

	log_error("event.poisonous", S("kind", kinds[e->kind]),
		  S("id", id_text(&c->id, text)), I("seq", e->seq),
		  B("path", q ? span_from(q->path) : span_of(NULL, 0)),
		  S("why", "each link that it was sent on failed: not retried"),
		  S("hint", "see event.suspect in the brokers' logs for its route and "
			    "function, and why the links failed"));
	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
}

static void send_error(struct connection *c, const struct lane_event *e)
{
	char id[ID_TEXT], request[ID_TEXT];
	char *text = xasprintf(
		"{\"message\": \"%s\", \"connectionId\":\"%s\", \"requestId\":\"%s\"}",
		ERROR_TEXT, id_text(&c->id, id), id_request(&c->id, e->seq, request));

	websocket_send(c, frame_blob(FRAME_TEXT, span_str(text)));
	free(text);
}

void poison_end(struct connection *c, struct lane_event *e)
{
	metric_add(c->edge->counts.poisonous, 1);
	tell(c, e);
	if (c->lane.unsent == e)
		c->lane.unsent = e->next;
	if (e->kind == GATEPOST__EVENT__KIND__MESSAGE && websocket_is_answering(c))
		send_error(c, e);
	if (e->kind == GATEPOST__EVENT__KIND__CONNECT) {
		/* Its row may stand, and its function may have let it in: as when an edge dies now. */
		c->is_opened = true;
		metric_add(c->edge->counts.opened, 1);
		websocket_lost(c, FRAME_CODE_ABNORMAL,
			       "Gone before the handshake was done");
	}
	if (c->state == CONNECTION_ASKED)
		verdict_refuse(c, 502, ERROR_TEXT);
	connection_event_done(c, e);
}
