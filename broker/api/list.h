#ifndef BROKER_API_LIST_H
#define BROKER_API_LIST_H

/* GET /@connections: the connection table, page by page. */

#include "http/server.h"
#include "store/store.h"

struct list; /* its requests that wait for the store */

/* The pages that are being made count among what http holds. Both are borrowed. */
struct list *list_new(struct store *st, struct http_server *http);

/* After http is freed, and when the store answers no more. NULL is fine. */
void list_free(struct list *l);

/* Answers q, now or later. */
void list_get(struct list *l, struct http_request *q);

#endif
