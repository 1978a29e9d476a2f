#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

/*
 * A value as it stands in a file: text, a list or a mapping, with its place. Nodes belong
 * to a tree, which frees them together; where the file has an alias, two parents share
 * one node.
 */

#include <stdbool.h>
#include <stddef.h>

struct place {
	const char *file;
	int line, column; /* from 1; line 0: the whole file */
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct place at;
	const char *tag;     /* "!Ref"; NULL: none, or one of YAML's own */
	const char *text;    /* TEXT */
	bool plain;          /* TEXT: without quotes, so that it may be null, true or 6 */
	struct node **items; /* LIST: its items; MAP: key, value, key, value, … */
	size_t n, room;      /* items */
};

struct tree;
struct tree *tree_new(void);
void tree_free(struct tree *t); /* NULL is fine */

/* How many nodes and items there are in all. */
size_t tree_size(const struct tree *t);

/* Take a text: it lives as long as the tree. Returns it. */
const char *tree_keep(struct tree *t, char *text);

/* An empty list or mapping. */
struct node *tree_add(struct tree *t, enum node_kind kind, struct place at);

/* A text; takes it. */
struct node *tree_add_text(struct tree *t, struct place at, char *text, bool plain);

/* One item more for a list. */
void tree_append(struct tree *t, struct node *list, struct node *item);

/* One pair more for a mapping. */
void tree_put(struct tree *t, struct node *map, struct node *key, struct node *value);

/* The value of a key; NULL when node is no mapping, or has no such key. */
const struct node *node_get(const struct node *node, const char *key);

/* Is it written as null, ~ or nothing? */
bool node_is_null(const struct node *node);

/* "a text", "a list", "a mapping", for messages. */
const char *node_kind_name(const struct node *node);

#endif
