#include "config/yaml.h"

#include "config/text_file.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/span.h"

#include <assert.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 64, MOST_VALUES = 250000 };

/* A list or mapping whose end has not come yet. */
struct level {
	struct node *node;
	struct node *key; /* MAP: read, and its value not yet */
	struct map *keys; /* MAP: name → its pair's key node */
};

struct yaml {
	struct reading *r;
	const char *file;
	struct level levels[MOST_LEVELS];
	size_t n_levels;
	struct map *anchors; /* name → node */
	struct node *root;
	bool failed;
};

static void parse(struct yaml *y, struct fy_parser *p);
static void say_errors(struct yaml *y, struct fy_diag *diag);
static void take(struct yaml *y, const struct fy_event *e);
static void take_scalar(struct yaml *y, const struct fy_event *e);
static void take_alias(struct yaml *y, const struct fy_event *e);
static void open_level(struct yaml *y, struct node *node, struct fy_token *anchor,
		       struct fy_token *tag);
static void close_level(struct yaml *y);
static void place_node(struct yaml *y, struct node *node);
static void add_key(struct yaml *y, struct level *l, struct node *key);
static void merge(struct yaml *y, struct level *l);

const struct node *yaml_read(struct reading *r, const char *path)
{
	struct yaml y = {.r = r, .file = tree_keep(r->tree, xstrdup(path))};
	struct place at = {.file = y.file};
	struct fy_diag_cfg words;
	const char *why;
	char *text;
	size_t n;

	if (text_file_read(path, &text, &n, &why, &at.line) != OK) {
		at.column = at.line ? 1 : 0;
		reading_error(r, at, NULL, "%s", why);
		return NULL;
	}
	fy_diag_cfg_default(&words);
	words.fp = NULL;
	struct fy_diag *diag = fy_diag_create(&words);
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE, .diag = diag};
	fy_diag_set_collect_errors(diag, true);
	struct fy_parser *p = fy_parser_create(&cfg);
	if (diag == NULL || p == NULL || fy_parser_set_string(p, text, n) != 0)
		abort(); /* no memory */

	y.anchors = map_new();
	parse(&y, p);
	if (!y.failed)
		say_errors(&y, diag);
	for (size_t i = 0; i < y.n_levels; i++)
		map_free(y.levels[i].keys);
	map_free(y.anchors);
	fy_parser_destroy(p);
	fy_diag_destroy(diag);
	free(text);
	if (!y.failed && y.root == NULL)
		reading_error(r, at, NULL, "there is nothing in it");
	return y.failed ? NULL : y.root;
}

static void parse(struct yaml *y, struct fy_parser *p)
{
	struct fy_event *e;

	while (!y->failed && (e = fy_parser_parse(p)) != NULL) {
		take(y, e);
		fy_parser_event_free(p, e);
	}
}

/* What the library has found: its sentences, at our place. */
static void say_errors(struct yaml *y, struct fy_diag *diag)
{
	void *at = NULL;
	struct fy_diag_error *e;

	while ((e = fy_diag_errors_iterate(diag, &at)) != NULL) {
		struct place where = {y->file, e->line, e->column};

		y->failed = true;
		reading_error(y->r, where, NULL, "no YAML: %s", e->msg);
	}
}

static void fail(struct yaml *y, struct place at, const char *why, const char *what)
{
	y->failed = true;
	reading_error(y->r, at, NULL, why, what);
}

static struct place place_of(const struct yaml *y, struct fy_token *t)
{
	const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
	const struct level *l = y->n_levels ? &y->levels[y->n_levels - 1] : NULL;

	if (m)
		return (struct place){y->file, m->line + 1, m->column + 1};
	if (l && l->key) /* a value that is not written has its key's place */
		return l->key->at;
	return l ? l->node->at : (struct place){y->file, 1, 1};
}

static char *text_of(struct fy_token *t)
{
	size_t n = 0;
	const char *p = t ? fy_token_get_text(t, &n) : NULL;

	return span_dup(span_of(p ? p : "", p ? n : 0));
}

static void take(struct yaml *y, const struct fy_event *e)
{
	struct tree *t = y->r->tree;
	const struct fy_event_mapping_start_data *map = &e->mapping_start;
	const struct fy_event_sequence_start_data *list = &e->sequence_start;

	switch (e->type) {
	case FYET_DOCUMENT_START:
		if (y->root)
			fail(y, place_of(y, e->document_start.document_start),
			     "a second document begins here; allowed: %s", "one");
		break;
	case FYET_MAPPING_START:
		open_level(y, tree_add(t, NODE_MAP, place_of(y, map->mapping_start)),
			   map->anchor, map->tag);
		break;
	case FYET_SEQUENCE_START:
		open_level(y, tree_add(t, NODE_LIST, place_of(y, list->sequence_start)),
			   list->anchor, list->tag);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: close_level(y); break;
	case FYET_SCALAR: take_scalar(y, e); break;
	case FYET_ALIAS: take_alias(y, e); break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: break;
	}
	if (!y->failed && tree_size(t) > MOST_VALUES)
		fail(y, (struct place){.file = y->file}, "more than %s values",
		     "250,000");
}

/* The tag and the anchor before a node. YAML's own tags add nothing to its kind. */
static void dress(struct yaml *y, struct node *node, struct fy_token *anchor,
		  struct fy_token *tag)
{
	static const char own[] = "tag:yaml.org,2002:";
	const char *name;

	if (tag) {
		name = tree_keep(y->r->tree, text_of(tag));
		if (strncmp(name, own, strlen(own)) != 0 && strcmp(name, "!") != 0)
			node->tag = name;
		node->plain = false;
	}
	if (anchor) {
		name = tree_keep(y->r->tree, text_of(anchor));
		map_remove(y->anchors, span_str(name)); /* the newest of a name counts */
		map_put(y->anchors, span_str(name), node);
	}
}

static void take_scalar(struct yaml *y, const struct fy_event *e)
{
	const struct fy_event_scalar_data *s = &e->scalar;
	bool plain = s->value == NULL || fy_token_scalar_style(s->value) == FYSS_PLAIN;
	char *text = text_of(s->value);
	size_t n = s->value ? fy_token_get_text_length(s->value) : 0;
	bool zero = strlen(text) != n;
	struct node *node = tree_add_text(y->r->tree, place_of(y, s->value), text, plain);

	if (zero) {
		fail(y, node->at, "a text with a zero byte: \"%s\"…", text);
		return;
	}
	dress(y, node, s->anchor, s->tag);
	place_node(y, node);
}

static void take_alias(struct yaml *y, const struct fy_event *e)
{
	const char *name = tree_keep(y->r->tree, text_of(e->alias.anchor));
	struct node *node = map_find(y->anchors, span_str(name));

	if (node == NULL) {
		fail(y, place_of(y, e->alias.anchor),
		     "*%s: no anchor of this name stands before it", name);
		return;
	}
	for (size_t i = 0; i < y->n_levels; i++)
		if (y->levels[i].node == node) {
			fail(y, place_of(y, e->alias.anchor),
			     "*%s: it stands inside of what it names", name);
			return;
		}
	place_node(y, node);
}

static void open_level(struct yaml *y, struct node *node, struct fy_token *anchor,
		       struct fy_token *tag)
{
	dress(y, node, anchor, tag);
	if (y->n_levels == MOST_LEVELS) {
		fail(y, node->at, "nested more than %s levels deep", "64");
		return;
	}
	place_node(y, node);
	if (y->failed)
		return;
	y->levels[y->n_levels++] = (struct level){
		.node = node,
		.keys = node->kind == NODE_MAP ? map_new() : NULL,
	};
}

static void close_level(struct yaml *y)
{
	struct level *l;

	assert(y->n_levels > 0); /* the library ends what it began */
	l = &y->levels[y->n_levels - 1];
	if (l->keys)
		merge(y, l);
	map_free(l->keys);
	y->n_levels--;
}

/* A whole node, or the beginning of one, comes to where the file has it. */
static void place_node(struct yaml *y, struct node *node)
{
	struct level *l = y->n_levels ? &y->levels[y->n_levels - 1] : NULL;

	if (l == NULL) {
		y->root = node;
	} else if (l->node->kind == NODE_LIST) {
		tree_append(y->r->tree, l->node, node);
	} else if (l->key == NULL) {
		add_key(y, l, node);
	} else {
		tree_put(y->r->tree, l->node, l->key, node);
		l->key = NULL;
	}
}

static void add_key(struct yaml *y, struct level *l, struct node *key)
{
	const struct node *first;

	if (key->kind != NODE_TEXT) {
		fail(y, key->at, "the key is %s; allowed: a text", node_kind_name(key));
		return;
	}
	first = map_find(l->keys, span_str(key->text));
	if (first) {
		y->failed = true;
		reading_error(y->r, key->at, NULL,
			      "the key \"%s\" is in this mapping twice: first in line %d",
			      key->text, first->at.line);
		return;
	}
	map_put(l->keys, span_str(key->text), key);
	l->key = key;
}

static bool is_merge(const struct node *key)
{
	return key->plain && strcmp(key->text, "<<") == 0;
}

/* The pairs of from whose keys are not there yet. */
static void merge_one(struct yaml *y, struct level *l, const struct node *from)
{
	if (from->kind != NODE_MAP) {
		fail(y, from->at, "<< takes a mapping or a list of mappings; this is %s",
		     node_kind_name(from));
		return;
	}
	for (size_t i = 0; i < from->n && tree_size(y->r->tree) <= MOST_VALUES; i += 2) {
		struct node *key = from->items[i];

		if (map_find(l->keys, span_str(key->text)))
			continue;
		map_put(l->keys, span_str(key->text), key);
		tree_put(y->r->tree, l->node, key, from->items[i + 1]);
	}
}

/* Put what << names in its place; the mapping's own pairs win, and the first of a list. */
static void merge(struct yaml *y, struct level *l)
{
	struct node *node = l->node;
	size_t i = 0;

	while (i < node->n && !is_merge(node->items[i]))
		i += 2;
	if (i == node->n)
		return;

	struct node *from = node->items[i + 1];
	memmove(&node->items[i], &node->items[i + 2],
		(node->n - i - 2) * sizeof *node->items);
	node->n -= 2;
	if (from->kind != NODE_LIST) {
		merge_one(y, l, from);
		return;
	}
	for (i = 0; i < from->n && !y->failed; i++)
		merge_one(y, l, from->items[i]);
}
