#ifndef BROKER_CLUSTER_EDGE_SET_H
#define BROKER_CLUSTER_EDGE_SET_H

/* A set of edge numbers, and the text that brokers exchange: "1-12,15". */

#include "base/span.h"

struct edge_set {
	uint64_t words[1024]; /* a bit for each number, 0 to 65535 */
};

void edge_set_put(struct edge_set *s, uint16_t number);
void edge_set_remove(struct edge_set *s, uint16_t number);
bool edge_set_has(const struct edge_set *s, uint16_t number);

/* Is there one in s that is not in other? */
bool edge_set_exceeds(const struct edge_set *s, const struct edge_set *other);

/* As text, freed with free(3). */
char *edge_set_text(const struct edge_set *s);

/* Add what the text names to s. False when it is not such a text: s has some of it then. */
bool edge_set_read(struct edge_set *s, struct span text);

#endif
