/* GetItem. Without a projection the stored JSON is the answer's, byte for byte. */
#include "tables/operations/asked.h"
#include "tables/operations/capacity.h"
#include "tables/operations/item_key.h"
#include "tables/operations/operations.h"
#include "tables/value/value_json.h"

struct get {
	struct job *job;
	struct asked asked;
	struct value_map key;
	struct capacity capacity;
	bool is_consistent;
	size_t use;
	struct item_place place;
};

static void on_tables(struct job *c);
static void on_item(void *arg, enum err e, const struct item *item);

static enum err read(struct get *g, struct refusal *no)
{
	struct job *c = g->job;
	const struct fields *f = &c->fields;
	const struct json_value *key;
	enum err e = job_use_named(c, f, (struct span){0}, &g->use, no);

	if (e == OK)
		e = fields_object(f, "Key", &key, no);
	if (e == OK && key == NULL)
		return fields_missing(f, "Key", no);
	if (e == OK)
		e = value_read_map(c->arena, key, &g->key, no);
	if (e == OK)
		e = fields_truth(f, "ConsistentRead", &g->is_consistent, no);
	if (e == OK)
		e = asked_read(c->arena, f, ASKED_PROJECTION, &g->asked, no);
	if (e == OK)
		e = capacity_read(f, &g->capacity, no);
	return e;
}

void get_item(struct job *c)
{
	struct get *g = arena_calloc(c->arena, 1, sizeof *g);
	struct refusal no;

	g->job = c;
	c->state = g;
	if (read(g, &no) == OK)
		job_with_tables(c, NULL, on_tables);
	else
		job_refuse(c, &no);
}

static void on_tables(struct job *c)
{
	struct get *g = c->state;
	const struct table *t = c->used[g->use].table;
	struct refusal no;

	if (item_key_check(c->arena, t, &g->key, &no) != OK) {
		job_refuse(c, &no);
		return;
	}
	g->place = place_of_item(c->arena, t, &g->key);
	items_get(c->store, c->arena, &g->place, on_item, g);
}

/* False: it is damaged. */
static bool write_projected(struct get *g, struct span json, struct json_out *o)
{
	struct value_map all, some;

	if (value_read_stored(g->job->arena, json, &all) != OK)
		return false;
	projection_apply(g->job->arena, g->asked.projection, &all, &some);
	value_write_map(o, &some);
	return true;
}

static void on_item(void *arg, enum err e, const struct item *item)
{
	struct get *g = arg;
	const struct table *t = g->place.table;
	bool is_visible = e == OK && item_is_visible(t, item);
	struct json_out o;

	if (e != OK) {
		job_fail(g->job, e);
		return;
	}
	o = job_json(128 + item->json.n);
	json_out_raw(&o, "{");
	if (is_visible) {
		json_out_key(&o, "Item");
		if (g->asked.projection == NULL) {
			json_out_span(&o, item->json);
		} else if (!write_projected(g, item->json, &o)) {
			blob_unref(json_out_end(&o));
			job_fail(g->job, ERR_MALFORMED);
			return;
		}
	}
	g->capacity.table =
		capacity_of_read(is_visible ? item->size : 0, g->is_consistent);
	capacity_answer(&o, t, &g->capacity);
	json_out_raw(&o, "}");
	job_answer(g->job, &o);
}
