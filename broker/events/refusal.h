#ifndef BROKER_EVENTS_REFUSAL_H
#define BROKER_EVENTS_REFUSAL_H

/* A response that waits until it may be sent. */

#include "base/blob.h"
#include "broker/payload/result.h"

struct refusal {
	int status;
	struct blob *body;
	bool binary; /* of a message; refusal_new: false */
	struct result_header *headers;
	size_t n;
};

/* A copy of all of it. */
struct refusal *refusal_new(int status, const struct result_header *h, size_t n,
			    struct span body);
void refusal_free(struct refusal *f); /* NULL is fine */

#endif
