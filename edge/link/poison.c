#include "edge/link/poison.h"

#include "base/log.h"
#include "proto/batch.h"

/* A broker that an event crashes dies soon after it got it; one that is killed may have had it for longer. */
enum { SUDDEN_MS = 1000 };

/* Points for an end that clearly is about a message, or that may be; three of the one weigh as twelve of the other. */
enum { POINTS_CLEAR = 4, POINTS_PERHAPS = 1 };

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
	int64_t now = loop_now(u->uses.loop);
	struct lane_event *guilty = NULL;

	for (struct lane_event *e = l->first; e != NULL && e != l->unsent; e = e->next) {
		unsigned points = points_of(e, end, now);

		if (u->suspect == e) {
			u->suspect = NULL;
			if (points > 0)
				guilty = e;
		}
		if (!poison_is_suspect(e))
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

/* Its content belongs to the client: the log has only its path. */
void poison_log(const struct lane *l, const struct lane_event *e)
{
	struct span packed = blob_span(e->request);
	Gatepost__Request *q =
		e->request ? gatepost__request__unpack(NULL, packed.n, packed.p) : NULL;
	char text[ID_TEXT];

	log_error("event.poisonous", S("kind", kinds[e->kind]),
		  S("id", id_text(&l->id, text)), I("seq", e->seq),
		  B("path", q ? span_from(q->path) : span_of(NULL, 0)),
		  S("why", "each link that it was sent on failed: not retried"),
		  S("hint", "see event.suspect in the brokers' logs for its route and "
			    "function, and why the links failed"));
	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
}
