#include "tables/expression/path.h"

#include <stdio.h>

struct path path_of_name(struct arena *a, struct span name)
{
	struct path_step *step = arena_calloc(a, 1, sizeof *step);

	step->name = name;
	return (struct path){step, 1};
}

static const struct value *find_step(const struct path_step *step,
				     const struct value *parent)
{
	if (step->is_index)
		return parent->type == VALUE_L && step->index < parent->list.n
			       ? &parent->list.items[step->index]
			       : NULL;
	return parent->type == VALUE_M ? value_find(&parent->map, step->name) : NULL;
}

const struct value *path_find(const struct path *path, const struct value_map *item)
{
	const struct value *v = value_find(item, path->steps[0].name);

	for (size_t i = 1; v && i < path->n; i++)
		v = find_step(&path->steps[i], v);
	return v;
}

int path_step_compare(const struct path_step *a, const struct path_step *b)
{
	if (a->is_index != b->is_index)
		return a->is_index ? -1 : 1;
	if (a->is_index)
		return (a->index > b->index) - (a->index < b->index);
	return span_compare(a->name, b->name);
}

bool path_equal(const struct path *a, const struct path *b)
{
	bool equal = a->n == b->n;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = path_step_compare(&a->steps[i], &b->steps[i]) == 0;
	return equal;
}

/* Bytes of a step in path_text, with what separates it; 10: digits of an index. */
static size_t step_room(const struct path_step *step)
{
	return (step->is_index ? 10 : step->name.n) + sizeof "[], ";
}

const char *path_text(struct arena *a, const struct path *path)
{
	size_t room = sizeof "[]", n = 0;
	char *out;

	for (size_t i = 0; i < path->n; i++)
		room += step_room(&path->steps[i]);
	out = arena_alloc(a, room);
	out[n++] = '[';
	for (size_t i = 0; i < path->n; i++) {
		const struct path_step *step = &path->steps[i];
		const char *before = i > 0 ? ", " : "";

		n += (size_t)(step->is_index ? snprintf(out + n, room - n, "%s[%u]",
							before, (unsigned)step->index)
					     : snprintf(out + n, room - n, "%s%.*s",
							before, SPAN_ARG(step->name)));
	}
	memcpy(out + n, "]", 2);
	return out;
}
