#ifndef TABLES_TREE_H
#define TABLES_TREE_H

/*
 * What an expression means, whatever its kind, and whether it was an expression or
 * one of the parameters from before them.
 */

#include "tables/expression/path.h"
#include "tables/expression/path_tree.h"

enum node_kind {
	NODE_OR,
	NODE_AND,
	NODE_NOT,
	NODE_EQUAL,
	NODE_DIFFERENT,
	NODE_LESS,
	NODE_LESS_EQUAL,
	NODE_GREATER,
	NODE_GREATER_EQUAL,
	NODE_BETWEEN,
	NODE_IN,
	NODE_EXISTS,
	NODE_NOT_EXISTS,
	NODE_TYPE,
	NODE_BEGINS_WITH,
	NODE_CONTAINS,
	NODE_SIZE,
	NODE_IF_NOT_EXISTS,
	NODE_LIST_APPEND,
	NODE_PLUS,
	NODE_MINUS,
	NODE_PATH,
	NODE_VALUE,
};

struct node {
	enum node_kind kind;
	const struct node *args; /* operands, in the order of the text */
	size_t n;
	struct path path;          /* NODE_PATH */
	const struct value *value; /* NODE_VALUE */
};

/* "AND", "<=", "begins_with": as it is written, for sentences; "" for paths and values. */
const char *node_name(enum node_kind kind);

/* The function of this name, case and all. false: there is none. */
bool node_find_function(struct span name, enum node_kind *out);

static inline struct node node_of_path(struct path path)
{
	return (struct node){.kind = NODE_PATH, .path = path};
}

static inline struct node node_of_value(const struct value *v)
{
	return (struct node){.kind = NODE_VALUE, .value = v};
}

/* A node of these operands, which are copied; n may be 0. */
struct node node_of(struct arena *a, enum node_kind kind, const struct node *args,
		    size_t n);

struct condition {
	struct node root;
	const struct path *paths; /* all that stand in it */
	size_t n_paths;
};

enum action_kind { ACTION_SET, ACTION_REMOVE, ACTION_ADD, ACTION_DELETE };

struct action {
	enum action_kind kind;
	struct path path;
	struct node term; /* SET: its right side; ADD, DELETE: a NODE_VALUE */
};

struct update {
	const struct action *actions;
	size_t n;
	struct path_tree paths; /* leaf: the index of the action */
};

struct projection {
	struct path_tree paths;
	const struct span *attributes; /* top-level names, ascending */
};

/* Fill in the attributes from the paths. */
void projection_list_attributes(struct arena *a, struct projection *p);

#endif
