#include "tables/expression/condition.h"
#include "tables/expression/compare.h"

#include <stdio.h>

static bool holds(const struct node *n, const struct value_map *item);

/* Room for a number that no item holds: what size() gives. */
struct sized {
	struct value value;
	char text[24];
};

/* What an operand is for this item; NULL: absent. */
static const struct value *operand_value(const struct node *operand,
					 const struct value_map *item, struct sized *room)
{
	const struct value *v;
	size_t size;

	if (operand->kind == NODE_VALUE)
		return operand->value;
	if (operand->kind == NODE_PATH)
		return path_find(&operand->path, item);
	v = operand_value(&operand->args[0], item, room); /* size() of a path or value */
	if (!v || !compare_size(v, &size))
		return NULL;
	snprintf(room->text, sizeof room->text, "%zu", size);
	room->value = (struct value){.type = VALUE_N, .bytes = span_str(room->text)};
	return &room->value;
}

static bool is_one_of(const struct value *v, const struct node *n,
		      const struct value_map *item)
{
	bool found = false;

	for (size_t i = 1; !found && i < n->n; i++) {
		struct sized room;

		found = compare_values(NODE_EQUAL, v,
				       operand_value(&n->args[i], item, &room));
	}
	return found;
}

/* A comparison or function. */
static bool predicate_holds(const struct node *n, const struct value_map *item)
{
	struct sized rooms[3];
	const struct value *v[3] = {NULL};

	for (size_t i = 0; i < n->n && i < 3; i++)
		v[i] = operand_value(&n->args[i], item, &rooms[i]);
	switch ((int)n->kind) {
	case NODE_BETWEEN: return compare_between(v[0], v[1], v[2]);
	case NODE_IN: return is_one_of(v[0], n, item);
	case NODE_EXISTS: return v[0] != NULL;
	case NODE_NOT_EXISTS: return v[0] == NULL;
	case NODE_TYPE:
		return v[0] &&
		       span_is(n->args[1].value->bytes, value_type_name(v[0]->type));
	case NODE_BEGINS_WITH: return compare_begins_with(v[0], v[1]);
	case NODE_CONTAINS: return compare_contains(v[0], v[1]);
	default: return compare_values(n->kind, v[0], v[1]);
	}
}

/* Are all of AND true, or is one of OR? */
static bool joined_holds(const struct node *n, const struct value_map *item)
{
	bool any = n->kind == NODE_OR;

	for (size_t i = 0; i < n->n; i++) {
		if (holds(&n->args[i], item) == any)
			return any;
	}
	return !any;
}

/* Not deeper than EXPRESSION_OPERATORS_MOST. */
static bool holds(const struct node *n, const struct value_map *item)
{
	switch ((int)n->kind) {
	case NODE_OR:
	case NODE_AND: return joined_holds(n, item);
	case NODE_NOT: return !holds(&n->args[0], item);
	default: return predicate_holds(n, item);
	}
}

bool condition_holds(const struct condition *c, const struct value_map *item)
{
	return holds(&c->root, item);
}

bool condition_names(const struct condition *c, struct span attribute)
{
	for (size_t i = 0; i < c->n_paths; i++) {
		if (span_eq(c->paths[i].steps[0].name, attribute))
			return true;
	}
	return false;
}
