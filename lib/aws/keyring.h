#ifndef AWS_KEYRING_H
#define AWS_KEYRING_H

/*
 * The credentials file, as it is now: read again on SIGHUP, and when it has changed. A
 * new one that is wrong is refused with a line in the log, and the old one stays.
 */

#include "base/loop.h"
#include "aws/credentials.h"

struct keyring;

/*
 * path     of a file that only its owner may read; one of another user
 *          may be readable by a group too, which is how Kubernetes gives secrets to a process
 * returns  NULL after an error line when the file cannot be read or is wrong
 */
struct keyring *keyring_new(struct loop *l, const char *path);

/* NULL is fine; the loop does not run any more. */
void keyring_free(struct keyring *k);

/* Borrowed until the next turn of the loop, or the next keyring_key. */
const struct credentials *keyring_credentials(const struct keyring *k);

/*
 * The caller with this key; NULL if it is unknown. For an unknown one it is first checked whether
 * the file has changed, so that a key counts from the moment in which it is written.
 */
const struct credential *keyring_key(struct keyring *k, struct span id);

#endif
