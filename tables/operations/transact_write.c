/*
 * TransactWriteItems: up to 100 writes, all or none, by one script.
 *
 *   read → tables → places
 *   begin_reading     all items, and then whether the token has been used: were it asked first, another
 *                     call with this token could write in between, and its write would look like a conflict
 *   judge             each part against its item: those that fail cancel it
 *   items_write       if all are as they were, else begin_reading again
 */
#include "tables/operations/capacity.h"
#include "tables/operations/change.h"
#include "tables/operations/operations.h"
#include "tables/operations/transact.h"
#include "json/walk.h"

#include <inttypes.h>
#include <xxhash.h>

enum { PATIENCE_MS = 8000, PAUSE_MS = 8, TOKEN_MOST = 36 };

struct transaction {
	struct job *job;
	struct change parts[TRANSACT_MOST];
	struct item_place places[TRANSACT_MOST];
	struct item stored[TRANSACT_MOST];
	size_t n;
	enum capacity_asked asked;
	const char *token; /* NULL: none */
	struct span request;
	int64_t begun_ms;
	unsigned waits;
	enum err e;
	bool is_done, is_other; /* what the token says */
};

static void on_tables(struct job *c);
static void begin_reading(struct job *c);
static void on_items(void *arg, enum err e, const struct item *items, size_t n);
static void on_token(void *arg, enum err e, struct span known);
static void judge(struct transaction *t);
static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now);
static void answer(struct transaction *t);

/* ---- reading ---- */

static enum err read_part(struct transaction *t, const struct json_value *v,
			  struct refusal *no)
{
	static const struct {
		const char *name;
		enum change_kind kind;
	} kinds[] = {{"Put", CHANGE_PUT},
		     {"Update", CHANGE_UPDATE},
		     {"Delete", CHANGE_DELETE},
		     {"ConditionCheck", CHANGE_CHECK}};
	struct job *c = t->job;
	struct change *ch = &t->parts[t->n++];
	const struct json_value *found = NULL, *one;
	struct fields *f = arena_alloc(c->arena, sizeof *f);
	enum change_kind kind = CHANGE_PUT;
	enum err e = fields_read(c->arena, v, f, no);

	for (size_t i = 0; e == OK && i < sizeof kinds / sizeof *kinds; i++) {
		e = fields_object(f, kinds[i].name, &one, no);
		if (e != OK || one == NULL)
			continue;
		if (found != NULL)
			return refuse(c->arena, no,
				      "TransactItems can only contain one of Check, Put, "
				      "Update or Delete");
		found = one;
		kind = kinds[i].kind;
	}
	if (e == OK && found == NULL)
		return refuse(
			c->arena, no,
			"Invalid Request: TransactWriteRequest should contain Delete "
			"or Put or Update request");
	if (e == OK)
		e = fields_read(c->arena, found, f, no);
	if (e == OK)
		e = change_read(c, f, kind, ASKED_NEW_ONLY, ch, no);
	if (e == OK && kind == CHANGE_CHECK && ch->asked.condition == NULL)
		return fields_missing(f, "ConditionExpression", no);
	if (e == OK && kind == CHANGE_UPDATE && ch->asked.update == NULL)
		return fields_missing(f, "UpdateExpression", no);
	return e;
}

static enum err read_token(struct transaction *t, struct refusal *no)
{
	struct job *c = t->job;
	struct span token;
	XXH128_hash_t hash;
	enum err e = fields_text(&c->fields, "ClientRequestToken", &token, no);
	const struct json_value *list = fields_find(&c->fields, "TransactItems");

	if (e != OK || token.p == NULL)
		return e;
	if (token.n < 1 || token.n > TOKEN_MOST)
		return fields_outside(&c->fields, "ClientRequestToken", "",
				      "have length from 1 to 36", no);
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			return fields_outside(&c->fields, "ClientRequestToken", "",
					      "have printable characters of ASCII", no);
	hash = XXH3_128bits(list->raw.p, list->raw.n);
	t->token = arena_printf(c->arena, "%.*s", SPAN_ARG(token));
	t->request = span_str(arena_printf(c->arena, "%016" PRIx64 "%016" PRIx64,
					   (uint64_t)hash.high64, (uint64_t)hash.low64));
	return OK;
}

static enum err read_parts(struct transaction *t, const struct json_value *list,
			   struct refusal *no)
{
	struct json_walk w = json_walk(list);
	struct json_value one;
	struct span none;
	enum err e = OK;
	size_t bytes = 0;

	while (e == OK && json_walk_next(&w, &none, &one)) {
		e = read_part(t, &one, no);
		if (e == OK)
			bytes += item_size(&t->parts[t->n - 1].given);
		if (e == OK && bytes > TRANSACT_BYTES)
			return refuse(
				t->job->arena, no,
				"Transaction requests cannot exceed 4 MB: the items of "
				"this one do");
	}
	return e;
}

static enum err read_all(struct transaction *t, struct refusal *no)
{
	static const char *const words[] = {"NONE", "SIZE", NULL};
	struct job *c = t->job;
	const struct json_value *list;
	struct capacity capacity;
	int metrics = 0;
	enum err e = capacity_read(&c->fields, &capacity, no);

	t->asked = capacity.asked;
	if (e == OK)
		e = fields_word(&c->fields, "ReturnItemCollectionMetrics", words,
				&metrics, no);
	if (e == OK && metrics == 1)
		return refuse(c->arena, no,
			      "ReturnItemCollectionMetrics is not supported by Gatepost");
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
	if (e == OK)
		e = read_token(t, no);
	return e == OK ? read_parts(t, list, no) : e;
}

/* Each part needs the permission of its own operation. False: it is refused. */
static bool may_all(struct transaction *t)
{
	static const char *const actions[] = {"PutItem", "UpdateItem", "DeleteItem",
					      "ConditionCheckItem"};
	struct job *c = t->job;

	for (size_t i = 0; i < t->n; i++)
		if (!job_may(c, actions[t->parts[i].kind], c->used[t->parts[i].use].name,
			     (struct span){0}))
			return false;
	return true;
}

void transact_write_items(struct job *c)
{
	struct transaction *t = arena_calloc(c->arena, 1, sizeof *t);
	struct refusal no;

	t->job = c;
	c->state = t;
	t->begun_ms = loop_now(c->tables->loop);
	if (read_all(t, &no) != OK)
		job_refuse(c, &no);
	else if (may_all(t))
		job_load_tables(c, on_tables);
}

/* ---- places ---- */

/*
 * Keys with empty values are refused as a whole, those of a wrong type cancel. True: it goes on.
 */
static bool place_all(struct transaction *t)
{
	struct job *c = t->job;
	struct transact_reason *reasons = arena_calloc(c->arena, t->n, sizeof *reasons);
	bool is_right = true;

	for (size_t i = 0; i < t->n; i++) {
		struct refusal no;

		if (change_place(c, &t->parts[i], &no) == OK) {
			t->places[i] = t->parts[i].place;
			continue;
		}
		if (strstr(no.message, "cannot contain an empty") != NULL) {
			job_refuse(c, &no);
			return false;
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

	if (!place_all(t))
		return;
	if (transact_check_twice(c, t->places, t->n))
		begin_reading(c);
}

/* ---- reading and judging ---- */

static void begin_reading(struct job *c)
{
	struct transaction *t = c->state;

	t->e = OK;
	t->waits = 1 + (t->token != NULL);
	items_read(c->store, c->arena, t->places, t->n, on_items, t);
	if (t->token != NULL)
		items_token(c->store, c->arena, t->token, on_token, t);
}

static void on_all_read(struct transaction *t)
{
	if (--t->waits > 0)
		return;
	if (t->e != OK)
		job_fail(t->job, t->e);
	else if (t->is_other)
		job_refuse(t->job, &(struct refusal){
					   "IdempotentParameterMismatchException",
					   "The request uses the same client token as a "
					   "previous, but non-identical request"});
	else if (t->is_done)
		answer(t);
	else
		judge(t);
}

static void on_items(void *arg, enum err e, const struct item *items, size_t n)
{
	struct transaction *t = arg;

	for (size_t i = 0; e == OK && i < n; i++) {
		t->stored[i] = items[i];
		t->stored[i].json = arena_copy(t->job->arena, items[i].json);
	}
	if (e != OK)
		t->e = e;
	on_all_read(t);
}

static void on_token(void *arg, enum err e, struct span known)
{
	struct transaction *t = arg;

	if (e != OK)
		t->e = e;
	t->is_done = known.n > 0 && span_eq(known, t->request);
	t->is_other = known.n > 0 && !t->is_done;
	on_all_read(t);
}

static void drop_blobs(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++)
		change_drop_blob(&t->parts[i]);
}

static struct transact_reason judge_part(struct transaction *t, size_t i)
{
	struct change *ch = &t->parts[i];
	struct refusal no;

	switch (change_apply(t->job, ch, &t->stored[i], &no)) {
	case CHANGE_FAILED:
		return (struct transact_reason){"ConditionalCheckFailed",
						"The conditional request failed",
						ch->returns_on_failure ? ch->old : NULL};
	case CHANGE_REFUSED:
		return (struct transact_reason){"ValidationError", no.message, NULL};
	case CHANGE_NOTHING: /* it must stay so until all is written */
		ch->write = (struct item_write){
			.place = ch->place, .kind = ITEM_CHECK, .old = t->stored[i]};
		break;
	case CHANGE_WRITES: break;
	}
	return (struct transact_reason){NULL, NULL, NULL};
}

static void judge(struct transaction *t)
{
	struct job *c = t->job;
	struct item_write *writes = arena_alloc(c->arena, t->n * sizeof *writes);
	struct transact_reason *reasons = arena_alloc(c->arena, t->n * sizeof *reasons);
	bool is_cancelled = false;

	for (size_t i = 0; i < t->n; i++) {
		reasons[i] = judge_part(t, i);
		is_cancelled = is_cancelled || reasons[i].code != NULL;
		writes[i] = t->parts[i].write;
	}
	if (!is_cancelled)
		items_write(c->store, c->arena,
			    &(struct items_write){.parts = writes,
						  .n = t->n,
						  .token = t->token,
						  .request = t->request},
			    on_written, t);
	drop_blobs(t);
	if (is_cancelled)
		transact_cancel(c, reasons, t->n);
}

/* ---- writing ---- */

static void conflict(struct transaction *t, size_t part)
{
	struct job *c = t->job;
	struct transact_reason *reasons = arena_calloc(c->arena, t->n, sizeof *reasons);

	reasons[part] = (struct transact_reason){
		"TransactionConflict", "Transaction is ongoing for the item", NULL};
	transact_cancel(c, reasons, t->n);
}

static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now)
{
	struct transaction *t = arg;
	struct job *c = t->job;
	bool is_late = loop_now(c->tables->loop) - t->begun_ms > PATIENCE_MS;

	(void)now;
	switch (outcome) {
	case ITEMS_WRITTEN:
	case ITEMS_DONE: answer(t); return;
	case ITEMS_OTHER:
		t->is_other = true;
		t->waits = 1;
		on_all_read(t);
		return;
	case ITEMS_CHANGED:
	case ITEMS_LOCKED:
		metric_add(c->tables->retried, 1);
		if (is_late)
			conflict(t, part);
		else
			job_after(c, (int64_t)(tables_store_version(c->store) % PAUSE_MS),
				  begin_reading);
		return;
	case ITEMS_STALE: job_restart(c); return;
	case ITEMS_FAILED: job_fail(c, e); return;
	}
}

/* ---- the answer ---- */

static void answer(struct transaction *t)
{
	struct job *c = t->job;
	struct json_out o = job_json(128);

	json_out_raw(&o, "{");
	if (t->asked != CAPACITY_NONE) {
		json_out_key(&o, "ConsumedCapacity");
		json_out_raw(&o, "[");
		for (size_t use = 0; use < c->n_used; use++) {
			struct capacity all = {.asked = t->asked};

			for (size_t i = 0; i < t->n; i++) {
				const struct change *ch = &t->parts[i];
				size_t most = ch->old_size > ch->new_size ? ch->old_size
									  : ch->new_size;

				if (ch->use == use)
					all.table += 2 * capacity_of_write(most);
			}
			if (use > 0)
				json_out_raw(&o, ",");
			capacity_write(&o, c->used[use].table, &all);
		}
		json_out_raw(&o, "]");
	}
	json_out_raw(&o, "}");
	job_answer(c, &o);
}
