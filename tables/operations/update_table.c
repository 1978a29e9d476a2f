/* UpdateTable: add or delete an index. Billing is kept to be shown, and nothing else. */
#include "tables/operations/describe.h"
#include "tables/operations/operations.h"
#include "tables/store/keeper.h"
#include "json/walk.h"

struct update {
	struct job *job;
	const struct json_value *create,
		*remove; /* of GlobalSecondaryIndexUpdates; NULL: none */
	const struct json_value *attributes;
	struct table *next;
	const struct table_index *dropped;
};

static void on_found(void *arg, enum err e, struct table *t);
static void on_changed(void *arg, enum err e);

static enum err refuse_others(struct job *c, struct refusal *no)
{
	static const char *const names[] = {"ReplicaUpdates", "StreamSpecification",
					    "MultiRegionConsistency",
					    "GlobalTableWitnessUpdates"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (fields_find(&c->fields, names[i]) != NULL)
			return refuse(c->arena, no, "%s is not supported by Gatepost",
				      names[i]);
	return OK;
}

/* Create, Delete, or Update, which has nothing but throughput. */
static enum err read_index(struct update *u, const struct json_value *v,
			   struct refusal *no)
{
	struct job *c = u->job;
	struct fields *f = arena_alloc(c->arena, sizeof *f);
	const struct json_value *create, *remove;
	enum err e = fields_read(c->arena, v, f, no);

	if (e == OK)
		e = fields_object(f, "Create", &create, no);
	if (e == OK)
		e = fields_object(f, "Delete", &remove, no);
	if (e != OK)
		return e;
	if ((create != NULL || remove != NULL) && (u->create || u->remove)) {
		*no = (struct refusal){
			"LimitExceededException",
			"Subscriber limit exceeded: Only 1 online index can "
			"be created or deleted simultaneously per table"};
		return ERR_MALFORMED;
	}
	if (create != NULL)
		u->create = create;
	if (remove != NULL)
		u->remove = remove;
	return OK;
}

static enum err read_all(struct update *u, struct refusal *no)
{
	struct job *c = u->job;
	const struct json_value *list;
	struct json_value one;
	struct json_walk w;
	struct span none;
	enum err e = refuse_others(c, no);

	if (e == OK)
		e = fields_array(&c->fields, "AttributeDefinitions", &u->attributes, no);
	if (e == OK)
		e = fields_array(&c->fields, "GlobalSecondaryIndexUpdates", &list, no);
	if (e != OK || list == NULL)
		return e;
	w = json_walk(list);
	while (e == OK && json_walk_next(&w, &none, &one)) {
		struct json_value *own = arena_alloc(c->arena, sizeof *own);

		*own = one;
		e = read_index(u, own, no);
	}
	return e;
}

void update_table(struct job *c)
{
	struct update *u = arena_calloc(c->arena, 1, sizeof *u);
	struct refusal no;
	size_t place;

	u->job = c;
	if (job_use_named(c, &c->fields, (struct span){0}, &place, &no) != OK ||
	    read_all(u, &no) != OK)
		job_refuse(c, &no);
	else if (job_may(c, "UpdateTable", c->used[0].name, (struct span){0}))
		catalog_load(c->store, c->arena, c->used[0].name, on_found, u);
}

static enum err remove_index(struct update *u, const struct table *t, struct refusal *no)
{
	struct job *c = u->job;
	struct table *next = u->next;
	struct fields f;
	struct span name;
	size_t at;
	enum err e = fields_read(c->arena, u->remove, &f, no);

	if (e == OK)
		e = fields_need_text(&f, "IndexName", &name, no);
	if (e != OK)
		return e;
	u->dropped = table_index(t, name);
	if (u->dropped == NULL || u->dropped->is_local) {
		*no = (struct refusal){"ResourceNotFoundException",
				       "Requested resource not found"};
		return ERR_MALFORMED;
	}
	at = (size_t)(u->dropped - t->indexes);
	for (size_t i = at; i + 1 < next->n_indexes; i++)
		next->indexes[i] = next->indexes[i + 1];
	next->n_indexes--;
	return OK;
}

static enum err add_index(struct update *u, struct refusal *no)
{
	struct table *next = u->next;
	enum err e = schema_add_index(next, u->job->arena, u->create, u->attributes, no);

	if (e == OK)
		next->indexes[next->n_indexes - 1].state = INDEX_CREATING;
	return e;
}

static enum err read_billing(struct update *u, struct refusal *no)
{
	static const char *const words[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
	const struct fields *f = &u->job->fields;
	const struct json_value *v;
	struct fields units;
	int mode = u->next->is_provisioned ? 0 : 1;
	enum err e = fields_word(f, "BillingMode", words, &mode, no);

	if (e == OK)
		e = fields_truth(f, "DeletionProtectionEnabled", &u->next->is_protected,
				 no);
	if (e == OK)
		e = fields_object(f, "ProvisionedThroughput", &v, no);
	u->next->is_provisioned = mode == 0;
	if (e != OK || v == NULL)
		return e;
	e = fields_read(f->arena, v, &units, no);
	if (e == OK)
		e = fields_number(&units, "ReadCapacityUnits", &u->next->read_units, NULL,
				  no);
	if (e == OK)
		e = fields_number(&units, "WriteCapacityUnits", &u->next->write_units,
				  NULL, no);
	return e;
}

static void on_found(void *arg, enum err e, struct table *t)
{
	struct update *u = arg;
	struct job *c = u->job;
	struct refusal no;

	if (e == ERR_NOTFOUND) {
		job_refuse_unknown_table(c, c->used[0].name);
		return;
	}
	if (e != OK) {
		job_fail(c, e);
		return;
	}
	u->next = table_change(t);
	c->used[0].table = u->next; /* goes with the job */
	if (u->remove != NULL)
		e = remove_index(u, t, &no);
	if (e == OK && u->create != NULL)
		e = add_index(u, &no);
	if (e == OK)
		e = read_billing(u, &no);
	if (e == OK)
		catalog_change(c->store, c->arena, u->next, u->dropped, on_changed, u);
	else
		job_refuse(c, &no);
}

static void on_changed(void *arg, enum err e)
{
	struct update *u = arg;
	struct job *c = u->job;

	if (e == ERR_CLAIMED || e == ERR_NOTFOUND) {
		job_restart(c);
		return;
	}
	if (e != OK) {
		job_fail(c, e);
		return;
	}
	keeper_fill(c->tables->keeper, u->next);
	describe_answer(c, u->next, "TableDescription", "ACTIVE");
}
