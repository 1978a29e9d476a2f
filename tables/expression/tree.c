#include "tables/expression/tree.h"

const char *node_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_OR: return "OR";
	case NODE_AND: return "AND";
	case NODE_NOT: return "NOT";
	case NODE_EQUAL: return "=";
	case NODE_DIFFERENT: return "<>";
	case NODE_LESS: return "<";
	case NODE_LESS_EQUAL: return "<=";
	case NODE_GREATER: return ">";
	case NODE_GREATER_EQUAL: return ">=";
	case NODE_BETWEEN: return "BETWEEN";
	case NODE_IN: return "IN";
	case NODE_EXISTS: return "attribute_exists";
	case NODE_NOT_EXISTS: return "attribute_not_exists";
	case NODE_TYPE: return "attribute_type";
	case NODE_BEGINS_WITH: return "begins_with";
	case NODE_CONTAINS: return "contains";
	case NODE_SIZE: return "size";
	case NODE_IF_NOT_EXISTS: return "if_not_exists";
	case NODE_LIST_APPEND: return "list_append";
	case NODE_PLUS: return "+";
	case NODE_MINUS: return "-";
	case NODE_PATH:
	case NODE_VALUE: break;
	}
	return "";
}

bool node_find_function(struct span name, enum node_kind *out)
{
	static const enum node_kind functions[] = {
		NODE_EXISTS,   NODE_NOT_EXISTS, NODE_TYPE,          NODE_BEGINS_WITH,
		NODE_CONTAINS, NODE_SIZE,       NODE_IF_NOT_EXISTS, NODE_LIST_APPEND,
	};

	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		*out = functions[i];
		if (span_is(name, node_name(functions[i])))
			return true;
	}
	return false;
}

struct node node_of(struct arena *a, enum node_kind kind, const struct node *args,
		    size_t n)
{
	struct node *copy = arena_alloc(a, n * sizeof *copy);

	if (n > 0)
		memcpy(copy, args, n * sizeof *copy);
	return (struct node){.kind = kind, .args = copy, .n = n};
}
