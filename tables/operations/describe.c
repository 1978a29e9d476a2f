#include "tables/operations/describe.h"

struct description {
	struct job *job;
	const struct table *table;
	const char *name, *status;
	unsigned waits;
	enum err e;
	struct count {
		struct description *of;
		int64_t items, bytes;
	} counts[1 + TABLE_INDEXES_MOST]; /* of the table, then of its indexes */
};

static void write_text(struct json_out *o, const char *name, struct span text)
{
	json_out_key(o, name);
	json_out_string(o, text);
}

static void write_number(struct json_out *o, const char *name, int64_t n)
{
	json_out_key(o, name);
	json_out_number(o, n);
}

/* Seconds, with three digits of a fraction. */
static void write_seconds(struct json_out *o, const char *name, int64_t ms)
{
	char fraction[8] = {'.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10),
			    (char)('0' + ms % 10), '\0'};

	write_number(o, name, ms / 1000);
	json_out_raw(o, fraction);
}

static void write_throughput(struct json_out *o, const struct table *t)
{
	json_out_key(o, "ProvisionedThroughput");
	json_out_raw(o, "{");
	write_number(o, "NumberOfDecreasesToday", 0);
	write_number(o, "ReadCapacityUnits", t->is_provisioned ? t->read_units : 0);
	write_number(o, "WriteCapacityUnits", t->is_provisioned ? t->write_units : 0);
	json_out_raw(o, "}");
}

static void write_index(struct json_out *o, const struct description *d, size_t i)
{
	static const char *const states[] = {"ACTIVE", "CREATING"};
	const struct table *t = d->table;
	const struct table_index *x = &t->indexes[i];
	const char *arn = arena_printf(d->job->arena, "%s/index/%.*s",
				       job_arn(d->job, t->name), SPAN_ARG(x->name));

	json_out_raw(o, "{");
	write_text(o, "IndexName", x->name);
	json_out_key(o, "KeySchema");
	schema_write_keys(o, &x->keys);
	json_out_key(o, "Projection");
	schema_write_projection(o, x);
	write_text(o, "IndexArn", span_str(arn));
	write_number(o, "ItemCount", d->counts[1 + i].items);
	write_number(o, "IndexSizeBytes", d->counts[1 + i].bytes);
	if (!x->is_local) {
		write_text(o, "IndexStatus", span_str(states[x->state]));
		json_out_key(o, "Backfilling");
		json_out_raw(o, x->state == INDEX_CREATING ? "true" : "false");
		write_throughput(o, t);
	}
	json_out_raw(o, "}");
}

/* of: local indexes, or global ones */
static void write_indexes(struct json_out *o, const struct description *d,
			  const char *name, bool of)
{
	size_t n = 0;

	for (size_t i = 0; i < d->table->n_indexes; i++) {
		if (d->table->indexes[i].is_local != of)
			continue;
		if (n == 0)
			json_out_key(o, name);
		json_out_raw(o, n++ == 0 ? "[" : ",");
		write_index(o, d, i);
	}
	if (n > 0)
		json_out_raw(o, "]");
}

static void write_billing(struct json_out *o, const struct table *t)
{
	json_out_key(o, "BillingModeSummary");
	json_out_raw(o, "{");
	write_text(o, "BillingMode",
		   span_str(t->is_provisioned ? "PROVISIONED" : "PAY_PER_REQUEST"));
	json_out_raw(o, "}");
	write_throughput(o, t);
}

static void answer(struct description *d)
{
	const struct table *t = d->table;
	struct json_out o = job_json(1024);

	json_out_raw(&o, "{");
	json_out_key(&o, d->name);
	json_out_raw(&o, "{");
	write_text(&o, "TableName", t->name);
	write_text(&o, "TableArn", span_str(job_arn(d->job, t->name)));
	write_text(&o, "TableId", span_str(t->uuid));
	write_text(&o, "TableStatus", span_str(d->status));
	write_seconds(&o, "CreationDateTime", t->created_ms);
	json_out_key(&o, "AttributeDefinitions");
	schema_write_attributes(&o, t);
	json_out_key(&o, "KeySchema");
	schema_write_keys(&o, &t->keys);
	write_number(&o, "ItemCount", d->counts[0].items);
	write_number(&o, "TableSizeBytes", d->counts[0].bytes);
	write_billing(&o, t);
	json_out_key(&o, "DeletionProtectionEnabled");
	json_out_raw(&o, t->is_protected ? "true" : "false");
	write_indexes(&o, d, "LocalSecondaryIndexes", true);
	write_indexes(&o, d, "GlobalSecondaryIndexes", false);
	json_out_raw(&o, "}}");
	job_answer(d->job, &o);
}

static void on_counted(void *arg, enum err e, int64_t items, int64_t bytes)
{
	struct count *k = arg;
	struct description *d = k->of;

	k->items = items;
	k->bytes = bytes;
	if (e != OK)
		d->e = e;
	if (--d->waits > 0)
		return;
	if (d->e == OK)
		answer(d);
	else
		job_fail(d->job, d->e);
}

static struct description *description_new(struct job *c, const struct table *t,
					   const char *name, const char *status)
{
	struct description *d = arena_calloc(c->arena, 1, sizeof *d);

	d->job = c;
	d->table = t;
	d->name = name;
	d->status = status;
	return d;
}

void describe_answer(struct job *c, const struct table *t, const char *name,
		     const char *status)
{
	struct description *d = description_new(c, t, name, status);

	d->waits = 1 + (unsigned)t->n_indexes;
	for (size_t i = 0; i <= t->n_indexes; i++) {
		d->counts[i].of = d;
		catalog_size(c->store, c->arena, t, i == 0 ? NULL : &t->indexes[i - 1],
			     on_counted, &d->counts[i]);
	}
}

void describe_answer_empty(struct job *c, const struct table *t, const char *name,
			   const char *status)
{
	answer(description_new(c, t, name, status));
}
