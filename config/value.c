#include "config/value.h"

#include "config/nearest.h"
#include "config/variable.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool value_get(struct reading *r, const struct value *map, const char *name,
	       struct value *out)
{
	const struct node *node = node_get(map->node, name);

	if (node == NULL)
		return false;
	out->key = (struct key){.up = map->key.name || map->key.up ? &map->key : NULL,
				.name = name};
	out->node = variable_resolve(r, &out->key, node);
	return out->node && !node_is_null(out->node);
}

bool value_at(struct reading *r, const struct value *all, size_t i, struct value *out)
{
	const struct node *node = all->node;

	out->key = (struct key){.up = all->key.name || all->key.up ? &all->key : NULL,
				.index = i};
	if (node->kind == NODE_MAP) {
		out->key.name = node->items[2 * i]->text;
		node = node->items[2 * i + 1];
	} else {
		node = node->items[i];
	}
	out->node = variable_resolve(r, &out->key, node);
	return out->node != NULL;
}

bool value_try(struct reading *r, const struct value *map, const char *name,
	       struct value *out)
{
	bool is_there;

	r->lenient++;
	is_there = value_get(r, map, name, out);
	r->lenient--;
	return is_there;
}

bool value_try_at(struct reading *r, const struct value *all, size_t i, struct value *out)
{
	bool is_there;

	r->lenient++;
	is_there = value_at(r, all, i, out);
	r->lenient--;
	return is_there && !node_is_null(out->node);
}

size_t value_count(const struct value *v)
{
	return v->node->kind == NODE_MAP ? v->node->n / 2 : v->node->n;
}

const char *value_intrinsic(const struct value *v)
{
	const struct node *node = v->node;

	if (node->tag)
		return node->tag;
	if (node->kind != NODE_MAP || node->n != 2)
		return NULL;
	if (strcmp(node->items[0]->text, "Ref") == 0 ||
	    strncmp(node->items[0]->text, "Fn::", 4) == 0)
		return node->items[0]->text;
	return NULL;
}

bool value_is(struct reading *r, const struct value *v, enum node_kind kind,
	      const char *allowed)
{
	const char *intrinsic = value_intrinsic(v);

	if (intrinsic)
		reading_error(r, v->node->at, &v->key,
			      "%s is for CloudFormation, which is not asked here; "
			      "allowed: %s",
			      intrinsic, allowed);
	else if (v->node->kind != kind)
		reading_error(r, v->node->at, &v->key, "this is %s; allowed: %s",
			      node_kind_name(v->node), allowed);
	return intrinsic == NULL && v->node->kind == kind;
}

bool value_is_map(struct reading *r, const struct value *v)
{
	return value_is(r, v, NODE_MAP, "a mapping");
}

bool value_is_list(struct reading *r, const struct value *v)
{
	return value_is(r, v, NODE_LIST, "a list");
}

const char *value_peek(struct reading *r, const struct value *v)
{
	if (!value_is(r, v, NODE_TEXT, "a text"))
		return NULL;
	if (v->node->text[0] != '\0')
		return v->node->text;
	reading_error(r, v->node->at, &v->key, "this is empty; allowed: a text");
	return NULL;
}

bool value_text(struct reading *r, const struct value *v, char **out)
{
	const char *text = value_peek(r, v);

	if (text == NULL)
		return false;
	free(*out);
	*out = xstrdup(text);
	return true;
}

bool value_int(struct reading *r, const struct value *v, int64_t least, int64_t most,
	       const char *unit, int64_t *out)
{
	char *end;
	const char *text;

	if (!value_is(r, v, NODE_TEXT, "a number"))
		return false;
	text = v->node->text;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (*text == '\0' || *end != '\0' || errno || n < least || n > most) {
		reading_error(r, v->node->at, &v->key, "\"%s\"; allowed: %lld to %lld %s",
			      text, (long long)least, (long long)most, unit);
		return false;
	}
	*out = n;
	return true;
}

bool value_bool(struct reading *r, const struct value *v, bool *out)
{
	if (!value_is(r, v, NODE_TEXT, "true or false"))
		return false;
	*out = strcmp(v->node->text, "true") == 0;
	if (*out || strcmp(v->node->text, "false") == 0)
		return true;
	reading_error(r, v->node->at, &v->key, "\"%s\"; allowed: true or false",
		      v->node->text);
	return false;
}

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* "a, b and c" grows by one word. Takes list. */
static char *enlist(char *list, const char *word, const char *meant)
{
	char *longer = xasprintf("%s%s%s%s%s%s", list ? list : "", list ? ", " : "", word,
				 meant ? " (did you mean " : "", meant ? meant : "",
				 meant ? "?)" : "");

	free(list);
	return longer;
}

void value_pass_over(struct reading *r, const struct value *map, const char *const *names)
{
	struct place at = map->node->at;
	char *list = NULL;

	for (size_t i = 0; i < map->node->n; i += 2) {
		const struct node *key = map->node->items[i];

		if (is_among(key->text, names))
			continue;
		if (list == NULL)
			at = key->at;
		list = enlist(list, key->text, nearest_name(key->text, names));
	}
	if (list)
		reading_info(r, at, &map->key, "ignored: %s", list);
	free(list);
}

void value_refuse_others(struct reading *r, const struct value *map,
			 const char *const *names)
{
	char *list = NULL;

	for (const char *const *name = names; *name; name++)
		list = enlist(list, *name, NULL);
	for (size_t i = 0; i < map->node->n; i += 2) {
		const struct node *key = map->node->items[i];
		const char *meant = nearest_name(key->text, names);

		if (is_among(key->text, names))
			continue;
		reading_error(r, key->at, &map->key,
			      "there is no key \"%s\"%s%s%s; allowed: %s", key->text,
			      meant ? " (did you mean " : "", meant ? meant : "",
			      meant ? "?)" : "", list);
	}
	free(list);
}
