/*
 * One edge's rows, some at a time:
 *
 *   reconcile_begin → on_rows (from the store) → on_known (from the edge) → on_swept → on_rows …
 */
#include "broker/cluster/reconcile.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/connections.h"

#include <stdlib.h>
#include <sys/queue.h>

struct run {
	LIST_ENTRY(run) others;
	struct reconcile *reconcile;
	uint16_t edge;
	uint64_t next; /* of the scan; 0: these rows were the last */
	uint8_t *ids;  /* ID_BYTES for each row that waits for the edge's answer */
	size_t n;
	struct command *asking; /* the edge; NULL: the store is asked */
	size_t removed;
};

struct reconcile {
	struct store *store;
	struct commands *commands;
	reconcile_fn *fn;
	void *arg;
	LIST_HEAD(, run) running;
	struct metric *removed;
};

static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next);
static void on_known(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_swept(void *arg, enum err e);
static void go_on(struct run *run);
static void end(struct run *run, enum err e);

struct reconcile *reconcile_new(struct store *st, struct commands *c, struct metrics *m,
				reconcile_fn *fn, void *arg)
{
	struct reconcile *r = xcalloc(1, sizeof *r);

	r->store = st;
	r->commands = c;
	r->fn = fn;
	r->arg = arg;
	LIST_INIT(&r->running);
	r->removed =
		metric_counter(m, "gatepost_broker_rows_swept_total", NULL,
			       "Rows removed since their edge had no such connection");
	return r;
}

static void run_free(struct run *run)
{
	if (run->asking != NULL)
		command_cancel(run->asking);
	LIST_REMOVE(run, others);
	free(run->ids);
	free(run);
}

void reconcile_free(struct reconcile *r)
{
	if (r == NULL)
		return;
	while (!LIST_EMPTY(&r->running))
		run_free(LIST_FIRST(&r->running));
	free(r);
}

void reconcile_begin(struct reconcile *r, uint16_t edge)
{
	struct run *run;

	LIST_FOREACH (run, &r->running, others)
		if (run->edge == edge)
			return;
	run = xcalloc(1, sizeof *run);
	run->reconcile = r;
	run->edge = edge;
	LIST_INSERT_HEAD(&r->running, run, others);
	store_connection_scan(r->store, edge, 0, on_rows, run);
}

static void end(struct run *run, enum err e)
{
	struct reconcile *r = run->reconcile;
	uint16_t edge = run->edge;

	if (run->removed > 0)
		log_info("rows.removed", I("edge", edge), I("rows", run->removed),
			 S("why", "their edge has no such connections"));
	run_free(run);
	r->fn(r->arg, edge, e);
}

/* Skip rows with a foreign id; already logged. */
static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next)
{
	struct run *run = arg;
	struct id id;

	if (e != OK) {
		end(run, e);
		return;
	}
	run->next = next;
	run->n = 0;
	run->ids = xrealloc(run->ids, (n + 1) * ID_BYTES);
	for (size_t i = 0; i < n; i++)
		if (id_parse(rows[i].id, &id) == OK)
			memcpy(run->ids + ID_BYTES * run->n++, id.b, ID_BYTES);
	if (run->n == 0) {
		go_on(run);
		return;
	}
	run->asking = command_query(run->reconcile->commands, run->edge,
				    span_of(run->ids, run->n * ID_BYTES),
				    (struct span){0}, on_known, run);
	if (run->asking == NULL)
		end(run, ERR_DOWN); /* its link has ended */
}

static void go_on(struct run *run)
{
	if (run->next == 0)
		end(run, OK);
	else
		store_connection_scan(run->reconcile->store, run->edge, run->next,
				      on_rows, run);
}

static void on_known(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct run *run = arg;
	char(*texts)[ID_TEXT];
	struct span *gone;
	size_t n = 0;

	run->asking = NULL;
	if (e != OK || o->results.len != run->n) {
		end(run, e == OK ? ERR_MALFORMED : e);
		return;
	}
	texts = xcalloc(run->n, sizeof *texts);
	gone = xcalloc(run->n, sizeof *gone);
	for (size_t i = 0; i < run->n; i++) {
		struct id id;

		if (o->results.data[i] != GATEPOST__OUTCOME__RESULT__GONE)
			continue;
		memcpy(id.b, run->ids + i * ID_BYTES, ID_BYTES);
		gone[n] = span_str(id_text(&id, texts[n]));
		n++;
	}
	run->removed += n;
	metric_add(run->reconcile->removed, (int64_t)n);
	if (n > 0)
		store_connection_sweep(run->reconcile->store, run->edge, gone, n,
				       on_swept, run);
	else
		go_on(run);
	free(gone);
	free(texts);
}

static void on_swept(void *arg, enum err e)
{
	if (e == OK)
		go_on(arg);
	else
		end(arg, e);
}
