/*
 * An update at work. First all right sides, from the item as it was; then one walk over the item and
 * the tree of paths, which makes anew what a path goes through and shares all else.
 */
#include "tables/expression/update.h"
#include "tables/expression/set.h"
#include "tables/expression/term.h"

struct change {
	struct terms terms;
	const struct update *update;
	const struct value *
		*results; /* of the actions: right sides, literals; NULL for REMOVE */
};

static enum err change_value(struct change *c, const struct path_tree *t,
			     const struct value *old, struct value *out, bool *stays);

bool update_touches(const struct update *u, struct span attribute)
{
	return path_tree_find(&u->paths, attribute) != NULL;
}

bool update_creates(const struct update *u)
{
	for (size_t i = 0; i < u->n; i++) {
		if (u->actions[i].kind == ACTION_SET || u->actions[i].kind == ACTION_ADD)
			return true;
	}
	return u->n == 0;
}

static enum err refuse_path(struct change *c)
{
	return refuse(
		c->terms.a, c->terms.no,
		"The document path provided in the update expression is invalid for "
		"update");
}

/* ADD: to nothing, to a number, to a set of the same type. */
static enum err change_add(struct change *c, const struct value *old,
			   const struct value *more, struct value *out)
{
	const struct value *sum;
	enum err e;

	if (!old) {
		*out = *more;
		return OK;
	}
	if (old->type != more->type)
		return term_refuse_type(&c->terms);
	if (set_is(old)) {
		*out = set_add(c->terms.a, old, more);
		return OK;
	}
	e = term_sum(&c->terms, NODE_PLUS, old, more, &sum);
	if (e == OK)
		*out = *sum;
	return e;
}

static enum err change_delete(struct change *c, const struct value *old,
			      const struct value *less, struct value *out, bool *stays)
{
	*stays = false;
	if (!old)
		return OK;
	if (old->type != less->type)
		return term_refuse_type(&c->terms);
	*stays = set_remove(c->terms.a, old, less, out);
	return OK;
}

/* Where a path ends. */
static enum err change_leaf(struct change *c, size_t leaf, const struct value *old,
			    struct value *out, bool *stays)
{
	const struct value *result = c->results[leaf];

	*stays = true;
	switch (c->update->actions[leaf].kind) {
	case ACTION_SET: *out = *result; return OK;
	case ACTION_REMOVE: *stays = false; return OK;
	case ACTION_ADD: return change_add(c, old, result, out);
	case ACTION_DELETE: return change_delete(c, old, result, out, stays);
	}
	return OK;
}

/* Members of the map and branches of the tree, both ascending, side by side. */
static enum err change_map(struct change *c, const struct path_tree *t,
			   const struct value_map *old, struct value_map *out)
{
	struct value_member *members =
		arena_alloc(c->terms.a, (old->n + t->n) * sizeof *members);
	size_t n = 0, i = 0, branch = 0;

	while (i < old->n || branch < t->n) {
		const struct value_member *m = i < old->n ? &old->members[i] : NULL;
		const struct path_branch *b = branch < t->n ? &t->branches[branch] : NULL;
		int order = !b ? -1 : !m ? 1 : span_compare(m->name, b->step.name);
		bool stays = true;
		enum err e = OK;

		if (b && order >= 0) {
			members[n].name = b->step.name;
			e = change_value(c, &b->below, order == 0 ? &m->value : NULL,
					 &members[n].value, &stays);
		} else if (m) {
			members[n] = *m;
		}
		if (e != OK)
			return e;
		n += stays;
		i += order <= 0;
		branch += order >= 0;
	}
	*out = (struct value_map){members, n};
	return OK;
}

/* Branches stand for positions in the list as it was; those beyond its end append, in their order. */
static enum err change_list(struct change *c, const struct path_tree *t,
			    const struct value_list *old, struct value_list *out)
{
	struct value *items = arena_alloc(c->terms.a, (old->n + t->n) * sizeof *items);
	size_t n = 0, i = 0, branch = 0;

	while (i < old->n || branch < t->n) {
		const struct path_branch *b = branch < t->n ? &t->branches[branch] : NULL;
		bool beyond = i == old->n;
		bool changes = b && (beyond || b->step.index == i);
		bool stays = true;
		enum err e = OK;

		if (changes)
			e = change_value(c, &b->below, beyond ? NULL : &old->items[i],
					 &items[n], &stays);
		else
			items[n] = old->items[i];
		if (e != OK)
			return e;
		n += stays;
		branch += changes;
		i += !beyond;
	}
	*out = (struct value_list){items, n};
	return OK;
}

/* Not deeper than a path is long (PATH_STEPS_MOST). */
static enum err change_value(struct change *c, const struct path_tree *t,
			     const struct value *old, struct value *out, bool *stays)
{
	if (t->end)
		return change_leaf(c, t->leaf, old, out, stays);
	*stays = true;
	if (!old || old->type != (t->branches[0].step.is_index ? VALUE_L : VALUE_M))
		return refuse_path(c);
	out->type = old->type;
	if (old->type == VALUE_L)
		return change_list(c, t, &old->list, &out->list);
	return change_map(c, t, &old->map, &out->map);
}

/* Levels, itself included; not more than VALUE_DEPTH_MOST. */
static size_t depth_of(const struct value *v)
{
	size_t depth = 0, n = v->type == VALUE_L ? v->list.n : 0;

	if (v->type == VALUE_M)
		n = v->map.n;
	for (size_t i = 0; i < n; i++) {
		size_t below = depth_of(v->type == VALUE_L ? &v->list.items[i]
							   : &v->map.members[i].value);

		depth = below > depth ? below : depth;
	}
	return depth + 1;
}

static enum err check_depth(struct change *c, const struct action *action,
			    const struct value *v)
{
	if (action->path.n - 1 + depth_of(v) <= VALUE_DEPTH_MOST)
		return OK;
	return refuse(c->terms.a, c->terms.no,
		      "Nesting Levels have exceeded supported limits: Attributes in the "
		      "item have nested levels beyond supported limit");
}

static enum err compute_results(struct change *c)
{
	const struct update *u = c->update;
	enum err e = OK;

	c->results = arena_calloc(c->terms.a, u->n, sizeof *c->results);
	for (size_t i = 0; e == OK && i < u->n; i++) {
		if (u->actions[i].kind != ACTION_REMOVE)
			e = term_value(&c->terms, &u->actions[i].term, &c->results[i]);
		if (e == OK && u->actions[i].kind == ACTION_SET)
			e = check_depth(c, &u->actions[i], c->results[i]);
	}
	return e;
}

enum err update_apply(struct arena *a, const struct update *u,
		      const struct value_map *old, struct value_map *out,
		      struct refusal *no)
{
	struct change c = {.terms = {.a = a, .item = old, .no = no}, .update = u};
	enum err e = compute_results(&c);

	return e == OK ? change_map(&c, &u->paths, old, out) : e;
}

bool update_touched(struct arena *a, const struct update *u, const struct value_map *item,
		    struct value_map *out)
{
	return path_tree_project(a, &u->paths, item, out);
}
