#ifndef TABLES_PATH_H
#define TABLES_PATH_H

/* Document paths: a top-level name, then names of members and indexes of elements. */

#include "tables/value/value.h"

enum {
	/* An attribute's name, and a step for each further level. */
	PATH_STEPS_MOST = VALUE_DEPTH_MOST,
};

#define PATH_INDEX_MOST UINT32_C(4294967294)

struct path_step {
	bool is_index;
	uint32_t index;   /* is_index: from 0 */
	struct span name; /* else */
};

struct path {
	const struct path_step *steps; /* the first one is a name */
	size_t n;
};

/* Of one name, as the parameters from before expressions have it: its dots and brackets mean nothing. */
struct path path_of_name(struct arena *a, struct span name);

/* What the path leads to; NULL when there is nothing. item NULL: absent. */
const struct value *path_find(const struct path *path, const struct value_map *item);

/* The order of two steps below the same parent: indexes first, by number, then names, as bytes. */
int path_step_compare(const struct path_step *a, const struct path_step *b);

bool path_equal(const struct path *a, const struct path *b);

/* "[a, [1], b]", for sentences. */
const char *path_text(struct arena *a, const struct path *path);

#endif
