#ifndef BROKER_AUDIT_H
#define BROKER_AUDIT_H

/* Rows of a live edge whose connections it does not know are removed (broker/roster.h). */

#include "broker/broker.h"

struct audits;

struct audits *audits_new(struct broker *b);
void audits_free(struct audits *a); /* NULL is fine */

/* Go through all rows of this edge; nothing happens while that is being done already. */
void audit_begin(struct audits *a, uint16_t edge);

#endif
