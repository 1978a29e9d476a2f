#ifndef BROKER_FUNCTION_PROJECT_H
#define BROKER_FUNCTION_PROJECT_H

/*
 * The configuration that this broker runs: read at start, and read again on SIGHUP and
 * when its file changes. A new one serves the events that come from then on; a bad new
 * one is refused with its mistakes in the log, and the old one stays.
 */

#include "broker/broker.h"

struct project;

/* Sets b->routes. NULL after error lines when there is none to begin with. */
struct project *project_new(struct broker *b);
void project_free(struct project *p); /* NULL is fine; b->routes goes with it */

#endif
