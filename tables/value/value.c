#include "tables/value/value.h"

#include "tables/value/number.h"

#include <assert.h>
#include <stdarg.h>

enum err refuse(struct arena *a, struct refusal *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	out->type = "ValidationException";
	out->message = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return ERR_MALFORMED;
}

const char *value_type_name(enum value_type t)
{
	static const char *const names[VALUE_TYPES] = {
		[VALUE_S] = "S",   [VALUE_N] = "N",   [VALUE_B] = "B",
		[VALUE_L] = "L",   [VALUE_M] = "M",   [VALUE_BOOL] = "BOOL",
		[VALUE_SS] = "SS", [VALUE_NS] = "NS", [VALUE_NULL] = "NULL",
		[VALUE_BS] = "BS",
	};

	assert(t < VALUE_TYPES);
	return names[t];
}

const struct value *value_find(const struct value_map *map, struct span name)
{
	size_t from = 0, to = map ? map->n : 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = span_compare(name, map->members[middle].name);

		if (order == 0)
			return &map->members[middle].value;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

static bool lists_equal(const struct value_list *a, const struct value_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!value_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool maps_equal(const struct value_map *a, const struct value_map *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!span_eq(a->members[i].name, b->members[i].name) ||
		    !value_equal(&a->members[i].value, &b->members[i].value))
			return false;
	return true;
}

/* All is in canonical form and in order, so equal values are equal piece by piece. */
bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_S:
	case VALUE_N:
	case VALUE_B: return span_eq(a->bytes, b->bytes);
	case VALUE_BOOL: return a->truth == b->truth;
	case VALUE_NULL: return true;
	case VALUE_L:
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: return lists_equal(&a->list, &b->list);
	case VALUE_M: return maps_equal(&a->map, &b->map);
	case VALUE_TYPES: break;
	}
	return false;
}

int value_compare(const struct value *a, const struct value *b)
{
	assert(a->type == b->type && a->type <= VALUE_B);
	if (a->type == VALUE_N)
		return number_compare_texts(a->bytes, b->bytes);
	return span_compare(a->bytes, b->bytes);
}

enum {
	NESTED_SIZE = 3,  /* of a list or map */
	ELEMENT_SIZE = 1, /* of one, beside what is in it */
};

static size_t list_size(const struct value_list *list, size_t each)
{
	size_t sum = list->n * each;

	for (size_t i = 0; i < list->n; i++)
		sum += value_size(&list->items[i]);
	return sum;
}

static size_t members_size(const struct value_map *map, size_t each)
{
	size_t sum = map->n * each;

	for (size_t i = 0; i < map->n; i++)
		sum += map->members[i].name.n + value_size(&map->members[i].value);
	return sum;
}

size_t value_size(const struct value *v)
{
	switch (v->type) {
	case VALUE_S:
	case VALUE_B: return v->bytes.n;
	case VALUE_N: return number_size(v->bytes);
	case VALUE_BOOL:
	case VALUE_NULL: return 1;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: return list_size(&v->list, 0);
	case VALUE_L: return NESTED_SIZE + list_size(&v->list, ELEMENT_SIZE);
	case VALUE_M: return NESTED_SIZE + members_size(&v->map, ELEMENT_SIZE);
	case VALUE_TYPES: break;
	}
	return 0;
}

size_t item_size(const struct value_map *item)
{
	return members_size(item, 0);
}

static unsigned deeper(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

unsigned item_depth(const struct value_map *item)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < item->n; i++)
		deepest = deeper(deepest, value_depth(&item->members[i].value));
	return deepest;
}

unsigned value_depth(const struct value *v)
{
	unsigned deepest = 0;

	if (v->type == VALUE_M)
		return 1 + item_depth(&v->map);
	for (size_t i = 0; v->type == VALUE_L && i < v->list.n; i++)
		deepest = deeper(deepest, value_depth(&v->list.items[i]));
	return 1 + deepest;
}
