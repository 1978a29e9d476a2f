#ifndef TABLES_UPDATE_H
#define TABLES_UPDATE_H

/* Updates: SET, REMOVE, ADD and DELETE on document paths. */

#include "tables/expression/placeholders.h"

struct update;

/*
 * Read one, and find all that is wrong with it.
 *
 * text     the nodes point into it
 * returns  OK; ERR_MALFORMED: no is filled
 */
must_use enum err update_parse(struct arena *a, struct span text, struct placeholders *p,
			       struct update **out, struct refusal *no);

/* Does it touch this attribute or a part of it? For "Cannot update attribute …; this attribute is part of the key". */
bool update_touches(const struct update *u, struct span attribute);

/* Does it make an item that is not there? false: it only takes something away (REMOVE, DELETE). */
bool update_creates(const struct update *u);

/*
 * What becomes of an item. The right sides see the item as it was.
 *
 * old      the item; for one that is not there, its key alone
 * out      the new item, shares what stays with old
 * no       filled unless OK: types of operands, absent attributes, paths that do not exist
 */
must_use enum err update_apply(struct arena *a, const struct update *u,
			       const struct value_map *old, struct value_map *out,
			       struct refusal *no);

/*
 * The touched paths alone, nested parts as nested (UPDATED_OLD, UPDATED_NEW). Positions in lists
 * are those of the update's text, also after it: an element that was appended is not found, and for
 * one that was removed the next one is, as in DynamoDB.
 *
 * item     before, or after; NULL: absent
 * returns  false when nothing is left: Attributes is absent from the answer
 */
bool update_touched(struct arena *a, const struct update *u, const struct value_map *item,
		    struct value_map *out);

#endif
