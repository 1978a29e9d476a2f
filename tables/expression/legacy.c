/* AttributeUpdates and AttributesToGet. */
#include "tables/expression/legacy_read.h"
#include "tables/expression/set.h"
#include "json/walk.h"

#include <stdlib.h>

/* In their order nothing moves when they come into a path_tree, however many there are. */
static int compare_path(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	return path_step_compare(&x->steps[0], &y->steps[0]);
}

static int compare_action(const void *a, const void *b)
{
	const struct action *x = a, *y = b;

	return compare_path(&x->path, &y->path);
}

static enum err refuse_twice(struct legacy *l, const struct path *path)
{
	return legacy_refuse(l, "Duplicate value in attribute name: %.*s",
			     SPAN_ARG(path->steps[0].name));
}

/* An update that adds to a list appends to it, also to one that is not there yet. */
static struct node append_to(struct arena *a, struct path path, const struct value *list)
{
	struct value *none = arena_calloc(a, 1, sizeof *none);
	struct node args[2];

	none->type = VALUE_L;
	args[0] = node_of_path(path);
	args[1] = node_of_value(none);
	args[0] = node_of(a, NODE_IF_NOT_EXISTS, args, 2);
	args[1] = node_of_value(list);
	return node_of(a, NODE_LIST_APPEND, args, 2);
}

static enum err refuse_action(struct legacy *l, struct span action)
{
	return refuse(l->a, l->no,
		      "1 validation error detected: Value '%.*s' at "
		      "'attributeUpdates.member.action' failed to satisfy constraint: "
		      "Member must satisfy enum value set: [ADD, PUT, DELETE]",
		      SPAN_ARG(action));
}

static enum err make_delete(struct legacy *l, const struct value *v, struct action *out)
{
	out->kind = v ? ACTION_DELETE : ACTION_REMOVE;
	if (v && !set_is(v))
		return legacy_refuse(
			l, "DELETE action with value is not supported for the type %s",
			value_type_name(v->type));
	return OK;
}

static enum err make_add(struct legacy *l, const struct value *v, struct action *out)
{
	if (v->type == VALUE_L) {
		out->kind = ACTION_SET;
		out->term = append_to(l->a, out->path, v);
		return OK;
	}
	out->kind = ACTION_ADD;
	if (v->type != VALUE_N && !set_is(v))
		return legacy_refuse(l, "ADD action is not supported for the type %s",
				     value_type_name(v->type));
	return OK;
}

/* {"Action": "PUT", "Value": value}: PUT when there is no Action. */
static enum err read_action(struct legacy *l, const struct json_value *v,
			    struct action *out)
{
	const struct value *value = NULL;
	struct json_value given;
	struct span action;
	enum err e = legacy_expect(l, v, JSON_IS_OBJECT);

	if (e == OK)
		e = legacy_text_member(l, v, "Action", &action);
	if (e != OK)
		return e;
	given = legacy_member(v, "Value");
	if (given.kind != JSON_IS_MISSING)
		e = legacy_value(l, &given, &value);
	if (e != OK)
		return e;
	out->term = node_of_value(value);
	if (span_is(action, "DELETE"))
		return make_delete(l, value, out);
	if (action.n > 0 && !span_is(action, "PUT") && !span_is(action, "ADD"))
		return refuse_action(l, action);
	if (!value)
		return legacy_refuse(l, "Only DELETE action is allowed when no attribute "
					"value is specified");
	if (span_is(action, "ADD"))
		return make_add(l, value, out);
	out->kind = ACTION_SET;
	return OK;
}

enum err legacy_updates(struct arena *a, const struct json_value *v, struct update **out,
			struct refusal *no)
{
	struct legacy l = {a, no};
	struct update *u = arena_calloc(a, 1, sizeof *u);
	const struct path *other;
	struct json_value each;
	struct action *actions;
	struct json_walk w;
	struct span key;
	enum err e = legacy_expect(&l, v, JSON_IS_OBJECT);

	*out = u;
	if (e != OK)
		return e;
	actions = arena_calloc(a, json_count(v), sizeof *actions);
	u->actions = actions;
	for (w = json_walk(v); e == OK && json_walk_next(&w, &key, &each); u->n++) {
		e = legacy_path(&l, key, &actions[u->n].path);
		if (e == OK)
			e = read_action(&l, &each, &actions[u->n]);
	}
	if (e == OK)
		qsort(actions, u->n, sizeof *actions, compare_action);
	for (size_t i = 0; e == OK && i < u->n; i++) {
		if (path_tree_add(a, &u->paths, &actions[i].path, i, &other) != PATH_FITS)
			e = refuse_twice(&l, &actions[i].path);
	}
	return e;
}

enum err legacy_attributes(struct arena *a, const struct json_value *v,
			   struct projection **out, struct refusal *no)
{
	struct legacy l = {a, no};
	struct projection *p = arena_calloc(a, 1, sizeof *p);
	const struct path *other;
	struct json_value each;
	struct path *paths;
	struct json_walk w;
	struct span key;
	size_t n = 0;
	enum err e = legacy_expect(&l, v, JSON_IS_ARRAY);

	*out = p;
	if (e != OK)
		return e;
	paths = arena_calloc(a, json_count(v), sizeof *paths);
	for (w = json_walk(v); e == OK && json_walk_next(&w, &key, &each); n++) {
		e = legacy_expect(&l, &each, JSON_IS_STRING);
		if (e == OK)
			e = legacy_path(&l, each.raw, &paths[n]);
	}
	if (e == OK)
		qsort(paths, n, sizeof *paths, compare_path);
	for (size_t i = 0; e == OK && i < n; i++) {
		if (path_tree_add(a, &p->paths, &paths[i], i, &other) != PATH_FITS)
			e = refuse_twice(&l, &paths[i]);
	}
	if (e == OK && n == 0)
		e = refuse(
			a, no,
			"1 validation error detected: Value '[]' at 'attributesToGet' "
			"failed to satisfy constraint: Member must have length greater "
			"than or equal to 1");
	projection_list_attributes(a, p);
	return e;
}
