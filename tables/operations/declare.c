/*
 *   declare_table  reads the definition, looks the table up
 *   on_looked      none: it is made; the same keys: its TTL is set; others: refused
 *   on_done        the end, or once more when another broker was quicker
 */
#include "tables/operations/declare.h"

static void on_looked(void *arg, enum err e, struct table *found);
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

static void adapt(struct job *c, struct table *found, const struct table *wanted)
{
	struct table *next;

	if (!schema_same_keys(&found->keys, &wanted->keys)) {
		refuse_keys(c, found, wanted);
		return;
	}
	if (wanted->ttl.n == 0 || span_eq(wanted->ttl, found->ttl)) {
		on_done(c, OK);
		return;
	}
	next = table_change(found);
	next->ttl = arena_copy(next->arena, wanted->ttl);
	next->ttl_is_new = true;
	table_unref(c->used[0].table);
	c->used[0].table = next; /* goes with the job */
	catalog_change(c->store, c->arena, next, NULL, on_done, c);
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
