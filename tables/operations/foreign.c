/*
 *   foreign_run   DescribeTable: describe; GetItem: find; Scan: scan; else refused
 *   on_page       the items of a scan: filter, project, answer
 *   on_found      the item of a GetItem
 */
#include "tables/operations/foreign.h"

#include "tables/operations/describe.h"
#include "tables/operations/item_key.h"
#include "tables/operations/paging.h"
#include "tables/value/value_json.h"

enum { PAGE = 1000 };

struct reading {
	struct job *job;
	const struct tables_foreign *foreign;
	struct paging paging; /* of a scan; of a GetItem its projection alone */
	struct value_map key;
};

static void describe(struct job *c, const struct tables_foreign *f);
static void find(struct job *c, const struct tables_foreign *f);
static void scan(struct job *c, const struct tables_foreign *f);
static void on_found(void *arg, enum err e, const struct span *items, size_t n,
		     bool is_last);
static void on_page(void *arg, enum err e, const struct span *items, size_t n,
		    bool is_last);

bool foreign_is_for(const struct job *c, const struct tables_foreign *f)
{
	struct refusal no;
	struct span name;

	return f->name != NULL &&
	       fields_text(&c->fields, "TableName", &name, &no) == OK && name.p != NULL &&
	       span_is(table_name_of(name), f->name);
}

void foreign_run(struct job *c, const struct tables_foreign *f)
{
	static const struct {
		const char *name;
		void (*run)(struct job *c, const struct tables_foreign *f);
	} known[] = {{"DescribeTable", describe}, {"GetItem", find}, {"Scan", scan}};
	const char *operation = c->operation->name;
	struct refusal no;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(operation, known[i].name) != 0)
			continue;
		if (job_may(c, operation, span_str(f->name), (struct span){0}))
			known[i].run(c, f);
		return;
	}
	refuse(c->arena, &no,
	       "%s can be read alone, by DescribeTable, GetItem and Scan: %s is not "
	       "supported",
	       f->name, operation);
	job_refuse(c, &no);
}

/* ---- DescribeTable ---- */

static void describe(struct job *c, const struct tables_foreign *f)
{
	static const struct json_path whole = {NULL, 0};
	const char *text = arena_printf(
		c->arena,
		"{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\","
		"\"AttributeDefinitions\":[{\"AttributeName\":\"%s\",\"AttributeType\":"
		"\"S\"}],\"KeySchema\":[{\"AttributeName\":\"%s\",\"KeyType\":\"HASH\"}]"
		"}",
		f->name, f->key, f->key);
	struct fields *fields = arena_alloc(c->arena, sizeof *fields);
	struct json_value v;
	struct refusal no;
	struct table *t;

	if (json_find(span_str(text), &whole, &v) != OK ||
	    fields_read(c->arena, &v, fields, &no) != OK ||
	    schema_read(fields, &t, &no) != OK) {
		job_fail(c, ERR_MALFORMED);
		return;
	}
	(void)job_use(c, t->name, (struct span){0});
	c->used[0].table = t; /* goes with the job */
	describe_answer_empty(c, t, "Table", "ACTIVE");
}

/* ---- keys and items ---- */

/* The text of a key that is the partition key and nothing else. */
static bool read_key(const struct tables_foreign *f, const struct value_map *key,
		     struct span *out)
{
	const struct value *v = value_find(key, span_str(f->key));

	if (v == NULL || v->type != VALUE_S || key->n != 1)
		return false;
	*out = v->bytes;
	return true;
}

static bool read_item(struct arena *a, struct span text, struct value_map *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	struct refusal no;

	return json_find(arena_copy(a, text), &whole, &v) == OK &&
	       value_read_map(a, &v, out, &no) == OK;
}

static void write_item(struct reading *r, const struct value_map *item,
		       struct json_out *o)
{
	struct value_map some = *item;

	if (r->paging.asked.projection != NULL)
		projection_apply(r->job->arena, r->paging.asked.projection, item, &some);
	value_write_map(o, &some);
}

/* ---- GetItem ---- */

static enum err read_find(struct reading *r, struct span *key, struct refusal *no)
{
	struct job *c = r->job;
	const struct json_value *v;
	enum err e = fields_object(&c->fields, "Key", &v, no);

	if (e == OK && v == NULL)
		return fields_missing(&c->fields, "Key", no);
	if (e == OK)
		e = value_read_map(c->arena, v, &r->key, no);
	if (e == OK && !read_key(r->foreign, &r->key, key))
		return refuse(c->arena, no, "%s", item_key_no_match);
	if (e == OK)
		e = asked_read(c->arena, &c->fields, ASKED_PROJECTION, &r->paging.asked,
			       no);
	return e;
}

static struct reading *reading_new(struct job *c, const struct tables_foreign *f)
{
	struct reading *r = arena_calloc(c->arena, 1, sizeof *r);

	r->job = c;
	r->foreign = f;
	return r;
}

static void find(struct job *c, const struct tables_foreign *f)
{
	struct reading *r = reading_new(c, f);
	struct refusal no;
	struct span key = {0};

	if (read_find(r, &key, &no) == OK)
		f->find(f->arg, key, on_found, r);
	else
		job_refuse(c, &no);
}

static void on_found(void *arg, enum err e, const struct span *items, size_t n,
		     bool is_last)
{
	struct reading *r = arg;
	struct value_map item;
	struct json_out o;

	(void)is_last;
	if (e == OK && n > 0 && !read_item(r->job->arena, items[0], &item))
		e = ERR_MALFORMED;
	if (e != OK) {
		job_fail(r->job, e);
		return;
	}
	o = job_json(256);
	json_out_raw(&o, "{");
	if (n > 0) {
		json_out_raw(&o, "\"Item\":");
		write_item(r, &item, &o);
	}
	json_out_raw(&o, "}");
	job_answer(r->job, &o);
}

/* ---- Scan ---- */

static enum err read_scan(struct reading *r, struct span *after, struct refusal *no)
{
	static const char *const others[] = {"IndexName", "Segment", "TotalSegments"};
	struct job *c = r->job;
	enum err e = paging_read(c, ASKED_PROJECTION | ASKED_FILTER, &r->paging, no);

	for (size_t i = 0; e == OK && i < sizeof others / sizeof *others; i++)
		if (fields_find(&c->fields, others[i]) != NULL)
			return refuse(c->arena, no, "%s is not supported for %s",
				      others[i], r->foreign->name);
	*after = (struct span){0};
	if (e == OK && r->paging.start_json != NULL &&
	    !read_key(r->foreign, &r->paging.start, after))
		return refuse(c->arena, no, "The provided starting key is invalid: %s",
			      item_key_no_match);
	return e;
}

static void scan(struct job *c, const struct tables_foreign *f)
{
	struct reading *r = reading_new(c, f);
	int64_t limit;
	struct refusal no;
	struct span after = {0};

	if (read_scan(r, &after, &no) != OK) {
		job_refuse(c, &no);
		return;
	}
	limit = r->paging.limit;
	f->page(f->arg, after, limit > 0 && limit < PAGE ? (size_t)limit : PAGE, on_page,
		r);
}

static void write_last(const struct reading *r, const struct value_map *item,
		       struct json_out *o)
{
	const struct value *key = value_find(item, span_str(r->foreign->key));

	json_out_raw(o, ",\"LastEvaluatedKey\":{\"");
	json_out_raw(o, r->foreign->key);
	json_out_raw(o, "\":");
	value_write(o, key);
	json_out_raw(o, "}");
}

static void on_page(void *arg, enum err e, const struct span *items, size_t n,
		    bool is_last)
{
	struct reading *r = arg;
	bool counts = r->paging.select == SELECT_COUNT;
	struct value_map item = {0};
	struct json_out o;
	int64_t count = 0;

	if (e != OK) {
		job_fail(r->job, e);
		return;
	}
	o = job_json(256 * n + 64);
	json_out_raw(&o, counts ? "{" : "{\"Items\":[");
	for (size_t i = 0; i < n; i++) {
		if (!read_item(r->job->arena, items[i], &item))
			continue; /* a damaged row, which the log names */
		if (r->paging.asked.filter != NULL &&
		    !condition_holds(r->paging.asked.filter, &item))
			continue;
		if (count++ > 0 && !counts)
			json_out_raw(&o, ",");
		if (!counts)
			write_item(r, &item, &o);
	}
	json_out_raw(&o, counts ? "" : "],");
	json_out_raw(&o, "\"Count\":");
	json_out_number(&o, count);
	json_out_raw(&o, ",\"ScannedCount\":");
	json_out_number(&o, (int64_t)n);
	if (!is_last && n > 0 && item.n > 0)
		write_last(r, &item, &o);
	json_out_raw(&o, "}");
	job_answer(r->job, &o);
}
