#ifndef BROKER_API_DISCONNECTS_H
#define BROKER_API_DISCONNECTS_H

/* /@disconnects: dead letters, which are disconnects whose function failed too often. */

#include "http/server.h"
#include "proto/id.h"
#include "store/store.h"

struct disconnects; /* its requests that wait for the store */

struct disconnects *disconnects_new(struct store *st);

/* When the store answers no more. NULL is fine. */
void disconnects_free(struct disconnects *d);

/* Each answers q, now or later: a page of them; give one to its function again; delete one; the same for a page. */
void disconnects_get(struct disconnects *d, struct http_request *q);
void disconnects_retry(struct disconnects *d, struct http_request *q,
		       const struct id *id);
void disconnects_delete(struct disconnects *d, struct http_request *q,
			const struct id *id);
void disconnects_retry_all(struct disconnects *d, struct http_request *q);
void disconnects_delete_all(struct disconnects *d, struct http_request *q);

#endif
