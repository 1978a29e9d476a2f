#include "tables/tables.h"

#include "base/mem.h"
#include "tables/operations/declare.h"
#include "tables/operations/foreign.h"
#include "tables/operations/operations.h"
#include "tables/operations/turns.h"
#include "tables/store/keeper.h"

#include <stdlib.h>

static const struct {
	const char *name;
	operation_fn *run;
} all[] = {
	{"PutItem", put_item},
	{"GetItem", get_item},
	{"UpdateItem", update_item},
	{"DeleteItem", delete_item},
	{"Query", operation_query},
	{"Scan", operation_scan},
	{"BatchWriteItem", batch_write_item},
	{"BatchGetItem", batch_get_item},
	{"TransactGetItems", transact_get_items},
	{"TransactWriteItems", transact_write_items},
	{"CreateTable", create_table},
	{"DescribeTable", describe_table},
	{"ListTables", list_tables},
	{"DeleteTable", delete_table},
	{"UpdateTable", update_table},
	{"UpdateTimeToLive", update_time_to_live},
	{"DescribeTimeToLive", describe_time_to_live},
};

enum { OPERATIONS = sizeof all / sizeof *all };

/* The first member of what tables_new makes: operations have the metrics of one tables. */
struct tables_whole {
	struct tables tables;
	struct operation operations[OPERATIONS];
};

static void on_store_up(void *arg);

/* ---- life ---- */

static struct metric *counter(struct metrics *m, const char *operation,
			      const char *outcome)
{
	char *labels = xasprintf("operation=\"%s\",outcome=\"%s\"", operation, outcome);
	struct metric *k = metric_counter(m, "gatepost_broker_tables_requests_total",
					  labels, "Requests to tables, by operation.");

	free(labels);
	return k;
}

struct tables *tables_new(struct loop *l, struct metrics *m,
			  const struct tables_conf *conf)
{
	struct tables_store *st = tables_store_new(l, &conf->store, m);
	struct tables_whole *w;
	struct tables *t;

	if (st == NULL)
		return NULL;
	w = xcalloc(1, sizeof *w);
	t = &w->tables;
	t->loop = l;
	t->metrics = m;
	t->store = st;
	t->region = xstrdup(conf->region ? conf->region : "us-east-1");
	t->account = xstrdup(conf->account ? conf->account : "000000000000");
	t->turns = turns_new();
	t->next_turn = timer_new(l, jobs_answer, t);
	LIST_INIT(&t->jobs);
	TAILQ_INIT(&t->ended);
	for (size_t i = 0; i < OPERATIONS; i++)
		w->operations[i] = (struct operation){
			.name = all[i].name,
			.run = all[i].run,
			.done = counter(m, all[i].name, "done"),
			.refused = counter(m, all[i].name, "refused"),
			.failed = counter(m, all[i].name, "failed"),
		};
	t->retried = metric_counter(
		m, "gatepost_broker_tables_conflicts_total", NULL,
		"Writes to tables that were done again since their item had changed.");
	t->keeper = keeper_new(
		st,
		metric_counter(m, "gatepost_broker_tables_expired_total", NULL,
			       "Items of tables that their TTL attribute has removed."));
	redis_on_up(st->redis, on_store_up, t);
	return t;
}

void tables_free(struct tables *t)
{
	struct job *c;

	if (t == NULL)
		return;
	while ((c = LIST_FIRST(&t->jobs)) != NULL)
		job_free(c);
	turns_free(t->turns);
	timer_free(t->next_turn);
	keeper_free(t->keeper);
	tables_store_free(t->store);
	free(t->region);
	free(t->account);
	free(t);
}

static void on_store_up(void *arg)
{
	struct tables *t = arg;

	catalog_forget_all(t->store); /* Redis may have lost its memory */
	if (t->on_up != NULL)
		t->on_up(t->on_up_arg);
}

void tables_set_foreign(struct tables *t, const struct tables_foreign *f)
{
	t->foreign = *f;
}

void tables_on_up(struct tables *t, loop_fn *fn, void *arg)
{
	t->on_up = fn;
	t->on_up_arg = arg;
}

/* ---- requests ---- */

static struct operation *find_operation(struct tables *t, struct span name)
{
	struct tables_whole *w = (struct tables_whole *)t;

	for (size_t i = 0; i < OPERATIONS; i++)
		if (span_is(name, w->operations[i].name))
			return &w->operations[i];
	return NULL;
}

bool tables_has_operation(struct span name)
{
	for (size_t i = 0; i < OPERATIONS; i++)
		if (span_is(name, all[i].name))
			return true;
	return false;
}

/* What the body is, as far as all operations have it in common. */
static enum err read_body(struct job *c, struct span body, struct refusal *no)
{
	static const struct json_path whole = {NULL, 0};
	enum err e = body.n > 0 ? json_find(arena_copy(c->arena, body), &whole, &c->body)
				: ERR_MALFORMED;

	if (e == OK)
		return fields_read(c->arena, &c->body, &c->fields, no);
	*no = (struct refusal){"SerializationException",
			       e == ERR_TOOBIG ? "The JSON is nested too deeply"
					       : "The body is not JSON"};
	return ERR_MALFORMED;
}

static void run(struct job *c, struct span body)
{
	struct refusal no = {"UnknownOperationException", ""};

	c->is_inside = true;
	if (read_body(c, body, &no) != OK || c->operation->run == NULL)
		job_refuse(c, &no);
	else if (foreign_is_for(c, &c->tables->foreign))
		foreign_run(c, &c->tables->foreign);
	else
		c->operation->run(c);
	c->is_inside = false;
}

struct tables_request *tables_request(struct tables *t, const struct tables_call *call,
				      tables_fn *fn, void *arg)
{
	static struct operation unknown = {.name = "unknown"};
	struct operation *operation = find_operation(t, call->operation);
	struct job *c = job_new(t, operation ? operation : &unknown);

	c->caller = call->caller;
	c->fn = fn;
	c->arg = arg;
	run(c, call->body);
	return (struct tables_request *)c;
}

/* ---- declared tables ---- */

struct declaration {
	tables_declared_fn *fn;
	void *arg;
};

/* Why it was refused; freed with free(3). */
static char *message_of(struct span answer)
{
	static const struct json_step step = {.key = {(const uint8_t *)"message", 7}};
	static const struct json_path path = {&step, 1};
	struct json_value v;

	if (json_find(answer, &path, &v) != OK || v.kind != JSON_IS_STRING)
		return span_dup(answer);
	return span_dup(v.raw);
}

static void on_declared(void *arg, const struct tables_answer *answer)
{
	const struct declaration *d = arg;
	static const char busy[] = "ProvisionedThroughputExceeded";
	bool again = answer->status >= 500 ||
		     memmem(answer->body.p, answer->body.n, busy, strlen(busy)) != NULL;
	char *message = answer->status == 200 ? xstrdup("") : message_of(answer->body);

	d->fn(d->arg,
	      answer->status == 200 ? OK
	      : again               ? ERR_BUSY
				    : ERR_DENIED,
	      message);
	free(message);
}

void tables_declare(struct tables *t, struct span definition, tables_declared_fn *fn,
		    void *arg)
{
	static struct operation declare = {.name = "declare", .run = declare_table};
	struct job *c = job_new(t, &declare);
	struct declaration *d = arena_alloc(c->arena, sizeof *d);

	*d = (struct declaration){fn, arg};
	c->fn = on_declared;
	c->arg = d;
	run(c, definition);
}

void tables_cancel(struct tables_request *r)
{
	struct job *c = (struct job *)r;

	c->fn = NULL;
}
