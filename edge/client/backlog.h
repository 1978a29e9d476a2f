#ifndef EDGE_CLIENT_BACKLOG_H
#define EDGE_CLIENT_BACKLOG_H

/*
 * Bytes that were read from a socket and are not parsed yet: one read may return more messages
 * than the connection's limits allow. A backlog is NULL while all bytes are parsed.
 */

#include "base/span.h"

struct backlog;

/* The bytes; they stay where they are until backlog_set or backlog_drop. */
struct span backlog_span(const struct backlog *b);

/* What is left now: rest is the end of backlog_span(*b), or other bytes, which are copied, when *b is NULL. */
void backlog_set(struct backlog **b, struct span rest);

/* Forget them; *b is NULL afterwards. */
void backlog_drop(struct backlog **b);

/* Bytes of memory that it takes. */
size_t backlog_memory(const struct backlog *b);

#endif
