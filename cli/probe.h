#ifndef CLI_PROBE_H
#define CLI_PROBE_H

/*
 * Asking a process's /readyz again and again, until it says yes. A process reports
 * READY=1 when it listens; whether it has found the others, /readyz knows.
 */

#include "base/loop.h"

struct probe;

/*
 * url  "http://127.0.0.1:41231"
 * fn   called once, at the first 200, and never from inside this call
 */
struct probe *probe_new(struct loop *l, const char *url, loop_fn *fn, void *arg);

/* fn is not called any more. Not from inside fn. NULL is fine. */
void probe_free(struct probe *p);

/* What the last answer said is missing, such as "no broker"; "" before there is one. NULL is fine. */
const char *probe_missing(const struct probe *p);

#endif
