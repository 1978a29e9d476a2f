#ifndef TABLES_PROJECTION_H
#define TABLES_PROJECTION_H

/* Projections: which paths of an item are asked for. */

#include "tables/expression/placeholders.h"

struct projection;

/*
 * Read one, and find all that is wrong with it; paths may not overlap.
 *
 * text     the paths point into it
 * returns  OK; ERR_MALFORMED: no is filled
 */
must_use enum err projection_parse(struct arena *a, struct span text,
				   struct placeholders *p, struct projection **out,
				   struct refusal *no);

/* The paths that are there; list elements are moved together, in the order of their indexes. */
void projection_apply(struct arena *a, const struct projection *p,
		      const struct value_map *item, struct value_map *out);

/* The top-level attributes that it names, for indexes that do not project all. Borrowed from p. */
const struct span *projection_attributes(const struct projection *p, size_t *n);

#endif
