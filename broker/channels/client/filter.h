#ifndef BROKER_CHANNELS_CLIENT_FILTER_H
#define BROKER_CHANNELS_CLIENT_FILTER_H

/*
 * The filter of a subscription: which messages it gets, by their tags. Edges evaluate it.
 *
 *   {"and":[{"tag":"city","in":["Bonn","Ulm"]},{"not":{"tag":"level","lt":3}}]}
 *
 *   {"and": [F, …]}  {"or": [F, …]}  {"not": F}
 *   {"tag": "k", "eq" | "ne" | "starts" | "ends" | "contains" | "gt" | "gte" | "lt" | "lte": V}
 *   {"tag": "k", "in" | "nin": [V, …]}
 *   {"tag": "k", "exists": true | false}
 *
 * V is a string, or a number, which is compared as it is written, but by gt, gte, lt and lte by its value.
 */

#include "proto/proto_arena.h"

#include <proto/gatepost.pb-c.h>

enum {
	FILTER_NODES = 32,
	FILTER_TAG_MOST = 256, /* bytes of a tag, and of a value */
	FILTER_VALUES = 100,   /* of one in or nin */
};

struct filter {
	Gatepost__FilterNode **nodes; /* each is followed by its operands */
	size_t n;
};

/*
 * json     a JSON object that has been read as a part of its message; borrowed until the call returns
 * a        what the filter is made of; it lives until a is reset
 * returns  NULL; else why it is no filter: a sentence for the client
 */
const char *filter_read(struct span json, struct proto_arena *a, struct filter *out);

#endif
