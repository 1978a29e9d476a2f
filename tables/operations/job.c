#include "tables/operations/job.h"

#include "base/mem.h"
#include "tables/operations/operations.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESTARTS_MOST = 8 };

/* ---- tables ---- */

size_t job_use(struct job *c, struct span name, struct span index)
{
	for (size_t i = 0; i < c->n_used; i++)
		if (span_eq(c->used[i].name, name) && span_eq(c->used[i].index, index))
			return i;
	if (c->n_used == c->room_used) {
		size_t room = 2 * c->room_used + 2;
		struct job_table *used = arena_alloc(c->arena, room * sizeof *used);

		if (c->n_used > 0)
			memcpy(used, c->used, c->n_used * sizeof *used);
		c->used = used;
		c->room_used = room;
	}
	c->used[c->n_used] = (struct job_table){.name = name, .index = index};
	return c->n_used++;
}

enum err job_use_named(struct job *c, const struct fields *f, struct span index,
		       size_t *place, struct refusal *no)
{
	struct span name;
	enum err e = fields_need_text(f, "TableName", &name, no);

	if (e != OK)
		return e;
	name = table_name_of(name);
	if (!table_name_is_right(name))
		return fields_outside(
			f, "TableName",
			arena_printf(c->arena, "%.*s", (int)(name.n < 300 ? name.n : 300),
				     name.p),
			name.n == 0 ? "have length greater than or equal to 1"
			: name.n < TABLE_NAME_LEAST
				? "have length greater than or equal to 3"
			: name.n > TABLE_NAME_MOST
				? "have length less than or equal to 255"
				: "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
			no);
	*place = job_use(c, name, index);
	return OK;
}

bool job_may(struct job *c, const char *action, struct span table, struct span index)
{
	struct refusal no = {"AccessDeniedException", NULL};
	const char *arn;

	if (c->restarts > 0 || c->caller.may == NULL ||
	    c->caller.may(c->caller.arg, action, table, index))
		return true;
	arn = table.n > 0 ? job_arn(c, table) : "*";
	if (index.n > 0)
		arn = arena_printf(c->arena, "%s/index/%.*s", arn, SPAN_ARG(index));
	no.message = arena_printf(
		c->arena,
		"User: %s is not authorized to perform: dynamodb:%s on resource: %s "
		"because "
		"no identity-based policy allows the dynamodb:%s action",
		c->caller.name ? c->caller.name : "anonymous", action, arn, action);
	job_refuse(c, &no);
	return false;
}

static void on_table(void *arg, enum err e, struct table *t);

static void load_missing(struct job *c)
{
	for (size_t i = 0; i < c->n_used; i++) {
		struct table *t = catalog_find(c->store, c->used[i].name);

		if (c->used[i].table == NULL && t != NULL)
			c->used[i].table = table_ref(t);
		else if (c->used[i].table == NULL)
			c->n_loading++;
	}
	if (c->n_loading == 0) {
		c->next(c);
		return;
	}
	for (size_t i = 0; i < c->n_used; i++)
		if (c->used[i].table == NULL)
			catalog_load(c->store, c->arena, c->used[i].name, on_table, c);
}

/* The answers come in the order of the questions. */
static void on_table(void *arg, enum err e, struct table *t)
{
	struct job *c = arg;
	size_t i = 0;

	while (!c->is_ended && i < c->n_used && c->used[i].table != NULL)
		i++;
	if (e == OK && !c->is_ended)
		c->used[i].table = table_ref(t);
	else if (!c->is_ended && e == ERR_NOTFOUND)
		job_refuse(c, &(struct refusal){"ResourceNotFoundException",
						"Requested resource not found"});
	else if (!c->is_ended)
		job_fail(c, e);
	if (--c->n_loading > 0)
		return;
	if (!c->is_ended)
		c->next(c);
	else
		job_end(c);
}

void job_with_tables(struct job *c, const char *action, void (*next)(struct job *c))
{
	if (action == NULL)
		action = c->operation->name;
	for (size_t i = 0; i < c->n_used; i++)
		if (!job_may(c, action, c->used[i].name, c->used[i].index))
			return;
	job_load_tables(c, next);
}

void job_load_tables(struct job *c, void (*next)(struct job *c))
{
	c->next = next;
	load_missing(c);
}

void job_release_tables(struct job *c)
{
	for (size_t i = 0; i < c->n_used; i++)
		table_unref(c->used[i].table);
	c->n_used = 0;
}

void job_restart(struct job *c)
{
	if (++c->restarts > RESTARTS_MOST) {
		job_fail(c, ERR_BUSY);
		return;
	}
	for (size_t i = 0; i < c->n_used; i++)
		catalog_forget(c->store, c->used[i].name);
	job_release_tables(c);
	c->operation->run(c);
}

static void on_due(void *arg)
{
	struct job *c = arg;

	c->due(c);
}

void job_after(struct job *c, int64_t ms, void (*due)(struct job *c))
{
	if (c->timer == NULL)
		c->timer = timer_new(c->tables->loop, on_due, c);
	c->due = due;
	timer_after(c->timer, ms);
}

/* ---- the end ---- */

struct json_out job_json(size_t room)
{
	struct json_out o;

	json_out_init(&o, room);
	return o;
}

static void end(struct job *c, int status, struct blob *answer)
{
	assert(!c->is_ended);
	c->is_ended = true;
	c->status = status;
	c->answer = answer;
	if (c->n_loading == 0)
		job_end(c);
}

void job_answer(struct job *c, struct json_out *o)
{
	metric_add(c->operation->done, 1);
	end(c, 200, json_out_end(o));
}

static struct blob *error_body(const char *type, const char *message, struct span more)
{
	struct json_out o = job_json(256 + more.n);

	json_out_raw(&o, "{\"__type\":\"");
	json_out_raw(&o, job_prefix(type));
	json_out_raw(&o, type);
	json_out_raw(&o, "\",\"message\":");
	json_out_string(&o, span_str(message));
	json_out_span(&o, more);
	json_out_raw(&o, "}");
	return json_out_end(&o);
}

void job_refuse_with(struct job *c, const struct refusal *no, struct span more)
{
	bool is_ours = strcmp(no->type, "InternalServerError") == 0;

	metric_add(is_ours ? c->operation->failed : c->operation->refused, 1);
	end(c, is_ours ? 500 : 400, error_body(no->type, no->message, more));
}

void job_refuse(struct job *c, const struct refusal *no)
{
	job_refuse_with(c, no, (struct span){0});
}

void job_fail(struct job *c, enum err e)
{
	static const struct refusal busy = {"ProvisionedThroughputExceededException",
					    "The tables are unavailable for a moment, "
					    "since Redis cannot be reached or "
					    "is busy: retry"};
	static const struct refusal damaged = {"InternalServerError",
					       "What Redis holds for this table cannot "
					       "be read: see the log of the broker"};
	static const struct refusal cluster = {
		"ValidationException",
		"Transactions are not supported here, since Redis is a node of a Redis "
		"Cluster, which has no step over several shards of tables: write the "
		"items one by one, or give Gatepost a Redis without cluster mode"};

	if (e == ERR_AGAIN)
		job_restart(c);
	else if (e == ERR_DENIED)
		job_refuse(c, &cluster);
	else
		job_refuse(c, e == ERR_MALFORMED ? &damaged : &busy);
}

void job_refuse_unknown_table(struct job *c, struct span name)
{
	job_refuse(c,
		   &(struct refusal){
			   "ResourceNotFoundException",
			   arena_printf(c->arena,
					"Requested resource not found: Table: %.*s not "
					"found",
					SPAN_ARG(name))});
}

const char *job_prefix(const char *type)
{
	static const struct {
		const char *type, *prefix;
	} others[] = {
		{"ValidationException", "com.amazon.coral.validate#"},
		{"ThrottlingException", "com.amazon.coral.availability#"},
		{"SerializationException", "com.amazon.coral.service#"},
		{"UnknownOperationException", "com.amazon.coral.service#"},
		{"MissingAuthenticationTokenException", "com.amazon.coral.service#"},
		{"IncompleteSignatureException", "com.amazon.coral.service#"},
		{"InvalidSignatureException", "com.amazon.coral.service#"},
		{"UnrecognizedClientException", "com.amazon.coral.service#"},
		{"AccessDeniedException", "com.amazon.coral.service#"},
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(type, others[i].type) == 0)
			return others[i].prefix;
	return "com.amazonaws.dynamodb.v20120810#";
}

char *tables_error(const char *type, const char *message)
{
	struct blob *body = error_body(type, message, (struct span){0});
	char *text = span_dup(blob_span(body));

	blob_unref(body);
	return text;
}

const char *job_arn(const struct job *c, struct span table)
{
	return arena_printf(c->arena, "arn:aws:dynamodb:%s:%s:table/%.*s",
			    c->tables->region, c->tables->account, SPAN_ARG(table));
}
