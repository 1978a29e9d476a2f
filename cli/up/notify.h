#ifndef CLI_UP_NOTIFY_H
#define CLI_UP_NOTIFY_H

/*
 * Where children report with sd_notify(3): one datagram socket for all of them; the
 * kernel gives the sender's pid.
 *
 * source  sd_notify(3); unix(7) SO_PASSCRED
 */

#include "base/loop.h"

#include <sys/types.h>

struct notify;

/* One datagram of `NAME=value` lines has come from pid; text is borrowed. */
typedef void notify_fn(void *arg, pid_t pid, const char *text);

/*
 * path     of the socket to be made, at most 107 bytes, in a folder that is ours alone
 * returns  NULL with errno set when it cannot be made
 */
struct notify *notify_new(struct loop *l, const char *path, notify_fn *fn, void *arg);
void notify_free(struct notify *n); /* NULL is fine; removes the path */

/* Call fn for what has come already, up to 64 datagrams. */
void notify_take(struct notify *n);

/*
 * A copy of the value of one line of text, freed with free(3); NULL when there is no such
 * line. Of several, the last one holds.
 */
char *notify_value(const char *text, const char *name);

#endif
