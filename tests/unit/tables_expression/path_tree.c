#include "tables/expression/path_tree.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* "m.x[1]" */
static struct path *path_of(struct arena *a, const char *text)
{
	struct path *path = arena_calloc(a, 1, sizeof *path);
	struct path_step *steps = arena_calloc(a, PATH_STEPS_MOST, sizeof *steps);

	while (*text) {
		struct path_step *step = &steps[path->n++];
		size_t n = strcspn(text, ".[]");

		step->is_index = text[n] == ']';
		step->name = span_of(text, n);
		if (step->is_index)
			step->index = (uint32_t)(*text - '0');
		text += n;
		text += strspn(text, ".[]");
	}
	path->steps = steps;
	return path;
}

/* Specification 6: paths may not overlap or conflict. */
Test(path_tree, paths_that_clash_do_not_get_in)
{
	static const struct {
		const char *first, *second;
		enum path_clash clash;
	} rows[] = {
		{"a", "b", PATH_FITS},
		{"a.b", "a.c", PATH_FITS},
		{"a[0]", "a[1]", PATH_FITS},
		{"a[0].x", "a[0].y", PATH_FITS},
		{"a", "a", PATH_OVERLAPS},
		{"a", "a.b", PATH_OVERLAPS},
		{"a.b", "a", PATH_OVERLAPS},
		{"a[0]", "a[0][1]", PATH_OVERLAPS},
		{"a.b.c.d", "a.b", PATH_OVERLAPS},
		{"a.b", "a[0]", PATH_CONFLICTS},
		{"a[0]", "a.b", PATH_CONFLICTS},
		{"a[0].x", "a[0][1]", PATH_CONFLICTS},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		const struct path *first = path_of(a, rows[i].first), *other = NULL;
		struct path_tree t = {0};

		cr_assert(eq(int, path_tree_add(a, &t, first, 0, &other), PATH_FITS));
		cr_expect(eq(int,
			     path_tree_add(a, &t, path_of(a, rows[i].second), 1, &other),
			     rows[i].clash),
			  "%s, %s", rows[i].first, rows[i].second);
		if (rows[i].clash != PATH_FITS)
			cr_expect(eq(ptr, (void *)other, (void *)first));
		arena_free(a);
	}
}

Test(path_tree, branches_are_in_order_whatever_the_order_of_the_paths)
{
	static const char *const texts[] = {"m", "b",    "z",   "a.x",
					    "q", "c[1]", "a.b", "d"};
	struct arena *a = arena_new();
	const struct path *other;
	struct path_tree t = {0};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_assert(eq(int, path_tree_add(a, &t, path_of(a, texts[i]), i, &other),
			     PATH_FITS));
	cr_assert(eq(sz, t.n, 7));
	for (size_t i = 1; i < t.n; i++)
		cr_expect(lt(
			int,
			path_step_compare(&t.branches[i - 1].step, &t.branches[i].step),
			0));
	cr_expect(eq(ptr, (void *)path_tree_find(&t, span_str("c")),
		     (void *)&t.branches[2]));
	cr_expect(eq(ptr, (void *)path_tree_find(&t, span_str("x")), NULL));
	arena_free(a);
}
