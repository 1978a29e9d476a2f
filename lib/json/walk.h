#ifndef JSON_WALK_H
#define JSON_WALK_H

/* The members of an object or the elements of an array, one after the other, in place. */

#include "json/read.h"

struct json_walk {
	struct span rest; /* what has not been walked yet */
	bool object;
};

/* v must be an object or array that json_find gave: what is in it has been read, and is well-formed. */
struct json_walk json_walk(const struct json_value *v);

/*
 * The next one.
 *
 * name     of a member, raw, with its quotes (json_string_is, json_unescape); of an
 *          element: no bytes
 * returns  false at the end
 */
bool json_walk_next(struct json_walk *w, struct span *name, struct json_value *v);

/* How many members or elements v has. */
size_t json_count(const struct json_value *v);

#endif
