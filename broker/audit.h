#ifndef BROKER_AUDIT_H
#define BROKER_AUDIT_H

/* Rows of a live edge whose connections it does not know are removed (broker/roster.h). */

#include "broker/broker.h"

struct audits;

/* An audit has ended. e: OK when all rows were gone through; else the store or the edge was lost on the way. */
typedef void audit_fn(void *arg, uint16_t edge, enum err e);

/* fn(arg, …) is called at the end of each, and not in audits_free. */
struct audits *audits_new(struct broker *b, audit_fn *fn, void *arg);
void audits_free(struct audits *a); /* NULL is fine */

/* Go through all rows of this edge; nothing happens while that is being done already. */
void audit_begin(struct audits *a, uint16_t edge);

#endif
