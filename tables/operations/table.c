/* CreateTable, DescribeTable, ListTables, DeleteTable. */
#include "tables/operations/describe.h"
#include "tables/operations/operations.h"

#include <inttypes.h>

enum { NAMES_MOST = 100 };

/* ---- CreateTable ---- */

static void on_created(void *arg, enum err e);

void create_table(struct job *c)
{
	struct table *t;
	struct refusal no;

	if (schema_read(&c->fields, &t, &no) != OK) {
		job_refuse(c, &no);
		return;
	}
	if (!job_may(c, "CreateTable", t->name, (struct span){0})) {
		table_unref(t);
		return;
	}
	(void)job_use(c, t->name, (struct span){0});
	c->used[0].table = t; /* goes with the call */
	catalog_create(c->store, c->arena, t, on_created, c);
}

static void on_created(void *arg, enum err e)
{
	struct job *c = arg;
	const struct table *t = c->used[0].table;

	if (e == OK)
		describe_answer_empty(c, t, "TableDescription", "ACTIVE");
	else if (e == ERR_CLAIMED)
		job_refuse(c, &(struct refusal){"ResourceInUseException",
						arena_printf(c->arena,
							     "Table already exists: %.*s",
							     SPAN_ARG(t->name))});
	else
		job_fail(c, e);
}

/* ---- DescribeTable ---- */

/* Such operations look at Redis itself: what another broker has changed is to be seen at once. */
static void load_named(struct job *c, catalog_table_fn *fn)
{
	struct refusal no;
	size_t place;

	if (job_use_named(c, &c->fields, (struct span){0}, &place, &no) != OK)
		job_refuse(c, &no);
	else if (job_may(c, c->operation->name, c->used[0].name, (struct span){0}))
		catalog_load(c->store, c->arena, c->used[0].name, fn, c);
}

/* The table, which goes with the call; NULL: it is answered. */
static struct table *loaded(struct job *c, enum err e, struct table *t)
{
	if (e == OK) {
		c->used[0].table = table_ref(t);
		return t;
	}
	if (e == ERR_NOTFOUND)
		job_refuse_unknown_table(c, c->used[0].name);
	else
		job_fail(c, e);
	return NULL;
}

static void on_described(void *arg, enum err e, struct table *found)
{
	struct job *c = arg;
	struct table *t = loaded(c, e, found);

	if (t != NULL)
		describe_answer(c, t, "Table", "ACTIVE");
}

void describe_table(struct job *c)
{
	load_named(c, on_described);
}

/* ---- DeleteTable ---- */

static void on_deleted(void *arg, enum err e);

static void on_found(void *arg, enum err e, struct table *found)
{
	struct job *c = arg;
	struct table *t = loaded(c, e, found);

	if (t == NULL)
		return;
	if (t->is_protected)
		job_refuse(
			c,
			&(struct refusal){
				"ValidationException",
				arena_printf(
					c->arena,
					"Resource cannot be deleted as it is currently "
					"protected against deletion. Disable deletion "
					"protection first. Table: %.*s",
					SPAN_ARG(t->name))});
	else
		catalog_delete(c->store, c->arena, t, on_deleted, c);
}

void delete_table(struct job *c)
{
	load_named(c, on_found);
}

static void on_deleted(void *arg, enum err e)
{
	struct job *c = arg;

	if (e == OK)
		describe_answer_empty(c, c->used[0].table, "TableDescription",
				      "DELETING");
	else if (e == ERR_NOTFOUND)
		job_refuse_unknown_table(c, c->used[0].name);
	else if (e == ERR_CLAIMED)
		job_restart(c);
	else
		job_fail(c, e);
}

/* ---- ListTables ---- */

struct listing {
	struct job *job;
	struct span start;
	int64_t limit;
};

static void on_names(void *arg, enum err e, const struct span *names, size_t n);

static enum err read_listing(struct listing *l, struct refusal *no)
{
	const struct fields *f = &l->job->fields;
	enum err e = fields_text(f, "ExclusiveStartTableName", &l->start, no);

	l->limit = NAMES_MOST;
	if (e == OK)
		e = fields_number(f, "Limit", &l->limit, NULL, no);
	if (e == OK && (l->limit < 1 || l->limit > NAMES_MOST))
		return fields_outside(
			f, "Limit", arena_printf(f->arena, "%" PRId64, l->limit),
			l->limit < 1 ? "have value greater than or equal to 1"
				     : "have value less than or equal to 100",
			no);
	return e;
}

void list_tables(struct job *c)
{
	struct listing *l = arena_calloc(c->arena, 1, sizeof *l);
	struct refusal no;

	l->job = c;
	if (read_listing(l, &no) != OK)
		job_refuse(c, &no);
	else if (job_may(c, "ListTables", (struct span){0}, (struct span){0}))
		catalog_list(c->store, c->arena, on_names, l);
}

static void on_names(void *arg, enum err e, const struct span *names, size_t n)
{
	struct listing *l = arg;
	struct span last = {0};
	struct json_out o;
	int64_t shown = 0;

	if (e != OK) {
		job_fail(l->job, e);
		return;
	}
	o = job_json(1024);
	json_out_raw(&o, "{\"TableNames\":[");
	for (size_t i = 0; i < n; i++) {
		if (l->start.n > 0 && span_compare(names[i], l->start) <= 0)
			continue;
		if (shown == l->limit) {
			json_out_raw(&o, "]");
			json_out_key(&o, "LastEvaluatedTableName");
			json_out_string(&o, last);
			json_out_raw(&o, "}");
			job_answer(l->job, &o);
			return;
		}
		if (shown++ > 0)
			json_out_raw(&o, ",");
		json_out_string(&o, names[i]);
		last = names[i];
	}
	json_out_raw(&o, "]}");
	job_answer(l->job, &o);
}
