#include "config/node.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct tree {
	struct node **nodes;
	char **texts;
	size_t n_nodes, n_texts, nodes_room, texts_room;
	size_t items;
};

struct tree *tree_new(void)
{
	return xcalloc(1, sizeof(struct tree));
}

void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_nodes; i++) {
		free(t->nodes[i]->items);
		free(t->nodes[i]);
	}
	for (size_t i = 0; i < t->n_texts; i++)
		free(t->texts[i]);
	free(t->nodes);
	free(t->texts);
	free(t);
}

size_t tree_size(const struct tree *t)
{
	return t->n_nodes + t->items;
}

/* Room for one element more. */
static void *grow(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room ? *room * 2 : 8;
	return xrealloc(p, *room * size);
}

const char *tree_keep(struct tree *t, char *text)
{
	t->texts = grow(t->texts, t->n_texts, &t->texts_room, sizeof *t->texts);
	t->texts[t->n_texts++] = text;
	return text;
}

struct node *tree_add(struct tree *t, enum node_kind kind, struct place at)
{
	struct node *node = xcalloc(1, sizeof *node);

	*node = (struct node){.kind = kind, .at = at};
	t->nodes = grow(t->nodes, t->n_nodes, &t->nodes_room, sizeof(struct node *));
	t->nodes[t->n_nodes++] = node;
	return node;
}

struct node *tree_add_text(struct tree *t, struct place at, char *text, bool plain)
{
	struct node *node = tree_add(t, NODE_TEXT, at);

	node->text = tree_keep(t, text);
	node->plain = plain;
	return node;
}

void tree_append(struct tree *t, struct node *list, struct node *item)
{
	list->items = grow(list->items, list->n, &list->room, sizeof(struct node *));
	list->items[list->n++] = item;
	t->items++;
}

void tree_put(struct tree *t, struct node *map, struct node *key, struct node *value)
{
	tree_append(t, map, key);
	tree_append(t, map, value);
}

const struct node *node_get(const struct node *node, const char *key)
{
	if (node->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < node->n; i += 2)
		if (strcmp(node->items[i]->text, key) == 0)
			return node->items[i + 1];
	return NULL;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_TEXT || !node->plain || node->tag)
		return false;
	for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	return false;
}

const char *node_kind_name(const struct node *node)
{
	switch (node->kind) {
	case NODE_TEXT: return node_is_null(node) ? "nothing" : "a text";
	case NODE_LIST: return "a list";
	case NODE_MAP: return "a mapping";
	}
	return "";
}
