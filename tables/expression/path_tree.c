#include "tables/expression/path_tree.h"

/* Where step is among the branches, or would be. */
static size_t branch_place(const struct path_tree *t, const struct path_step *step,
			   bool *found)
{
	size_t low = 0, high = t->n;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = path_step_compare(&t->branches[middle].step, step);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct path_tree *branch_add(struct arena *a, struct path_tree *t,
				    const struct path_step *step)
{
	bool found;
	size_t place = branch_place(t, step, &found);

	if (found)
		return &t->branches[place].below;
	if (t->n == t->room) {
		size_t room = t->room > 0 ? 2 * t->room : 4;
		struct path_branch *more = arena_calloc(a, room, sizeof *more);

		if (t->n > 0)
			memcpy(more, t->branches, t->n * sizeof *more);
		t->branches = more;
		t->room = room;
	}
	memmove(&t->branches[place + 1], &t->branches[place],
		(t->n - place) * sizeof *t->branches);
	t->branches[place] = (struct path_branch){.step = *step};
	t->n++;
	return &t->branches[place].below;
}

/* Any path that goes through t. */
static const struct path *first_end(const struct path_tree *t)
{
	while (!t->end)
		t = &t->branches[0].below;
	return t->end;
}

enum path_clash path_tree_add(struct arena *a, struct path_tree *t,
			      const struct path *path, size_t leaf,
			      const struct path **other)
{
	for (size_t i = 0; i < path->n; i++) {
		if (t->end) {
			*other = t->end;
			return PATH_OVERLAPS;
		}
		if (t->n > 0 && t->branches[0].step.is_index != path->steps[i].is_index) {
			*other = first_end(t);
			return PATH_CONFLICTS;
		}
		t = branch_add(a, t, &path->steps[i]);
	}
	if (t->end || t->n > 0) {
		*other = first_end(t);
		return PATH_OVERLAPS;
	}
	t->end = path;
	t->leaf = leaf;
	return PATH_FITS;
}

const struct path_branch *path_tree_find(const struct path_tree *t, struct span name)
{
	struct path_step step = {.name = name};
	bool found;
	size_t place = branch_place(t, &step, &found);

	return found ? &t->branches[place] : NULL;
}

static bool project(struct arena *a, const struct path_tree *t, const struct value *v,
		    struct value *out);

static bool project_list(struct arena *a, const struct path_tree *t,
			 const struct value *list, struct value *out)
{
	struct value *items = arena_calloc(a, t->n, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct path_branch *branch = &t->branches[i];

		if (branch->step.index < list->list.n &&
		    project(a, &branch->below, &list->list.items[branch->step.index],
			    &items[n]))
			n++;
	}
	*out = (struct value){.type = VALUE_L, .list = {items, n}};
	return n > 0;
}

bool path_tree_project(struct arena *a, const struct path_tree *t,
		       const struct value_map *item, struct value_map *out)
{
	struct value_member *members = arena_calloc(a, t->n, sizeof *members);
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct path_branch *branch = &t->branches[i];
		const struct value *v = value_find(item, branch->step.name);

		members[n].name = branch->step.name;
		if (v && project(a, &branch->below, v, &members[n].value))
			n++;
	}
	*out = (struct value_map){members, n};
	return n > 0;
}

/* Not deeper than a path is long (PATH_STEPS_MOST). */
static bool project(struct arena *a, const struct path_tree *t, const struct value *v,
		    struct value *out)
{
	if (t->end) {
		*out = *v;
		return true;
	}
	if (t->branches[0].step.is_index)
		return v->type == VALUE_L && project_list(a, t, v, out);
	out->type = VALUE_M;
	return v->type == VALUE_M && path_tree_project(a, t, &v->map, &out->map);
}
