/* TransactGetItems: up to 100 items, read at one moment by one script. */
#include "tables/operations/asked.h"
#include "tables/operations/capacity.h"
#include "tables/operations/item_key.h"
#include "tables/operations/operations.h"
#include "tables/operations/transact.h"
#include "tables/value/value_json.h"
#include "json/walk.h"

struct get {
	size_t use;
	struct asked asked;
	struct value_map key;
};

struct transaction {
	struct job *job;
	struct get parts[TRANSACT_MOST];
	struct item_place places[TRANSACT_MOST];
	size_t n;
	enum capacity_asked asked;
};

static void on_tables(struct job *c);
static void on_items(void *arg, enum err e, const struct item *items, size_t n);

static enum err read_part(struct transaction *t, const struct json_value *v,
			  struct refusal *no)
{
	struct job *c = t->job;
	struct get *g = &t->parts[t->n++];
	const struct json_value *get, *key;
	struct fields *f = arena_alloc(c->arena, sizeof *f);
	enum err e = fields_read(c->arena, v, f, no);

	*g = (struct get){0};
	if (e == OK)
		e = fields_object(f, "Get", &get, no);
	if (e == OK && get == NULL)
		return fields_missing(f, "Get", no);
	if (e == OK)
		e = fields_read(c->arena, get, f, no);
	if (e == OK)
		e = job_use_named(c, f, (struct span){0}, &g->use, no);
	if (e == OK)
		e = fields_object(f, "Key", &key, no);
	if (e == OK && key == NULL)
		return fields_missing(f, "Key", no);
	if (e == OK)
		e = value_read_map(c->arena, key, &g->key, no);
	if (e == OK)
		e = asked_read(c->arena, f, ASKED_PROJECTION | ASKED_NEW_ONLY, &g->asked,
			       no);
	return e;
}

static enum err read_all(struct transaction *t, struct refusal *no)
{
	struct job *c = t->job;
	const struct json_value *list;
	struct capacity capacity;
	struct json_value one;
	struct json_walk w;
	struct span none;
	enum err e = capacity_read(&c->fields, &capacity, no);

	t->asked = capacity.asked;
	if (e == OK)
		e = fields_array(&c->fields, "TransactItems", &list, no);
	if (e == OK && list == NULL)
		return fields_missing(&c->fields, "TransactItems", no);
	if (e == OK && (json_count(list) == 0 || json_count(list) > TRANSACT_MOST))
		return fields_outside(&c->fields, "TransactItems", "[…]",
				      json_count(list) == 0
					      ? "have length greater than or equal to 1"
					      : "have length less than or equal to 100",
				      no);
	if (e != OK)
		return e;
	w = json_walk(list);
	while (e == OK && json_walk_next(&w, &none, &one))
		e = read_part(t, &one, no);
	return e;
}

void transact_get_items(struct job *c)
{
	struct transaction *t = arena_calloc(c->arena, 1, sizeof *t);
	struct refusal no;

	t->job = c;
	c->state = t;
	if (read_all(t, &no) == OK)
		job_with_tables(c, "GetItem", on_tables);
	else
		job_refuse(c, &no);
}

/* Wrong keys cancel it. True: they are right. */
static bool check_keys(struct transaction *t)
{
	struct job *c = t->job;
	struct transact_reason reasons[TRANSACT_MOST] = {{0}};
	bool is_right = true;

	for (size_t i = 0; i < t->n; i++) {
		const struct table *table = c->used[t->parts[i].use].table;
		struct refusal no;

		if (item_key_check(c->arena, table, &t->parts[i].key, &no) == OK) {
			t->places[i] = place_of_item(c->arena, table, &t->parts[i].key);
			continue;
		}
		reasons[i] =
			(struct transact_reason){"ValidationError", no.message, NULL};
		is_right = false;
	}
	if (!is_right)
		transact_cancel(c, reasons, t->n);
	return is_right;
}

static void on_tables(struct job *c)
{
	struct transaction *t = c->state;

	if (!check_keys(t))
		return;
	if (transact_check_twice(c, t->places, t->n))
		items_read(c->store, c->arena, t->places, t->n, on_items, t);
}

/* False: it is damaged. */
static bool write_item(struct transaction *t, size_t i, struct span json,
		       struct json_out *o)
{
	struct value_map all, some;

	if (t->parts[i].asked.projection == NULL) {
		json_out_span(o, json);
		return true;
	}
	if (value_read_stored(t->job->arena, json, &all) != OK)
		return false;
	projection_apply(t->job->arena, t->parts[i].asked.projection, &all, &some);
	value_write_map(o, &some);
	return true;
}

static void write_capacity(struct transaction *t, const struct item *items,
			   struct json_out *o)
{
	struct job *c = t->job;

	if (t->asked == CAPACITY_NONE)
		return;
	json_out_key(o, "ConsumedCapacity");
	json_out_raw(o, "[");
	for (size_t use = 0; use < c->n_used; use++) {
		struct capacity all = {.asked = t->asked};

		for (size_t i = 0; i < t->n; i++)
			if (t->parts[i].use == use)
				all.table += 2 * capacity_of_read(items[i].size, true);
		if (use > 0)
			json_out_raw(o, ",");
		capacity_write(o, c->used[use].table, &all);
	}
	json_out_raw(o, "]");
}

static void on_items(void *arg, enum err e, const struct item *items, size_t n)
{
	struct transaction *t = arg;
	struct json_out o;

	if (e != OK) {
		job_fail(t->job, e);
		return;
	}
	o = job_json(1024);
	json_out_raw(&o, "{\"Responses\":[");
	for (size_t i = 0; i < n; i++) {
		json_out_raw(&o, i > 0 ? ",{" : "{");
		if (item_is_visible(t->places[i].table, &items[i])) {
			json_out_key(&o, "Item");
			if (!write_item(t, i, items[i].json, &o)) {
				blob_unref(json_out_end(&o));
				job_fail(t->job, ERR_MALFORMED);
				return;
			}
		}
		json_out_raw(&o, "}");
	}
	json_out_raw(&o, "]");
	write_capacity(t, items, &o);
	json_out_raw(&o, "}");
	job_answer(t->job, &o);
}
