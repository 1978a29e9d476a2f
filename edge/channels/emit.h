#ifndef EDGE_CHANNELS_EMIT_H
#define EDGE_CHANNELS_EMIT_H

/* What one subscription gets: its filter, its batch, and what happens when its client does not read. */

#include "edge/channels/internal.h"

enum emitted {
	EMIT_NOT,  /* filtered, kept until the outbox is empty, or not its turn */
	EMIT_SENT, /* it is in the outbox, or will be at the end of the turn */
	EMIT_GONE, /* the connection has ended: the subscription is freed */
};

/* The next publication of the channel: for one that is catching up only if it follows its own position. */
enum emitted emit_publication(struct channels *ch, struct subscription *sub,
			      struct publication *p);

/* A publication that it has missed: whatever its position, and although its outbox may be full, as of an answer. */
enum emitted emit_missed(struct channels *ch, struct subscription *sub,
			 struct publication *p);

/* reset: of publication_reset, shared. A raw one gets none. */
enum emitted emit_reset(struct channels *ch, struct subscription *sub,
			struct publication *reset);

/*
 * What its channel has kept, as far as it follows its own position. Those without an offset: from this one on, by the
 * number of what was kept before (kept_gone); UINT64_MAX: none of them.
 */
enum emitted emit_kept(struct channels *ch, struct subscription *sub, uint64_t from);

/* Its outbox is empty: send what was set aside, as far as there is room. */
enum emitted emit_drained(struct channels *ch, struct subscription *sub);

/* Send what it has batched in this turn now. */
enum emitted emit_batch(struct channels *ch, struct subscription *sub);

/* End of a turn: the same of all. */
void emit_flush(struct channels *ch);

#endif
