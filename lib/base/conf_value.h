#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

/* One value of a setting: from text, to text, and what is allowed. */

#include "base/conf.h"

/*
 * Read text as the row's type, into the row's field of out. A text is copied, and the copy
 * lives as long as the process.
 *
 * returns  NULL, or a few words on what text is not ("not a size")
 */
const char *conf_value_read(const struct conf_key *k, void *out, const char *text);

/* What may stand in the row, "1 to 64MiB, as 4096, 64KiB, 16MiB", into out of n bytes; returns out. */
const char *conf_value_allowed(const struct conf_key *k, char *out, size_t n);

/* The placeholder for --help: "SIZE", "TIME", "TEXT", … */
const char *conf_value_kind(const struct conf_key *k);

#endif
