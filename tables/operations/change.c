#include "tables/operations/change.h"

#include "tables/operations/item_key.h"
#include "tables/value/value_json.h"

#include <assert.h>

static const char *const on_failure[] = {"NONE", "ALL_OLD", NULL};

/* ---- reading ---- */

static enum err read_given(struct job *c, const struct fields *f, const char *name,
			   struct change *out, struct refusal *no)
{
	const struct json_value *v;
	enum err e = fields_object(f, name, &v, no);

	if (e != OK)
		return e;
	if (v == NULL)
		return fields_missing(f, name, no);
	return value_read_map(c->arena, v, &out->given, no);
}

static enum err check_size(struct job *c, struct change *ch, struct refusal *no)
{
	ch->new_size = item_size(&ch->given);
	if (ch->new_size <= VALUE_ITEM_MOST)
		return OK;
	return refuse(c->arena, no, "Item size has exceeded the maximum allowed size");
}

enum err change_read(struct job *c, const struct fields *f, enum change_kind kind,
		     unsigned kinds, struct change *out, struct refusal *no)
{
	int failure = 0;
	enum err e;

	*out = (struct change){.kind = kind};
	kinds |= ASKED_CONDITION | (kind == CHANGE_UPDATE ? ASKED_UPDATE : 0);
	e = job_use_named(c, f, (struct span){0}, &out->use, no);
	if (e == OK)
		e = fields_word(f, "ReturnValuesOnConditionCheckFailure", on_failure,
				&failure, no);
	if (e == OK)
		e = read_given(c, f, kind == CHANGE_PUT ? "Item" : "Key", out, no);
	if (e == OK)
		e = asked_read(c->arena, f, kinds, &out->asked, no);
	if (e == OK && kind == CHANGE_PUT)
		e = check_size(c, out, no);
	out->returns_on_failure = failure == 1;
	return e;
}

static enum err check_update(struct job *c, const struct change *ch, struct refusal *no)
{
	const struct key_schema *k = &ch->table->keys;
	struct span names[] = {k->partition, k->sort};

	for (size_t i = 0; ch->asked.update != NULL && i < 2; i++)
		if (names[i].n > 0 && update_touches(ch->asked.update, names[i]))
			return refuse(
				c->arena, no,
				"One or more parameter values were invalid: Cannot "
				"update attribute %.*s. This attribute is part of the "
				"key",
				SPAN_ARG(names[i]));
	return OK;
}

enum err change_place(struct job *c, struct change *ch, struct refusal *no)
{
	enum err e;

	ch->table = c->used[ch->use].table;
	if (ch->kind == CHANGE_PUT) {
		e = item_key_check_item(c->arena, ch->table, &ch->given, no);
		if (e == OK)
			e = item_key_check_indexes(c->arena, ch->table, &ch->given, no);
	} else {
		e = item_key_check(c->arena, ch->table, &ch->given, no);
	}
	if (e == OK)
		e = check_update(c, ch, no);
	if (e == OK)
		ch->place = place_of_item(c->arena, ch->table, &ch->given);
	return e;
}

bool change_needs_item(const struct change *ch)
{
	return (ch->kind != CHANGE_PUT && ch->kind != CHANGE_DELETE) ||
	       ch->asked.condition != NULL || ch->returns != RETURN_NONE ||
	       ch->table->n_indexes > 0;
}

/* ---- what becomes of the item ---- */

void change_make_blob(struct job *c, struct change *ch)
{
	ch->write.expiry = item_expiry(ch->table, &ch->new_item);
	change_drop_blob(ch);
	ch->blob = item_blob(c->store, &ch->new_item, ch->new_size, ch->write.expiry);
	ch->write.blob = blob_span(ch->blob);
}

void change_drop_blob(struct change *ch)
{
	blob_unref(ch->blob);
	ch->blob = NULL;
	ch->write.blob = (struct span){0};
}

static void add_change(struct change *ch, struct item_change *changes, size_t i,
		       bool is_added, struct span entry)
{
	size_t size = is_added ? ch->new_size : ch->old_size;

	changes[ch->write.n_changes++] =
		(struct item_change){&ch->table->indexes[i], is_added, entry};
	if (ch->index_sizes[i] < size)
		ch->index_sizes[i] = size;
}

/*
 * An entry that stays is not touched; the old one is computed from what is stored, also when
 * that has expired. stored, next: NULL for none.
 */
static void compare_entries(struct job *c, struct change *ch,
			    const struct value_map *stored, const struct value_map *next)
{
	const struct table *t = ch->table;
	struct item_change *changes =
		arena_alloc(c->arena, 2 * t->n_indexes * sizeof *changes);
	struct span key = ch->place.key, before, after;

	memset(ch->index_sizes, 0, sizeof ch->index_sizes);
	ch->write.changes = changes;
	ch->write.n_changes = 0;
	for (size_t i = 0; i < t->n_indexes; i++) {
		const struct table_index *x = &t->indexes[i];
		bool was, is;

		was = stored && place_entry(c->arena, x, stored, key, &before);
		is = next && place_entry(c->arena, x, next, key, &after);
		if (was && is && span_eq(before, after)) {
			ch->index_sizes[i] = ch->new_size;
			continue;
		}
		if (was)
			add_change(ch, changes, i, false, before);
		if (is)
			add_change(ch, changes, i, true, after);
	}
}

static enum change_outcome apply_update(struct job *c, struct change *ch,
					struct refusal *no)
{
	const struct value_map *base = ch->old ? ch->old : &ch->given;
	const struct update *u = ch->asked.update;

	if (ch->old == NULL && u != NULL && !update_creates(u) &&
	    fields_find(&c->fields, "AttributeUpdates") != NULL)
		return CHANGE_NOTHING;
	ch->new_item = *base;
	if (u != NULL && update_apply(c->arena, u, base, &ch->new_item, no) != OK)
		return CHANGE_REFUSED;
	ch->new_size = item_size(&ch->new_item);
	if (ch->new_size > VALUE_ITEM_MOST) {
		refuse(c->arena, no,
		       "Item size to update has exceeded the maximum allowed size");
		return CHANGE_REFUSED;
	}
	if (item_key_check_indexes(c->arena, ch->table, &ch->new_item, no) != OK)
		return CHANGE_REFUSED;
	return CHANGE_WRITES;
}

static enum change_outcome apply_kind(struct job *c, struct change *ch,
				      const struct item *stored, struct refusal *no)
{
	switch (ch->kind) {
	case CHANGE_PUT:
		ch->new_item = ch->given;
		ch->new_size = item_size(&ch->given);
		return CHANGE_WRITES;
	case CHANGE_UPDATE: return apply_update(c, ch, no);
	case CHANGE_DELETE: return stored->is_there ? CHANGE_WRITES : CHANGE_NOTHING;
	case CHANGE_CHECK: break;
	}
	return CHANGE_WRITES;
}

enum change_outcome change_apply(struct job *c, struct change *ch,
				 const struct item *stored, struct refusal *no)
{
	static const enum item_write_kind kinds[] = {ITEM_PUT, ITEM_PUT, ITEM_DELETE,
						     ITEM_CHECK};
	const struct value_map *is = NULL;
	enum change_outcome outcome;

	if (stored->is_there) {
		if (value_read_stored(c->arena, stored->json, &ch->old_item) != OK) {
			*no = (struct refusal){"InternalServerError",
					       "The stored item is damaged"};
			return CHANGE_REFUSED;
		}
		is = &ch->old_item;
	}
	ch->old = item_is_visible(ch->table, stored) ? is : NULL;
	ch->old_size = stored->is_there ? stored->size : 0;
	if (ch->asked.condition != NULL && !condition_holds(ch->asked.condition, ch->old))
		return CHANGE_FAILED;
	outcome = apply_kind(c, ch, stored, no);
	if (outcome != CHANGE_WRITES)
		return outcome;
	ch->write = (struct item_write){
		.place = ch->place,
		.kind = kinds[ch->kind],
		.old = *stored,
	};
	if (ch->write.kind == ITEM_PUT)
		change_make_blob(c, ch);
	if (ch->write.kind != ITEM_CHECK)
		compare_entries(c, ch, is,
				ch->write.kind == ITEM_PUT ? &ch->new_item : NULL);
	return CHANGE_WRITES;
}

bool change_returned(struct job *c, const struct change *ch, struct value_map *out)
{
	const struct update *u = ch->asked.update;

	switch (ch->returns) {
	case RETURN_ALL_OLD:
		if (ch->old != NULL)
			*out = *ch->old;
		return ch->old != NULL;
	case RETURN_ALL_NEW: *out = ch->new_item; return true;
	case RETURN_UPDATED_OLD:
		return u != NULL && update_touched(c->arena, u, ch->old, out);
	case RETURN_UPDATED_NEW:
		return u != NULL && update_touched(c->arena, u, &ch->new_item, out);
	case RETURN_NONE: break;
	}
	return false;
}
