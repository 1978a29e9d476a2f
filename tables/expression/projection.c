#include "tables/expression/projection.h"
#include "tables/expression/parser.h"

void projection_list_attributes(struct arena *a, struct projection *p)
{
	struct span *attributes = arena_calloc(a, p->paths.n, sizeof *attributes);

	for (size_t i = 0; i < p->paths.n; i++)
		attributes[i] = p->paths.branches[i].step.name;
	p->attributes = attributes;
}

/* p->paths, which has all paths of the text, into one tree. */
static void plant(struct parser *p, struct projection *out)
{
	for (size_t i = 0; i < p->n_paths; i++) {
		const struct path *path = &p->paths[i], *other = NULL;
		enum path_clash clash = path_tree_add(p->a, &out->paths, path, i, &other);

		parser_check_clash(p, clash, path, other);
	}
	projection_list_attributes(p->a, out);
}

enum err projection_parse(struct arena *a, struct span text,
			  struct placeholders *placeholders, struct projection **out,
			  struct refusal *no)
{
	struct projection *projection = arena_calloc(a, 1, sizeof *projection);
	struct path path;
	struct parser p;
	enum err e = parser_begin(&p, a, "ProjectionExpression", text, placeholders, no);

	*out = projection;
	if (e != OK)
		return e;
	do {
		e = parser_path(&p, &path);
	} while (e == OK && parser_accept(&p, TOKEN_COMMA));
	if (e == OK)
		e = parser_expect(&p, TOKEN_END);
	if (e != OK)
		return e;
	plant(&p, projection);
	return parser_end(&p);
}

void projection_apply(struct arena *a, const struct projection *p,
		      const struct value_map *item, struct value_map *out)
{
	path_tree_project(a, &p->paths, item, out);
}

const struct span *projection_attributes(const struct projection *p, size_t *n)
{
	*n = p->paths.n;
	return p->attributes;
}
