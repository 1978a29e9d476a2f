#include "tables/expression/set.h"

bool set_is(const struct value *v)
{
	return v->type == VALUE_SS || v->type == VALUE_NS || v->type == VALUE_BS;
}

struct value set_add(struct arena *a, const struct value *set, const struct value *more)
{
	const struct value *x = set->list.items, *x_end = x + set->list.n;
	const struct value *y = more->list.items, *y_end = y + more->list.n;
	struct value *items =
		arena_alloc(a, (set->list.n + more->list.n) * sizeof *items);
	size_t n = 0;

	while (x < x_end || y < y_end) {
		int order = x == x_end ? 1 : y == y_end ? -1 : value_compare(x, y);

		items[n++] = order <= 0 ? *x : *y;
		x += order <= 0;
		y += order >= 0;
	}
	return (struct value){.type = set->type, .list = {items, n}};
}

bool set_remove(struct arena *a, const struct value *set, const struct value *less,
		struct value *out)
{
	const struct value *y = less->list.items, *y_end = y + less->list.n;
	struct value *items = arena_alloc(a, set->list.n * sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < set->list.n; i++) {
		const struct value *x = &set->list.items[i];

		while (y < y_end && value_compare(y, x) < 0)
			y++;
		if (y == y_end || value_compare(y, x) != 0)
			items[n++] = *x;
	}
	*out = (struct value){.type = set->type, .list = {items, n}};
	return n > 0;
}
