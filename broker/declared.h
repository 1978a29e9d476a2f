#ifndef BROKER_DECLARED_H
#define BROKER_DECLARED_H

/*
 * The tables that the configuration in force declares: made at start, after a reload, and
 * again when Redis comes back, which may be empty. A broker is not ready until it has
 * found all of them as declared, once.
 *
 * A table that is there with other keys stays as it is: an error line names it. At the start the
 * broker then does not become ready.
 */

#include "broker/routes/project.h"
#include "tables/tables.h"

struct declared;

/* All borrowed until declared_free; t calls it when Redis can be reached. */
struct declared *declared_new(struct loop *l, struct tables *t, const struct project *p);

/* After t has been freed, which calls nothing any more. NULL is fine. */
void declared_free(struct declared *d);

/* A new configuration is in force. NULL is fine. */
void declared_reload(struct declared *d);

/* Why it is not ready; NULL: it is. */
const char *declared_missing(const struct declared *d);

#endif
