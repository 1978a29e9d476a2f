#ifndef TABLES_PATH_TREE_H
#define TABLES_PATH_TREE_H

/*
 * Paths of one update or projection by their common beginnings: one walk over an item meets
 * them all. Paths that overlap (a, a.b) or conflict (a.b, a[0]) do not get in.
 */

#include "tables/expression/path.h"

struct path_branch;

/* Zeroed: empty. */
struct path_tree {
	const struct path *
		end; /* the path that ends here; NULL: longer ones go on, or it is empty */
	size_t leaf; /* of end: the caller's number */
	struct path_branch
		*branches; /* ascending by path_step_compare, all names or all indexes */
	size_t n, room;
};

struct path_branch {
	struct path_step step;
	struct path_tree below;
};

enum path_clash { PATH_FITS, PATH_OVERLAPS, PATH_CONFLICTS };

/*
 * Add a path.
 *
 * path     lives as long as the tree
 * other    set unless PATH_FITS: one that is in it already; path is not added
 */
enum path_clash path_tree_add(struct arena *a, struct path_tree *t,
			      const struct path *path, size_t leaf,
			      const struct path **other);

/* The branch of a top-level name; NULL when no path begins with it. */
const struct path_branch *path_tree_find(const struct path_tree *t, struct span name);

/*
 * What the paths lead to, nested as in the item; elements of lists are moved together, in
 * the order of their indexes. Where a path leads to nothing, nothing is made.
 *
 * item     NULL: absent
 * out      shares its values with item
 * returns  false when nothing was found
 */
bool path_tree_project(struct arena *a, const struct path_tree *t,
		       const struct value_map *item, struct value_map *out);

#endif
