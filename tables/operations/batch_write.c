/*
 * BatchWriteItem: up to 25 puts and deletes, each alone atomic. All are checked before the first is
 * written. What Redis could not take comes back in UnprocessedItems, which batch_writer and the loops of
 * SDKs send again.
 */
#include "tables/operations/capacity.h"
#include "tables/operations/change.h"
#include "tables/operations/item_key.h"
#include "tables/operations/operations.h"
#include "tables/operations/turns.h"
#include "tables/value/value_json.h"
#include "json/walk.h"

enum { WRITES_MOST = 25, TRIES_MOST = 200 };

struct batch_write {
	struct batch *batch;
	struct change change;
	struct span raw; /* {"PutRequest":…}, for UnprocessedItems */
	struct turn turn;
	unsigned tries;
	bool is_left;
};

struct batch {
	struct job *job;
	struct batch_write writes[WRITES_MOST];
	size_t n, waits;
	bool is_stale;
	enum err e;
	enum capacity_asked asked;
};

static void on_tables(struct job *c);
static void read_item(void *arg);
static void on_item(void *arg, enum err e, const struct item *stored);
static void judge(struct batch_write *w, const struct item *stored);
static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now);
static void answer(struct batch *b);

/* ---- reading ---- */

static enum err too_many(struct job *c, struct refusal *no)
{
	return refuse(c->arena, no,
		      "Too many items requested for the BatchWriteItem call");
}

static enum err read_one(struct batch *b, const struct json_value *request,
			 struct span table, struct refusal *no)
{
	struct job *c = b->job;
	struct batch_write *w = &b->writes[b->n];
	const struct json_value *put = NULL, *remove = NULL, *given;
	struct fields f, in;
	enum err e = fields_read(c->arena, request, &f, no);

	if (e == OK)
		e = fields_object(&f, "PutRequest", &put, no);
	if (e == OK)
		e = fields_object(&f, "DeleteRequest", &remove, no);
	if (e != OK)
		return e;
	if ((put == NULL) == (remove == NULL))
		return refuse(c->arena, no,
			      "Supplied AttributeValue has to contain exactly one of the "
			      "supported request types: PutRequest, DeleteRequest");
	*w = (struct batch_write){.batch = b, .raw = request->raw};
	w->change.kind = put ? CHANGE_PUT : CHANGE_DELETE;
	e = fields_read(c->arena, put ? put : remove, &in, no);
	if (e == OK)
		e = fields_object(&in, put ? "Item" : "Key", &given, no);
	if (e == OK && given == NULL)
		return fields_missing(&in, put ? "Item" : "Key", no);
	if (e == OK)
		e = value_read_map(c->arena, given, &w->change.given, no);
	if (e != OK)
		return e;
	w->change.new_size = item_size(&w->change.given);
	if (put && w->change.new_size > VALUE_ITEM_MOST)
		return refuse(c->arena, no,
			      "Item size has exceeded the maximum allowed size");
	w->change.use = job_use(c, table, (struct span){0});
	b->n++;
	return OK;
}

static enum err read_table(struct batch *b, struct span raw,
			   const struct json_value *list, struct refusal *no)
{
	struct job *c = b->job;
	struct json_value one;
	struct json_walk w;
	struct span name, none;
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
	if (list->kind != JSON_IS_ARRAY)
		return fields_refuse_type(c->arena, no, "RequestItems",
					  "an object of arrays");
	w = json_walk(list);
	if (json_count(list) == 0)
		return fields_outside(&c->fields, "RequestItems", "[]",
				      "have length greater than or equal to 1", no);
	while (e == OK && json_walk_next(&w, &none, &one))
		e = b->n < WRITES_MOST ? read_one(b, &one, name, no) : too_many(c, no);
	return e;
}

static enum err read_all(struct batch *b, struct refusal *no)
{
	struct job *c = b->job;
	const struct json_value *items;
	struct capacity capacity;
	struct json_value list;
	struct json_walk w;
	struct span name;
	enum err e = capacity_read(&c->fields, &capacity, no);

	b->asked = capacity.asked;
	if (e == OK)
		e = fields_object(&c->fields, "RequestItems", &items, no);
	if (e == OK && items == NULL)
		return fields_missing(&c->fields, "RequestItems", no);
	if (e == OK && json_count(items) == 0)
		return fields_outside(&c->fields, "RequestItems", "{}",
				      "have length greater than or equal to 1", no);
	if (e != OK)
		return e;
	w = json_walk(items);
	while (e == OK && json_walk_next(&w, &name, &list))
		e = read_table(b, name, &list, no);
	return e;
}

void batch_write_item(struct job *c)
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

/* ---- checking ---- */

/* A wrong key is said here in other words than by PutItem. */
static enum err check_put(struct job *c, const struct change *ch, struct refusal *no)
{
	const struct table *t = c->used[ch->use].table;
	const struct value *p = value_find(&ch->given, t->keys.partition);
	const struct value *s =
		t->keys.sort.n > 0 ? value_find(&ch->given, t->keys.sort) : NULL;

	if (ch->kind == CHANGE_PUT &&
	    (p == NULL || p->type != t->keys.partition_type ||
	     (t->keys.sort.n > 0 && (s == NULL || s->type != t->keys.sort_type))))
		return refuse(c->arena, no, "%s", item_key_no_match);
	return OK;
}

static enum err check_twice(struct batch *b, size_t at, struct refusal *no)
{
	const struct item_place *p = &b->writes[at].change.place;

	for (size_t i = 0; i < at; i++) {
		const struct item_place *q = &b->writes[i].change.place;

		if (q->table == p->table && span_eq(q->key, p->key))
			return refuse(b->job->arena, no,
				      "Provided list of item keys contains duplicates");
	}
	return OK;
}

static enum err check(struct batch *b, struct refusal *no)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->n; i++) {
		struct change *ch = &b->writes[i].change;

		e = check_put(b->job, ch, no);
		if (e == OK)
			e = change_place(b->job, ch, no);
		if (e == OK)
			e = check_twice(b, i, no);
	}
	return e;
}

/* ---- writing ---- */

static void begin(struct batch_write *w)
{
	struct job *c = w->batch->job;
	struct change *ch = &w->change;

	if (change_needs_item(ch) || w->batch->asked != CAPACITY_NONE) {
		if (turns_begin(c->tables->turns, &ch->place, &w->turn, read_item, w))
			read_item(w);
	} else if (ch->kind == CHANGE_DELETE) {
		items_delete(c->store, c->arena, &ch->place, on_written, w);
	} else {
		ch->new_item = ch->given;
		change_make_blob(c, ch);
		items_put(c->store, c->arena, &ch->place, ch->write.blob,
			  ch->write.expiry, on_written, w);
		change_drop_blob(ch);
	}
}

static void on_tables(struct job *c)
{
	struct batch *b = c->state;
	struct refusal no;

	if (check(b, &no) != OK) {
		job_refuse(c, &no);
		return;
	}
	b->waits = b->n;
	for (size_t i = 0; i < b->n; i++)
		begin(&b->writes[i]);
}

static void end(struct batch_write *w, bool is_left)
{
	struct batch *b = w->batch;

	turns_end(b->job->tables->turns, &w->turn);
	w->is_left = is_left;
	if (--b->waits > 0)
		return;
	if (b->is_stale)
		job_restart(b->job); /* puts and deletes may be done twice */
	else
		answer(b);
}

static void read_item(void *arg)
{
	struct batch_write *w = arg;
	struct job *c = w->batch->job;

	items_get(c->store, c->arena, &w->change.place, on_item, w);
}

static void on_item(void *arg, enum err e, const struct item *stored)
{
	struct batch_write *w = arg;

	if (e == OK) {
		judge(w, stored);
		return;
	}
	if (e == ERR_AGAIN)
		w->batch->is_stale = true;
	else
		w->batch->e = e;
	end(w, true);
}

static void judge(struct batch_write *w, const struct item *stored)
{
	struct job *c = w->batch->job;
	struct item own = *stored;
	struct refusal no;

	own.json = arena_copy(c->arena, stored->json);
	switch (change_apply(c, &w->change, &own, &no)) {
	case CHANGE_WRITES:
		items_write(c->store, c->arena,
			    &(struct items_write){.parts = &w->change.write, .n = 1},
			    on_written, w);
		change_drop_blob(&w->change);
		break;
	case CHANGE_NOTHING: end(w, false); break;
	case CHANGE_FAILED:
	case CHANGE_REFUSED: /* the stored item is damaged */
		w->batch->e = ERR_MALFORMED;
		end(w, true);
		break;
	}
}

static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now)
{
	struct batch_write *w = arg;

	(void)part;
	if (outcome == ITEMS_WRITTEN) {
		end(w, false);
	} else if (outcome == ITEMS_CHANGED && ++w->tries < TRIES_MOST) {
		metric_add(w->batch->job->tables->retried, 1);
		judge(w, now);
	} else {
		if (outcome == ITEMS_STALE)
			w->batch->is_stale = true;
		else
			w->batch->e = e == OK ? ERR_BUSY : e; /* also: locked */
		end(w, true);
	}
}

/* ---- the answer ---- */

static void write_left(struct batch *b, struct json_out *o)
{
	struct job *c = b->job;
	size_t tables = 0;

	json_out_key(o, "UnprocessedItems");
	json_out_raw(o, "{");
	for (size_t use = 0; use < c->n_used; use++) {
		size_t n = 0;

		for (size_t i = 0; i < b->n; i++) {
			if (!b->writes[i].is_left || b->writes[i].change.use != use)
				continue;
			if (n == 0 && tables++ > 0)
				json_out_raw(o, ",");
			if (n == 0) {
				json_out_string(o, c->used[use].name);
				json_out_raw(o, ":[");
			} else {
				json_out_raw(o, ",");
			}
			n++;
			json_out_span(o, b->writes[i].raw);
		}
		if (n > 0)
			json_out_raw(o, "]");
	}
	json_out_raw(o, "}");
}

static void write_capacity(struct batch *b, struct json_out *o)
{
	struct job *c = b->job;

	if (b->asked == CAPACITY_NONE)
		return;
	json_out_key(o, "ConsumedCapacity");
	json_out_raw(o, "[");
	for (size_t use = 0; use < c->n_used; use++) {
		struct capacity all = {.asked = b->asked};

		for (size_t i = 0; i < b->n; i++) {
			const struct change *ch = &b->writes[i].change;
			size_t most =
				ch->old_size > ch->new_size ? ch->old_size : ch->new_size;

			if (ch->use != use || b->writes[i].is_left)
				continue;
			all.table += capacity_of_write(most);
			for (size_t k = 0; k < ch->table->n_indexes; k++)
				if (ch->index_sizes[k] > 0)
					all.indexes[k] +=
						capacity_of_write(ch->index_sizes[k]);
		}
		if (use > 0)
			json_out_raw(o, ",");
		capacity_write(o, c->used[use].table, &all);
	}
	json_out_raw(o, "]");
}

static void answer(struct batch *b)
{
	struct json_out o;
	size_t left = 0;

	for (size_t i = 0; i < b->n; i++)
		left += b->writes[i].is_left;
	if (left == b->n) { /* as DynamoDB does when nothing could be done */
		job_fail(b->job, b->e);
		return;
	}
	o = job_json(256);
	json_out_raw(&o, "{");
	write_left(b, &o);
	write_capacity(b, &o);
	json_out_raw(&o, "}");
	job_answer(b->job, &o);
}
