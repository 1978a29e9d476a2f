#ifndef BASE_READY_H
#define BASE_READY_H

/*
 * Report once to the supervisor that this process is ready: sd_notify(3), which
 * systemd (Type=notify) and `gatepost up` listen to.
 */

#include "base/loop.h"

struct ready;

/* NULL when ready; else a few words that say what is missing ("no broker"). */
typedef const char *ready_fn(void *arg);

/*
 * fn    asked every 20 ms until it is
 * text  more lines for the notification ("X_GATEPOST_METRICS=http://…"), after READY=1; copied
 */
struct ready *ready_new(struct loop *l, ready_fn *fn, void *arg, const char *text);
void ready_free(struct ready *r); /* NULL is fine */

#endif
