#include "tables/operations/paging.h"

#include "tables/operations/item_key.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

enum { ITEMS_EXPECTED = 10000 }; /* when there is no Limit */

static void on_filled(void *arg, enum err e);

/* ---- what is asked for ---- */

static enum err check_select(struct paging *p, struct refusal *no)
{
	static const char *const names[] = {"ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES",
					    "SPECIFIC_ATTRIBUTES", "COUNT"};
	struct arena *a = p->job->arena;

	if (p->asked.projection != NULL && p->select != SELECT_ABSENT &&
	    p->select != SELECT_SPECIFIC)
		return refuse(
			a, no,
			"Cannot specify the ProjectionExpression when choosing to get "
			"%s",
			names[p->select]);
	if (p->asked.projection == NULL && p->select == SELECT_SPECIFIC)
		return refuse(
			a, no,
			"Must specify the AttributesToGet or ProjectionExpression when "
			"choosing to get SPECIFIC_ATTRIBUTES");
	if (p->select == SELECT_ALL_PROJECTED && p->index_name.p == NULL)
		return refuse(a, no,
			      "ALL_PROJECTED_ATTRIBUTES can be used only when Querying "
			      "using an IndexName");
	return OK;
}

static enum err read_limit(struct paging *p, struct refusal *no)
{
	const struct fields *f = &p->job->fields;
	bool is_there;
	enum err e = fields_number(f, "Limit", &p->limit, &is_there, no);

	if (e == OK && is_there && p->limit < 1)
		return fields_outside(f, "Limit",
				      arena_printf(f->arena, "%lld", (long long)p->limit),
				      "have value greater than or equal to 1", no);
	return e;
}

static enum err read_index_name(struct paging *p, struct refusal *no)
{
	const struct fields *f = &p->job->fields;
	enum err e = fields_text(f, "IndexName", &p->index_name, no);

	if (e == OK && p->index_name.p != NULL && !table_name_is_right(p->index_name))
		return fields_outside(
			f, "IndexName",
			arena_printf(f->arena, "%.*s",
				     (int)(p->index_name.n < 300 ? p->index_name.n : 300),
				     p->index_name.p),
			"satisfy regular expression pattern: "
			"[a-zA-Z0-9_.-]+, and have length from 3 to 255",
			no);
	return e;
}

enum err paging_read(struct job *c, unsigned kinds, struct paging *p, struct refusal *no)
{
	static const char *const selects[] = {"ALL_ATTRIBUTES",
					      "ALL_PROJECTED_ATTRIBUTES",
					      "SPECIFIC_ATTRIBUTES", "COUNT", NULL};
	const struct fields *f = &c->fields;
	int select = SELECT_ABSENT;
	enum err e;

	p->job = c;
	e = read_index_name(p, no);
	if (e == OK)
		e = job_use_named(c, f, p->index_name, &p->use, no);
	if (e == OK)
		e = fields_word(f, "Select", selects, &select, no);
	if (e == OK)
		e = read_limit(p, no);
	if (e == OK)
		e = fields_truth(f, "ConsistentRead", &p->is_consistent, no);
	if (e == OK)
		e = fields_object(f, "ExclusiveStartKey", &p->start_json, no);
	if (e == OK && p->start_json != NULL)
		e = value_read_map(c->arena, p->start_json, &p->start, no);
	if (e == OK)
		e = capacity_read(f, &p->capacity, no);
	if (e == OK)
		e = asked_read(c->arena, f, kinds, &p->asked, no);
	p->select = (enum paging_select)select;
	return e == OK ? check_select(p, no) : e;
}

/* ---- the index ---- */

const struct key_schema *paging_keys(const struct paging *p)
{
	return p->index ? &p->index->keys : &p->table->keys;
}

static bool is_projected(const struct table *t, const struct table_index *x,
			 struct span name)
{
	const struct span keys[] = {t->keys.partition, t->keys.sort, x->keys.partition,
				    x->keys.sort};

	if (x->projection == PROJECT_ALL)
		return true;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].n > 0 && span_eq(keys[i], name))
			return true;
	for (size_t i = 0; i < x->n_include; i++)
		if (span_eq(x->include[i], name))
			return true;
	return false;
}

struct value_map paging_projected(struct arena *a, const struct table *t,
				  const struct table_index *x,
				  const struct value_map *item)
{
	struct value_member *members;
	size_t n = 0;

	if (x == NULL || x->projection == PROJECT_ALL)
		return *item;
	members = arena_alloc(a, item->n * sizeof *members);
	for (size_t i = 0; i < item->n; i++)
		if (is_projected(t, x, item->members[i].name))
			members[n++] = item->members[i];
	return (struct value_map){members, n};
}

static enum err check_global(struct paging *p, struct refusal *no)
{
	const struct table_index *x = p->index;
	struct arena *a = p->job->arena;
	const struct span *names;
	size_t n;

	if (p->is_consistent)
		return refuse(a, no,
			      "Consistent reads are not supported on global secondary "
			      "indexes");
	if (p->select == SELECT_ALL_ATTRIBUTES && x->projection != PROJECT_ALL)
		return refuse(
			a, no,
			"One or more parameter values were invalid: Select type "
			"ALL_ATTRIBUTES is not supported for global secondary index "
			"%.*s because its projection type is not ALL",
			SPAN_ARG(x->name));
	if (p->asked.projection == NULL)
		return OK;
	names = projection_attributes(p->asked.projection, &n);
	for (size_t i = 0; i < n; i++)
		if (!is_projected(p->table, x, names[i]))
			return refuse(a, no,
				      "One or more parameter values were invalid: Global "
				      "secondary index %.*s does not project [%.*s]",
				      SPAN_ARG(x->name), SPAN_ARG(names[i]));
	return OK;
}

/* ---- the start ---- */

static bool fits(const struct paging *p, struct span name, enum value_type type,
		 size_t *left)
{
	const struct value *v = name.n > 0 ? value_find(&p->start, name) : NULL;

	if (name.n == 0)
		return true;
	if (v == NULL || v->type != type || (type != VALUE_N && v->bytes.n == 0) ||
	    v->bytes.n > KEY_PARTITION_MOST)
		return false;
	*left -= *left > 0;
	return true;
}

static enum err check_start(struct paging *p, struct refusal *no)
{
	const struct key_schema *t = &p->table->keys, *x = paging_keys(p);
	struct value_map keys;
	size_t left = p->start.n;

	if (p->start_json == NULL)
		return OK;
	if (fits(p, t->partition, t->partition_type, &left) &&
	    fits(p, t->sort, t->sort_type, &left) &&
	    fits(p, x->partition, x->partition_type, &left) &&
	    fits(p, x->sort, x->sort_type, &left)) {
		keys = item_key_of(p->job->arena, p->table, p->index, &p->start);
		if (keys.n == p->start.n) /* and nothing else */
			return OK;
	}
	return refuse(p->job->arena, no, "The provided starting key is invalid%s%s",
		      p->index ? "" : ": ", p->index ? "" : item_key_no_match);
}

enum err paging_find_index(struct paging *p, struct refusal *no)
{
	struct arena *a = p->job->arena;
	enum err e = OK;

	p->table = p->job->used[p->use].table;
	if (p->index_name.p != NULL) {
		p->index = table_index(p->table, p->index_name);
		if (p->index == NULL && p->job->restarts == 0)
			return ERR_AGAIN;
		if (p->index == NULL)
			return refuse(a, no,
				      "The table does not have the specified index: %.*s",
				      SPAN_ARG(p->index_name));
		if (p->index->state == INDEX_CREATING && p->job->restarts == 0)
			return ERR_AGAIN;
		if (p->index->state == INDEX_CREATING)
			return refuse(
				a, no,
				"Cannot read from backfilling global secondary index: "
				"%.*s",
				SPAN_ARG(p->index_name));
		if (!p->index->is_local)
			e = check_global(p, no);
	}
	if (p->select == SELECT_ABSENT)
		p->select = p->asked.projection ? SELECT_SPECIFIC
			    : p->index          ? SELECT_ALL_PROJECTED
						: SELECT_ALL_ATTRIBUTES;
	return e == OK ? check_start(p, no) : e;
}

void paging_set_start(struct paging *p)
{
	struct arena *a = p->job->arena;
	struct item_place place;

	if (p->start_json == NULL)
		return;
	place = place_of_item(a, p->table, &p->start);
	p->range_conf.behind_shard = place.shard;
	p->range_conf.behind = place.key;
	if (p->index != NULL)
		(void)place_entry(a, p->index, &p->start, place.key,
				  &p->range_conf.behind);
}

/* ---- reading ---- */

void paging_start(struct paging *p)
{
	struct range_conf *c = &p->range_conf;

	c->table = p->table;
	c->index = p->index;
	c->most = p->limit > 0 ? (size_t)p->limit : ITEMS_EXPECTED;
	c->bytes = PAGING_BYTES;
	p->range = range_new(p->job->store, p->job->arena, c);
	p->job->draft = job_json(4096);
	json_out_raw(&p->job->draft, p->select == SELECT_COUNT ? "{" : "{\"Items\":[");
	if (range_is_over(p->range))
		on_filled(p, OK);
	else
		range_fill(p->range, on_filled, p);
}

static void add_json(struct paging *p, struct span json)
{
	if (p->count > 1)
		json_out_raw(&p->job->draft, ",");
	json_out_span(&p->job->draft, json);
}

static void add_map(struct paging *p, const struct value_map *item)
{
	if (p->count > 1)
		json_out_raw(&p->job->draft, ",");
	value_write_map(&p->job->draft, item);
}

/* An item in full needs not be parsed. */
static bool is_whole(const struct paging *p)
{
	bool all = p->index == NULL || p->index->projection == PROJECT_ALL ||
		   p->select == SELECT_ALL_ATTRIBUTES;

	return p->asked.filter == NULL && p->asked.projection == NULL && all;
}

/* ERR_MALFORMED: it is damaged. */
static enum err add_item(struct paging *p, const struct range_row *row)
{
	struct arena *a = p->job->arena;
	struct value_map item, some;

	if (is_whole(p) || (p->select == SELECT_COUNT && p->asked.filter == NULL)) {
		p->count++;
		if (p->select != SELECT_COUNT)
			add_json(p, row->item.json);
		return OK;
	}
	if (value_read_stored(a, row->item.json, &item) != OK)
		return ERR_MALFORMED;
	if (p->index != NULL && !p->index->is_local)
		item = paging_projected(a, p->table, p->index, &item);
	if (p->asked.filter != NULL && !condition_holds(p->asked.filter, &item))
		return OK;
	p->count++;
	if (p->select == SELECT_COUNT)
		return OK;
	if (p->asked.projection != NULL) {
		projection_apply(a, p->asked.projection, &item, &some);
		item = some;
	} else if (p->select == SELECT_ALL_PROJECTED) {
		item = paging_projected(a, p->table, p->index, &item);
	}
	add_map(p, &item);
	return OK;
}

static bool is_full(const struct paging *p)
{
	return (p->limit > 0 && p->scanned >= (size_t)p->limit) ||
	       p->bytes >= PAGING_BYTES;
}

static void fail(struct paging *p, enum err e)
{
	blob_unref(json_out_end(&p->job->draft));
	job_fail(p->job, e);
}

static void answer(struct paging *p);

static void on_filled(void *arg, enum err e)
{
	struct paging *p = arg;
	struct range_row row;

	while (e == OK && !is_full(p) && range_take(p->range, &row)) {
		if (!item_is_visible(p->table, &row.item))
			continue;
		p->scanned++;
		p->bytes += row.item.size;
		p->last = row;
		e = add_item(p, &row);
	}
	if (e != OK)
		fail(p, e);
	else if (is_full(p) || range_is_over(p->range))
		answer(p);
	else
		range_fill(p->range, on_filled, p);
}

static void write_number(struct json_out *o, const char *name, size_t n)
{
	json_out_key(o, name);
	json_out_number(o, (int64_t)n);
}

static void count_capacity(struct paging *p)
{
	int64_t units = capacity_of_read(p->bytes, p->is_consistent);

	if (p->index == NULL)
		p->capacity.table = units;
	else
		p->capacity.indexes[p->index - p->table->indexes] = units;
}

static void answer(struct paging *p)
{
	struct arena *a = p->job->arena;
	struct json_out *o = &p->job->draft;
	struct value_map item, key;

	if (p->select != SELECT_COUNT)
		json_out_raw(o, "]");
	write_number(o, "Count", p->count);
	write_number(o, "ScannedCount", p->scanned);
	if (is_full(p)) {
		if (value_read_stored(a, p->last.item.json, &item) != OK) {
			fail(p, ERR_MALFORMED);
			return;
		}
		key = item_key_of(a, p->table, p->index, &item);
		json_out_key(o, "LastEvaluatedKey");
		value_write_map(o, &key);
	}
	count_capacity(p);
	capacity_answer(o, p->table, &p->capacity);
	json_out_raw(o, "}");
	job_answer(p->job, o);
}
