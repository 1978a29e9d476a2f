#ifndef TABLES_CONDITION_H
#define TABLES_CONDITION_H

/* Conditions and filters: ConditionExpression, FilterExpression. */

#include "tables/expression/placeholders.h"

struct condition;

/*
 * Read one, and find all that is wrong with it.
 *
 * what     "ConditionExpression" or "FilterExpression", for the sentence
 * text     the nodes point into it
 * returns  OK; ERR_MALFORMED: no is filled
 */
must_use enum err condition_parse(struct arena *a, const char *what, struct span text,
				  struct placeholders *p, struct condition **out,
				  struct refusal *no);

/* item NULL: there is none, every path is absent. */
bool condition_holds(const struct condition *c, const struct value_map *item);

/* Does a path of it begin with this attribute? For "Filter Expression can only contain non-primary key attributes". */
bool condition_names(const struct condition *c, struct span attribute);

#endif
