/*
 * PutItem, UpdateItem, DeleteItem:
 *
 *   run             read → tables → place
 *   write_blindly   nothing depends on the old item: one small script
 *   write_in_turn   else: after those of this broker that write the same item
 *   read_item → on_item → judge: the condition, the new item → items_write → on_written
 *
 * When another broker has changed the item in between, it is judged again, as it is now. That can
 * happen again and again; after some tries the item is locked against all others for a moment, so that this
 * write has its turn too. A lock of a broker that has died expires.
 */
#include "tables/operations/capacity.h"
#include "tables/operations/change.h"
#include "tables/operations/operations.h"
#include "tables/operations/turns.h"
#include "tables/value/value_json.h"

#include <inttypes.h>

enum {
	TRIES = 10,         /* before the item is locked */
	PAUSE_MS = 4,       /* about, before an item that is locked is asked again */
	PATIENCE_MS = 8000, /* then the client is told to try again */
};

struct write {
	struct job *job;
	struct change change;
	struct capacity capacity;
	struct turn turn;
	unsigned tries;
	int64_t begun_ms;
	const char *owner; /* of the lock; NULL: it has none */
};

static void on_tables(struct job *c);
static void write_blindly(struct write *w);
static void on_blind(void *arg, enum items_outcome outcome, enum err e, size_t part,
		     const struct item *now);
static void write_in_turn(struct write *w);
static void read_item(void *arg);
static void on_item(void *arg, enum err e, const struct item *stored);
static void judge(struct write *w, const struct item *stored);
static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now);
static void lock(struct job *c);
static void on_locked(void *arg, enum err e);
static void answer(struct write *w);

/* ---- reading ---- */

static enum err read_returns(struct write *w, struct refusal *no)
{
	static const char *const words[] = {"NONE",    "ALL_OLD",     "UPDATED_OLD",
					    "ALL_NEW", "UPDATED_NEW", NULL};
	const struct fields *f = &w->job->fields;
	int returns = 0;
	enum err e = fields_word(f, "ReturnValues", words, &returns, no);

	if (e == OK && w->change.kind != CHANGE_UPDATE && returns > RETURN_ALL_OLD)
		return refuse(w->job->arena, no,
			      "ReturnValues can only be ALL_OLD or NONE");
	w->change.returns = (enum change_returns)returns;
	return e;
}

static enum err refuse_metrics(struct job *c, struct refusal *no)
{
	static const char *const words[] = {"NONE", "SIZE", NULL};
	int asked = 0;
	enum err e =
		fields_word(&c->fields, "ReturnItemCollectionMetrics", words, &asked, no);

	if (e == OK && asked == 1)
		return refuse(c->arena, no,
			      "ReturnItemCollectionMetrics is not supported by Gatepost");
	return e;
}

static void run(struct job *c, enum change_kind kind)
{
	struct write *w = arena_calloc(c->arena, 1, sizeof *w);
	struct refusal no;
	enum err e = change_read(c, &c->fields, kind, 0, &w->change, &no);

	w->job = c;
	c->state = w;
	if (e == OK)
		e = read_returns(w, &no);
	if (e == OK)
		e = refuse_metrics(c, &no);
	if (e == OK)
		e = capacity_read(&c->fields, &w->capacity, &no);
	if (e == OK)
		job_with_tables(c, NULL, on_tables);
	else
		job_refuse(c, &no);
}

void put_item(struct job *c)
{
	run(c, CHANGE_PUT);
}

void update_item(struct job *c)
{
	run(c, CHANGE_UPDATE);
}

void delete_item(struct job *c)
{
	run(c, CHANGE_DELETE);
}

static void on_tables(struct job *c)
{
	struct write *w = c->state;
	struct refusal no;

	w->begun_ms = loop_now(c->tables->loop);
	if (change_place(c, &w->change, &no) != OK)
		job_refuse(c, &no);
	else if (change_needs_item(&w->change) || w->capacity.asked != CAPACITY_NONE)
		write_in_turn(w);
	else
		write_blindly(w);
}

/* ---- without a look at the old item ---- */

static void write_blindly(struct write *w)
{
	struct job *c = w->job;
	struct change *ch = &w->change;

	if (ch->kind == CHANGE_DELETE) {
		items_delete(c->store, c->arena, &ch->place, on_blind, w);
		return;
	}
	ch->new_item = ch->given;
	change_make_blob(c, ch);
	items_put(c->store, c->arena, &ch->place, ch->write.blob, ch->write.expiry,
		  on_blind, w);
	change_drop_blob(ch);
}

static void on_blind(void *arg, enum items_outcome outcome, enum err e, size_t part,
		     const struct item *now)
{
	struct write *w = arg;

	(void)part;
	(void)now;
	if (outcome == ITEMS_WRITTEN)
		answer(w);
	else if (outcome == ITEMS_LOCKED)
		write_in_turn(w);
	else
		job_fail(w->job, outcome == ITEMS_STALE ? ERR_AGAIN : e);
}

/* ---- with it ---- */

static void write_in_turn(struct write *w)
{
	if (turns_begin(w->job->tables->turns, &w->change.place, &w->turn, read_item, w))
		read_item(w);
}

static void read_item(void *arg)
{
	struct write *w = arg;

	items_get(w->job->store, w->job->arena, &w->change.place, on_item, w);
}

static void on_item(void *arg, enum err e, const struct item *stored)
{
	struct write *w = arg;

	if (e == OK) {
		judge(w, stored);
		return;
	}
	turns_end(w->job->tables->turns, &w->turn);
	job_fail(w->job, e);
}

/* Let the next one write; it ends this one soon. */
static void leave(struct write *w)
{
	if (w->owner != NULL)
		items_unlock(w->job->store, w->job->arena, &w->change.place);
	turns_end(w->job->tables->turns, &w->turn);
}

static void refuse_condition(struct write *w)
{
	static const struct refusal no = {"ConditionalCheckFailedException",
					  "The conditional request failed"};
	const struct change *ch = &w->change;
	struct json_out o;
	struct blob *more;
	struct span item;

	if (!ch->returns_on_failure || ch->old == NULL) {
		job_refuse(w->job, &no);
		return;
	}
	o = job_json(64 + 2 * ch->old_size);
	json_out_raw(&o, ",\"Item\":");
	value_write_map(&o, ch->old);
	more = json_out_end(&o);
	item = arena_copy(w->job->arena, blob_span(more));
	blob_unref(more);
	job_refuse_with(w->job, &no, item);
}

static void write_item(struct write *w)
{
	struct job *c = w->job;

	items_write(c->store, c->arena,
		    &(struct items_write){
			    .parts = &w->change.write, .n = 1, .owner = w->owner},
		    on_written, w);
	change_drop_blob(&w->change);
}

static void judge(struct write *w, const struct item *stored)
{
	struct job *c = w->job;
	struct item own = *stored;
	struct refusal no;

	own.json = arena_copy(c->arena, stored->json);
	switch (change_apply(c, &w->change, &own, &no)) {
	case CHANGE_WRITES: write_item(w); break;
	case CHANGE_NOTHING:
		leave(w);
		answer(w);
		break;
	case CHANGE_FAILED:
		leave(w);
		refuse_condition(w);
		break;
	case CHANGE_REFUSED:
		leave(w);
		job_refuse(c, &no);
		break;
	}
}

static void give_up(struct write *w, enum err e)
{
	leave(w);
	job_fail(w->job, e);
}

static void read_again(struct job *c)
{
	read_item(c->state);
}

/* Somewhere around PAUSE_MS, so that those who wait do not come all at once. */
static int64_t pause(struct write *w)
{
	return 1 + (int64_t)(tables_store_version(w->job->store) % (2 * PAUSE_MS));
}

static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now)
{
	struct write *w = arg;
	struct tables *t = w->job->tables;
	bool is_late = loop_now(t->loop) - w->begun_ms > PATIENCE_MS;

	(void)part;
	switch (outcome) {
	case ITEMS_WRITTEN: /* and the lock is released */
		turns_end(t->turns, &w->turn);
		answer(w);
		return;
	case ITEMS_CHANGED:
		metric_add(t->retried, 1);
		if (is_late)
			give_up(w, ERR_BUSY);
		else if (++w->tries < TRIES || w->owner != NULL)
			judge(w, now);
		else
			lock(w->job);
		return;
	case ITEMS_LOCKED:
		metric_add(t->retried, 1);
		if (is_late)
			give_up(w, ERR_BUSY);
		else
			job_after(w->job, pause(w),
				  ++w->tries < TRIES ? read_again : lock);
		return;
	case ITEMS_STALE: give_up(w, ERR_AGAIN); return;
	case ITEMS_DONE:
	case ITEMS_OTHER: /* of tokens */
	case ITEMS_FAILED: give_up(w, e); return;
	}
}

static void lock(struct job *c)
{
	struct write *w = c->state;

	if (w->owner == NULL)
		w->owner = arena_printf(c->arena, "%s-%016" PRIx64, c->store->boot,
					tables_store_version(c->store));
	items_lock(c->store, c->arena, &w->change.place, w->owner, on_locked, w);
}

static void on_locked(void *arg, enum err e)
{
	struct write *w = arg;
	bool is_late = loop_now(w->job->tables->loop) - w->begun_ms > PATIENCE_MS;

	if (e == OK) {
		read_item(w);
	} else if (e == ERR_CLAIMED && !is_late) {
		job_after(w->job, pause(w), lock);
	} else {
		w->owner = NULL; /* it is another's */
		give_up(w, e == ERR_CLAIMED ? ERR_BUSY : e);
	}
}

/* ---- the answer ---- */

static void count_capacity(struct write *w)
{
	const struct change *ch = &w->change;
	size_t most = ch->old_size > ch->new_size ? ch->old_size : ch->new_size;

	w->capacity.table = capacity_of_write(most);
	for (size_t i = 0; i < ch->table->n_indexes; i++)
		if (ch->index_sizes[i] > 0)
			w->capacity.indexes[i] = capacity_of_write(ch->index_sizes[i]);
}

static void answer(struct write *w)
{
	struct job *c = w->job;
	struct value_map returned;
	struct json_out o = job_json(256);

	json_out_raw(&o, "{");
	if (change_returned(c, &w->change, &returned)) {
		json_out_key(&o, "Attributes");
		value_write_map(&o, &returned);
	}
	if (w->capacity.asked != CAPACITY_NONE) {
		count_capacity(w);
		capacity_answer(&o, w->change.table, &w->capacity);
	}
	json_out_raw(&o, "}");
	job_answer(c, &o);
}
