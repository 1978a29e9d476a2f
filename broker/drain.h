#ifndef BROKER_DRAIN_H
#define BROKER_DRAIN_H

/*
 * The end of a broker. SIGTERM or SIGINT: not ready, edges are asked for no new lanes,
 * what is under way is finished; then the loop stops, at the latest after drain-timeout.
 * Whatever is not answered then, the edges give to other brokers. A second signal stops
 * it at once.
 */

#include "base/loop.h"

#include <stdbool.h>

struct dispatch;
struct drain;
struct edges;
struct members;
struct occupancies;
struct reaper;
struct redelivery;

/* What it ends; all of it is borrowed until drain_free. */
struct drain_uses {
	struct loop *loop;
	struct members *members;
	struct edges *edges;
	struct reaper *reaper;
	struct redelivery *redelivery;
	struct dispatch *dispatch;
	struct occupancies *occupancies;
};

/* drain_ms: how long it may take at most. */
struct drain *drain_new(int64_t drain_ms, const struct drain_uses *uses);
void drain_free(struct drain *d); /* NULL is fine */

/* Has it begun? d may be NULL. */
bool drain_has_begun(const struct drain *d);

#endif
