#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

/*
 * YAML (and so JSON) from a file into nodes: anchors, aliases and merge keys (<<) are
 * followed, tags are kept as they are. Bounded: 4 MiB, 64 levels, 250,000 values; an
 * alias costs one, whatever it names.
 *
 * source  YAML 1.2.2; merge keys: yaml.org/type/merge.html
 */

#include "config/reading.h"

/* The root of the file's one document; NULL after an error line. */
const struct node *yaml_read(struct reading *r, const char *path);

#endif
