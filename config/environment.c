#include "config/environment.h"

#include "config/intrinsic.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PAIRS = 1000 };

static void read_pair(struct reading *r, const struct value *v,
		      struct config_pair **pairs, size_t *n);

void environment_read(struct reading *r, const struct value *from,
		      struct config_pair **pairs, size_t *n)
{
	struct value map, v;

	if (!value_get(r, from, "environment", &map) || !value_is_map(r, &map))
		return;
	for (size_t i = 0; i < value_count(&map); i++)
		if (value_at(r, &map, i, &v) && !node_is_null(v.node))
			read_pair(r, &v, pairs, n);
}

static bool name_is_right(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789_");

	return n > 0 && name[n] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static void unset(const char *name, struct config_pair *pairs, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(pairs[i].name, name) == 0) {
			free(pairs[i].name);
			free(pairs[i].value);
			pairs[i] = pairs[--*n];
			return;
		}
}

static void read_pair(struct reading *r, const struct value *v,
		      struct config_pair **pairs, size_t *n)
{
	const char *name = v->key.name, *intrinsic = value_intrinsic(v);
	const char *text = v->node->text;

	if (!name_is_right(name)) {
		reading_error(r, v->node->at, &v->key,
			      "no name of a variable; allowed: letters, digits and _, no "
			      "digit first");
		return;
	}
	if (intrinsic)
		text = intrinsic_text(r, v);
	if (intrinsic && text == NULL) {
		unset(name, *pairs, n);
		reading_info(
			r, v->node->at, &v->key,
			"left out: %s is for CloudFormation, which is not asked here",
			intrinsic);
		return;
	}
	if ((!intrinsic && v->node->kind != NODE_TEXT) || *n == MOST_PAIRS) {
		reading_error(r, v->node->at, &v->key,
			      *n == MOST_PAIRS
				      ? "more than 1000 variables"
				      : "allowed: a text, a number, true or false");
		return;
	}
	unset(name, *pairs, n);
	*pairs = xrealloc(*pairs, (*n + 1) * sizeof **pairs);
	(*pairs)[(*n)++] = (struct config_pair){xstrdup(name), xstrdup(text)};
}

struct config_pair *environment_copy(const struct config_pair *pairs, size_t n)
{
	struct config_pair *copy = n ? xcalloc(n, sizeof *copy) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = (struct config_pair){xstrdup(pairs[i].name),
					       xstrdup(pairs[i].value)};
	return copy;
}

void environment_free(struct config_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}
