#ifndef TABLES_SET_H
#define TABLES_SET_H

/* SS, NS and BS joined and subtracted: what ADD and DELETE do. */

#include "tables/value/value.h"

bool set_is(const struct value *v);

/* What is in a or in b, two sets of one type. */
struct value set_add(struct arena *a, const struct value *set, const struct value *more);

/* What is in set and not in less, of one type. false: nothing is left. */
bool set_remove(struct arena *a, const struct value *set, const struct value *less,
		struct value *out);

#endif
