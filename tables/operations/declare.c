/*
 * A table of a configuration file: begin → on_found → made, or compared and changed → on_done. When another broker
 * does the same at this moment, it is looked at once more.
 */
#include "tables/operations/operations.h"
#include "tables/store/keeper.h"

#include <stdlib.h>

enum { TRIES = 5 };

struct declaration {
	LIST_ENTRY(declaration) all;
	struct tables *tables;
	struct arena *arena;
	struct table *table; /* as declared; NULL: it could not be read */
	struct table *next;  /* what the table that is there becomes; NULL: none */
	struct timer *turn;
	unsigned tries;
	enum err e;
	const char *message;
	tables_declared_fn *fn;
	void *arg;
};

static void begin(struct declaration *d);
static void on_found(void *arg, enum err e, struct table *t);
static void on_done(void *arg, enum err e);

static void declaration_free(struct declaration *d)
{
	LIST_REMOVE(d, all);
	table_unref(d->table);
	table_unref(d->next);
	timer_free(d->turn);
	arena_free(d->arena); /* d is in it */
}

void declarations_free(struct tables *t)
{
	struct declaration *d;

	while ((d = LIST_FIRST(&t->declarations)) != NULL)
		declaration_free(d);
}

static void end(struct declaration *d, enum err e, const char *message)
{
	d->fn(d->arg, e, message);
	declaration_free(d);
}

static void on_turn(void *arg)
{
	struct declaration *d = arg;

	if (d->e != OK)
		end(d, d->e, d->message);
	else
		begin(d);
}

static enum err read_definition(struct declaration *d, struct span text,
				struct refusal *no)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	struct fields *f = arena_alloc(d->arena, sizeof *f);
	enum err e = json_find(arena_copy(d->arena, text), &whole, &v);

	if (e != OK)
		return refuse(d->arena, no, "The definition is not JSON");
	e = fields_read(d->arena, &v, f, no);
	return e == OK ? schema_read(f, &d->table, no) : e;
}

void tables_declare(struct tables *t, struct span definition, tables_declared_fn *fn,
		    void *arg)
{
	struct arena *a = arena_new();
	struct declaration *d = arena_calloc(a, 1, sizeof *d);
	struct refusal no;

	d->arena = a;
	d->tables = t;
	d->fn = fn;
	d->arg = arg;
	d->turn = timer_new(t->loop, on_turn, d);
	LIST_INSERT_HEAD(&t->declarations, d, all);
	if (read_definition(d, definition, &no) != OK) {
		d->e = ERR_DENIED;
		d->message = no.message;
	}
	timer_after(d->turn, 0);
}

static void begin(struct declaration *d)
{
	catalog_load(d->tables->store, d->arena, d->table->name, on_found, d);
}

/* ---- a table that is there ---- */

/* What cannot be changed; NULL: nothing. */
static const char *difference(struct declaration *d, const struct table *is)
{
	const struct table *t = d->table;

	if (!schema_same_keys(&is->keys, &t->keys))
		return arena_printf(
			d->arena,
			"the table %.*s is there with another key schema: delete "
			"it, or declare it as it is",
			SPAN_ARG(t->name));
	for (size_t i = 0; i < t->n_indexes; i++) {
		const struct table_index *x = &t->indexes[i],
					 *there = table_index(is, x->name);

		if (there == NULL && x->is_local)
			return arena_printf(
				d->arena,
				"the table %.*s is there without the local index "
				"%.*s, which cannot be added: delete the table",
				SPAN_ARG(t->name), SPAN_ARG(x->name));
		if (there != NULL && !schema_same_keys(&there->keys, &x->keys))
			return arena_printf(
				d->arena,
				"the index %.*s of the table %.*s is there with "
				"another key schema: delete it, or declare it as "
				"it is",
				SPAN_ARG(x->name), SPAN_ARG(t->name));
	}
	return NULL;
}

/* What it becomes; NULL: it is as declared. */
static struct table *changed(const struct table *is, const struct table *declared)
{
	struct table *next = table_change(is);
	bool is_changed = !span_eq(is->ttl, declared->ttl);

	if (is_changed) {
		next->ttl = arena_copy(next->arena, declared->ttl);
		next->ttl_is_new = declared->ttl.n > 0;
	}
	for (size_t i = 0; i < declared->n_indexes; i++) {
		if (table_index(is, declared->indexes[i].name) != NULL ||
		    next->n_indexes == TABLE_INDEXES_MOST)
			continue;
		schema_copy_index(next, &declared->indexes[i]);
		is_changed = true;
	}
	if (is_changed)
		return next;
	table_unref(next);
	return NULL;
}

static void on_found(void *arg, enum err e, struct table *is)
{
	struct declaration *d = arg;
	struct tables_store *st = d->tables->store;
	const char *why;

	if (e == ERR_NOTFOUND) {
		catalog_create(st, d->arena, d->table, on_done, d);
		return;
	}
	if (e != OK) {
		end(d, e, "Redis is unreachable or busy");
		return;
	}
	why = difference(d, is);
	if (why != NULL) {
		end(d, ERR_DENIED, why);
		return;
	}
	table_unref(d->next);
	d->next = changed(is, d->table);
	if (d->next != NULL)
		catalog_change(st, d->arena, d->next, NULL, on_done, d);
	else
		end(d, OK, NULL);
}

static void on_done(void *arg, enum err e)
{
	struct declaration *d = arg;

	if ((e == ERR_CLAIMED || e == ERR_NOTFOUND) && ++d->tries < TRIES) {
		begin(d);
		return;
	}
	if (e == OK && d->next != NULL)
		keeper_fill(d->tables->keeper, d->next);
	end(d, e == ERR_CLAIMED || e == ERR_NOTFOUND ? ERR_BUSY : e,
	    e == OK ? NULL : "Redis is unreachable or busy");
}
