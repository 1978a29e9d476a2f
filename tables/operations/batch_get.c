/*
 * BatchGetItem: up to 100 keys, each read alone. What is above 16 MB, or what Redis could not give, comes
 * back in UnprocessedKeys.
 */
#include "tables/operations/asked.h"
#include "tables/operations/capacity.h"
#include "tables/operations/item_key.h"
#include "tables/operations/operations.h"
#include "tables/value/value_json.h"
#include "json/walk.h"

enum { KEYS_MOST = 100, ANSWER_MOST = 16 * 1024 * 1024 };

/* The keys of one table. */
struct batch_table {
	size_t use;
	struct asked asked;
	bool is_consistent;
	struct span raw; /* {"Keys":[…],…} */
};

struct batch_key {
	struct batch *batch;
	struct batch_table *table;
	struct value_map key;
	struct span raw;
	struct item_place place;
	bool is_left, is_there;
	struct item item;
};

struct batch {
	struct job *job;
	struct batch_key keys[KEYS_MOST];
	size_t n, waits;
	struct batch_table *tables;
	size_t n_tables;
	enum capacity_asked asked;
	bool is_stale;
	enum err e;
};

static void on_tables(struct job *c);
static void on_item(void *arg, enum err e, const struct item *item);
static void answer(struct batch *b);

/* ---- reading ---- */

static enum err read_keys(struct batch *b, struct batch_table *t, const struct fields *f,
			  struct refusal *no)
{
	struct job *c = b->job;
	const struct json_value *keys;
	struct json_value one;
	struct json_walk w;
	struct span none;
	enum err e = fields_array(f, "Keys", &keys, no);

	if (e == OK && keys == NULL)
		return fields_missing(f, "Keys", no);
	if (e == OK && json_count(keys) == 0)
		return fields_outside(f, "Keys", "[]",
				      "have length greater than or equal to 1", no);
	if (e != OK)
		return e;
	w = json_walk(keys);
	while (e == OK && json_walk_next(&w, &none, &one)) {
		struct batch_key *k = &b->keys[b->n];

		if (b->n == KEYS_MOST)
			return refuse(
				c->arena, no,
				"Too many items requested for the BatchGetItem call");
		*k = (struct batch_key){.batch = b, .table = t, .raw = one.raw};
		if (one.kind != JSON_IS_OBJECT)
			return fields_refuse_type(c->arena, no, "Keys",
						  "an array of objects");
		e = value_read_map(c->arena, &one, &k->key, no);
		b->n++;
	}
	return e;
}

static enum err read_table(struct batch *b, struct span raw, const struct json_value *v,
			   struct refusal *no)
{
	struct job *c = b->job;
	struct batch_table *t = &b->tables[b->n_tables];
	struct fields *f = arena_alloc(c->arena, sizeof *f);
	struct span name;
	enum err e = fields_unescape(c->arena, raw, &name, no);

	if (e != OK)
		return e;
	name = table_name_of(name);
	if (!table_name_is_right(name))
		return fields_outside(&c->fields, "RequestItems",
				      arena_printf(c->arena, "%.*s",
						   (int)(name.n < 300 ? name.n : 300),
						   name.p),
				      "have names of tables as its keys", no);
	t->raw = v->raw;
	t->use = job_use(c, name, (struct span){0});
	e = fields_read(c->arena, v, f, no);
	if (e == OK)
		e = fields_truth(f, "ConsistentRead", &t->is_consistent, no);
	if (e == OK)
		e = read_keys(b, t, f, no);
	if (e == OK)
		e = asked_read(c->arena, f, ASKED_PROJECTION, &t->asked, no);
	b->n_tables++;
	return e;
}

static enum err read_all(struct batch *b, struct refusal *no)
{
	struct job *c = b->job;
	const struct json_value *items;
	struct capacity capacity;
	struct json_value v;
	struct json_walk w;
	struct span name;
	enum err e = capacity_read(&c->fields, &capacity, no);

	b->asked = capacity.asked;
	if (e == OK)
		e = fields_object(&c->fields, "RequestItems", &items, no);
	if (e == OK && items == NULL)
		return fields_missing(&c->fields, "RequestItems", no);
	if (e == OK && (json_count(items) == 0 || json_count(items) > KEYS_MOST))
		return fields_outside(&c->fields, "RequestItems", "{}",
				      "have length from 1 to 100", no);
	if (e != OK)
		return e;
	b->tables = arena_calloc(c->arena, json_count(items), sizeof *b->tables);
	w = json_walk(items);
	while (e == OK && json_walk_next(&w, &name, &v))
		e = read_table(b, name, &v, no);
	return e;
}

void batch_get_item(struct job *c)
{
	struct batch *b = arena_calloc(c->arena, 1, sizeof *b);
	struct refusal no;

	b->job = c;
	c->state = b;
	if (read_all(b, &no) == OK)
		job_with_tables(c, NULL, on_tables);
	else
		job_refuse(c, &no);
}

/* ---- checking and asking ---- */

static enum err check(struct batch *b, size_t at, struct refusal *no)
{
	struct job *c = b->job;
	struct batch_key *k = &b->keys[at];
	const struct table *t = c->used[k->table->use].table;
	enum err e = item_key_check(c->arena, t, &k->key, no);

	if (e != OK)
		return e;
	k->place = place_of_item(c->arena, t, &k->key);
	for (size_t i = 0; i < at; i++)
		if (b->keys[i].place.table == t &&
		    span_eq(b->keys[i].place.key, k->place.key))
			return refuse(c->arena, no,
				      "Provided list of item keys contains duplicates");
	return OK;
}

static void on_tables(struct job *c)
{
	struct batch *b = c->state;
	struct refusal no;

	for (size_t i = 0; i < b->n; i++)
		if (check(b, i, &no) != OK) {
			job_refuse(c, &no);
			return;
		}
	b->waits = b->n;
	for (size_t i = 0; i < b->n; i++)
		items_get(c->store, c->arena, &b->keys[i].place, on_item, &b->keys[i]);
}

static void on_item(void *arg, enum err e, const struct item *item)
{
	struct batch_key *k = arg;
	struct batch *b = k->batch;

	if (e == ERR_AGAIN) {
		b->is_stale = true;
	} else if (e != OK) {
		k->is_left = true;
		b->e = e;
	} else if (item_is_visible(k->place.table, item)) {
		k->is_there = true;
		k->item = *item;
		k->item.json = arena_copy(b->job->arena, item->json);
	}
	if (--b->waits > 0)
		return;
	if (b->is_stale)
		job_restart(b->job);
	else
		answer(b);
}

/* ---- the answer ---- */

/* False: it is damaged. */
static bool write_item(struct batch_key *k, struct json_out *o)
{
	struct arena *a = k->batch->job->arena;
	struct value_map all, some;

	if (k->table->asked.projection == NULL) {
		json_out_span(o, k->item.json);
		return true;
	}
	if (value_read_stored(a, k->item.json, &all) != OK)
		return false;
	projection_apply(a, k->table->asked.projection, &all, &some);
	value_write_map(o, &some);
	return true;
}

static bool write_items(struct batch *b, struct json_out *o)
{
	size_t bytes = 0;

	for (size_t t = 0; t < b->n_tables; t++) {
		size_t n = 0;

		if (t > 0)
			json_out_raw(o, ",");
		json_out_string(o, b->job->used[b->tables[t].use].name);
		json_out_raw(o, ":[");
		for (size_t i = 0; i < b->n; i++) {
			struct batch_key *k = &b->keys[i];

			if (k->table != &b->tables[t] || !k->is_there)
				continue;
			bytes += k->item.size;
			k->is_left = bytes > ANSWER_MOST;
			if (k->is_left)
				continue;
			if (n++ > 0)
				json_out_raw(o, ",");
			if (!write_item(k, o))
				return false;
		}
		json_out_raw(o, "]");
	}
	return true;
}

/* The request of one table again, with those keys alone that are left. */
static void write_left_table(struct batch *b, const struct batch_table *t,
			     struct json_out *o)
{
	struct json_value v = {JSON_IS_OBJECT, t->raw}, one;
	struct json_walk w = json_walk(&v);
	struct span name;
	size_t n = 0;

	json_out_raw(o, "{");
	while (json_walk_next(&w, &name, &one)) {
		if (span_is(name, "\"Keys\""))
			continue;
		json_out_span(o, name);
		json_out_raw(o, ":");
		json_out_span(o, one.raw);
		json_out_raw(o, ",");
	}
	json_out_raw(o, "\"Keys\":[");
	for (size_t i = 0; i < b->n; i++) {
		if (b->keys[i].table != t || !b->keys[i].is_left)
			continue;
		if (n++ > 0)
			json_out_raw(o, ",");
		json_out_span(o, b->keys[i].raw);
	}
	json_out_raw(o, "]}");
}

static void write_left(struct batch *b, struct json_out *o)
{
	size_t tables = 0;

	json_out_key(o, "UnprocessedKeys");
	json_out_raw(o, "{");
	for (size_t t = 0; t < b->n_tables; t++) {
		bool is_left = false;

		for (size_t i = 0; i < b->n; i++)
			is_left = is_left || (b->keys[i].table == &b->tables[t] &&
					      b->keys[i].is_left);
		if (!is_left)
			continue;
		if (tables++ > 0)
			json_out_raw(o, ",");
		json_out_string(o, b->job->used[b->tables[t].use].name);
		json_out_raw(o, ":");
		write_left_table(b, &b->tables[t], o);
	}
	json_out_raw(o, "}");
}

static void write_capacity(struct batch *b, struct json_out *o)
{
	if (b->asked == CAPACITY_NONE)
		return;
	json_out_key(o, "ConsumedCapacity");
	json_out_raw(o, "[");
	for (size_t t = 0; t < b->n_tables; t++) {
		struct capacity all = {.asked = b->asked};
		const struct batch_table *table = &b->tables[t];

		for (size_t i = 0; i < b->n; i++)
			if (b->keys[i].table == table && !b->keys[i].is_left)
				all.table += capacity_of_read(b->keys[i].item.size,
							      table->is_consistent);
		if (t > 0)
			json_out_raw(o, ",");
		capacity_write(o, b->job->used[table->use].table, &all);
	}
	json_out_raw(o, "]");
}

static void answer(struct batch *b)
{
	size_t left = 0;
	struct json_out o;

	for (size_t i = 0; i < b->n; i++)
		left += b->keys[i].is_left;
	if (left == b->n) {
		job_fail(b->job, b->e);
		return;
	}
	o = job_json(1024);
	json_out_raw(&o, "{\"Responses\":{");
	if (!write_items(b, &o)) {
		blob_unref(json_out_end(&o));
		job_fail(b->job, ERR_MALFORMED);
		return;
	}
	json_out_raw(&o, "}");
	write_left(b, &o);
	write_capacity(b, &o);
	json_out_raw(&o, "}");
	job_answer(b->job, &o);
}
