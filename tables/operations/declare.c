/*
 *   declare_table  reads the definition, looks the table up
 *   on_looked      none: it is made; the same keys: adapt; others: refused
 *   adapt          adds indexes, and sets its TTL
 *   on_done        the end, or once more when another broker was quicker
 */
#include "tables/operations/declare.h"

#include "json/walk.h"
#include "tables/store/keeper.h"

static void on_looked(void *arg, enum err e, struct table *found);
static void on_changed(void *arg, enum err e);
static void on_done(void *arg, enum err e);
static void adapt(struct job *c, struct table *found, const struct table *wanted);

void declare_table(struct job *c)
{
	struct table *t;
	struct refusal no;

	if (schema_read(&c->fields, &t, &no) != OK) {
		job_refuse(c, &no);
		return;
	}
	(void)job_use(c, t->name, (struct span){0});
	c->used[0].table = t; /* goes with the job */
	catalog_load(c->store, c->arena, t->name, on_looked, c);
}

static void on_looked(void *arg, enum err e, struct table *found)
{
	struct job *c = arg;
	struct table *wanted = c->used[0].table;

	if (e == ERR_NOTFOUND)
		catalog_create(c->store, c->arena, wanted, on_done, c);
	else if (e == OK)
		adapt(c, found, wanted);
	else
		job_fail(c, e);
}

/* "room (S), at (N)" */
static const char *keys_text(struct job *c, const struct key_schema *k)
{
	const char *partition =
		arena_printf(c->arena, "%.*s (%s)", SPAN_ARG(k->partition),
			     value_type_name(k->partition_type));

	if (k->sort.n == 0)
		return partition;
	return arena_printf(c->arena, "%s, %.*s (%s)", partition, SPAN_ARG(k->sort),
			    value_type_name(k->sort_type));
}

static void refuse_keys(struct job *c, const struct table *found,
			const struct table *wanted)
{
	struct refusal no;

	refuse(c->arena, &no, "its key is %s, and is declared as %s",
	       keys_text(c, &found->keys), keys_text(c, &wanted->keys));
	job_refuse(c, &no);
}

/* The declared indexes that the table lacks are added; those that it has stay as they are. */
static enum err add_indexes(struct job *c, struct table *next, struct refusal *no)
{
	const struct json_value *list, *attributes;
	struct json_value one;
	struct json_walk w;
	struct fields f;
	struct span name;
	enum err e = fields_array(&c->fields, "GlobalSecondaryIndexes", &list, no);

	if (e == OK)
		e = fields_array(&c->fields, "AttributeDefinitions", &attributes, no);
	if (e != OK || list == NULL)
		return e;
	w = json_walk(list);
	while (e == OK && json_walk_next(&w, &name, &one)) {
		e = fields_read(c->arena, &one, &f, no);
		if (e == OK)
			e = fields_need_text(&f, "IndexName", &name, no);
		if (e != OK || table_index(next, name) != NULL)
			continue;
		e = schema_add_index(next, c->arena, &one, attributes, no);
		if (e == OK)
			next->indexes[next->n_indexes - 1].state = INDEX_CREATING;
	}
	return e;
}

static void adapt(struct job *c, struct table *found, const struct table *wanted)
{
	struct table *next;
	struct refusal no;

	if (!schema_same_keys(&found->keys, &wanted->keys)) {
		refuse_keys(c, found, wanted);
		return;
	}
	next = table_change(found);
	if (wanted->ttl.n > 0 && !span_eq(wanted->ttl, found->ttl)) {
		next->ttl = arena_copy(next->arena, wanted->ttl);
		next->ttl_is_new = true;
	}
	table_unref(c->used[0].table);
	c->used[0].table = next; /* goes with the job */
	if (add_indexes(c, next, &no) != OK)
		job_refuse(c, &no);
	else if (next->n_indexes == found->n_indexes && span_eq(next->ttl, found->ttl))
		on_done(c, OK);
	else
		catalog_change(c->store, c->arena, next, NULL, on_changed, c);
}

static void on_changed(void *arg, enum err e)
{
	struct job *c = arg;

	if (e == OK)
		keeper_fill(c->tables->keeper, c->used[0].table);
	on_done(c, e == ERR_NOTFOUND ? ERR_CLAIMED : e);
}

static void on_done(void *arg, enum err e)
{
	struct job *c = arg;
	struct json_out o;

	if (e == ERR_CLAIMED) {
		job_restart(c);
	} else if (e != OK) {
		job_fail(c, e);
	} else {
		o = job_json(2);
		json_out_raw(&o, "{}");
		job_answer(c, &o);
	}
}
