#ifndef EDGE_LINK_SEEDS_H
#define EDGE_LINK_SEEDS_H

/*
 * The endpoints of brokers in the settings. libzmq connects only to the first address of a
 * name, so names are resolved here, regularly, with all addresses.
 */

#include "base/err.h"
#include "base/loop.h"

struct seeds;

/* One endpoint that a seed stands for now, such as "tcp://10.0.0.7:7400"; borrowed. */
typedef void seeds_fn(void *arg, const char *endpoint);

/*
 * list     "tcp://broker.svc:7400,ipc:///run/gatepost/broker.sock"
 * every    milliseconds between lookups; each time fn is called for all endpoints
 * returns  NULL after an error line when list cannot be read
 */
struct seeds *seeds_new(struct loop *l, const char *list, int64_t every, seeds_fn *fn,
			void *arg);
void seeds_free(struct seeds *s); /* NULL is fine */

#endif
