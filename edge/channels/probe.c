#include "edge/channels/probe.h"

#include "edge/channels/emit.h"
#include "edge/channels/table.h"
#include "proto/probe.h"

/* Two intervals, and half a one since brokers may be late. */
enum { LATE_MS = 2 * PROBE_MS + PROBE_MS / 2 };

void probe_begin(struct channels *ch)
{
	struct subscription *sub =
		table_add(ch, &ch->probe.subscriber, span_str(PROBE_CHANNEL));

	sub->special |= SPECIAL_PROBE;
}

void probe_end(struct channels *ch)
{
	if (ch->probe.subscriber.first != NULL)
		table_remove(ch, ch->probe.subscriber.first);
}

void probe_linked(struct channels *ch)
{
	ch->probe.seen_ms = loop_now(ch->loop);
}

enum emitted probe_receive(struct channels *ch)
{
	ch->probe.seen_ms = loop_now(ch->loop);
	return EMIT_SENT;
}

const char *probe_missing(const struct channels *ch)
{
	bool is_late = loop_now(ch->loop) - ch->probe.seen_ms > LATE_MS;

	return probe_own(ch) > 0 && ch->n_brokers > 0 && is_late
		       ? "publications of brokers do not arrive"
		       : NULL;
}

int64_t probe_own(const struct channels *ch)
{
	return ch->probe.subscriber.first != NULL;
}
