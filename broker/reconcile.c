/*
 * One edge's rows, some at a time:
 *
 *   reconcile_begin → on_rows (from the store) → on_known (from the edge) → on_swept → on_rows …
 */
#include "broker/reconcile.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "store/connections.h"

#include <stdlib.h>
#include <sys/queue.h>

struct run {
	LIST_ENTRY(run) others;
	struct reconcile *reconcile;
	uint16_t edge;
	uint64_t next; /* of the scan; 0: these rows were the last */
	uint8_t *ids;  /* ID_BYTES for each row that waits for the edge's word */
	size_t n;
	size_t removed;
};

struct reconcile {
	struct broker *broker;
	reconcile_fn *fn;
	void *arg;
	LIST_HEAD(, run) running;
	struct metric *removed;
};

static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next);
static void on_known(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_swept(void *arg, enum err e);
static void go_on(struct run *a);
static void end(struct run *a, enum err e);

struct reconcile *reconcile_new(struct broker *b, reconcile_fn *fn, void *arg)
{
	struct reconcile *as = xcalloc(1, sizeof *as);

	as->broker = b;
	as->fn = fn;
	as->arg = arg;
	LIST_INIT(&as->running);
	as->removed = metric_counter(b->metrics, "gatepost_broker_rows_swept_total", NULL,
				     "Rows that their edge did not know");
	return as;
}

static void forget(struct run *a)
{
	LIST_REMOVE(a, others);
	free(a->ids);
	free(a);
}

void reconcile_free(struct reconcile *as)
{
	if (as == NULL)
		return;
	while (!LIST_EMPTY(&as->running))
		forget(LIST_FIRST(&as->running));
	free(as);
}

void reconcile_begin(struct reconcile *as, uint16_t edge)
{
	struct run *a;

	LIST_FOREACH(a, &as->running, others)
	if (a->edge == edge)
		return;
	a = xcalloc(1, sizeof *a);
	a->reconcile = as;
	a->edge = edge;
	LIST_INSERT_HEAD(&as->running, a, others);
	store_connection_scan(as->broker->store, edge, 0, on_rows, a);
}

static void end(struct run *a, enum err e)
{
	struct reconcile *as = a->reconcile;
	uint16_t edge = a->edge;

	if (a->removed > 0)
		log_info("rows.swept", I("edge", edge), I("rows", a->removed),
			 S("why", "their edge does not know them"));
	forget(a);
	as->fn(as->arg, edge, e);
}

/* A row under what is no id of ours is nobody's: it stays, and the log has told. */
static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next)
{
	struct run *a = arg;
	struct id id;

	if (e != OK) {
		end(a, e);
		return;
	}
	a->next = next;
	a->n = 0;
	a->ids = xrealloc(a->ids, (n + 1) * ID_BYTES);
	for (size_t i = 0; i < n; i++)
		if (id_parse(rows[i].id, &id) == OK)
			memcpy(a->ids + ID_BYTES * a->n++, id.b, ID_BYTES);
	if (a->n == 0)
		go_on(a);
	else if (!command_know(a->reconcile->broker->commands, a->edge,
			       span_of(a->ids, a->n * ID_BYTES), on_known, a))
		end(a, ERR_DOWN); /* its link has ended */
}

static void go_on(struct run *a)
{
	if (a->next == 0)
		end(a, OK);
	else
		store_connection_scan(a->reconcile->broker->store, a->edge, a->next,
				      on_rows, a);
}

static void on_known(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct run *a = arg;
	char(*texts)[ID_TEXT];
	struct span *gone;
	size_t n = 0;

	if (e != OK || o->results.len != a->n) {
		end(a, e == OK ? ERR_MALFORMED : e);
		return;
	}
	texts = xcalloc(a->n, sizeof *texts);
	gone = xcalloc(a->n, sizeof *gone);
	for (size_t i = 0; i < a->n; i++) {
		struct id id;

		if (o->results.data[i] != GATEPOST__OUTCOME__RESULT__GONE)
			continue;
		memcpy(id.b, a->ids + i * ID_BYTES, ID_BYTES);
		gone[n] = span_str(id_text(&id, texts[n]));
		n++;
	}
	a->removed += n;
	metric_add(a->reconcile->removed, (int64_t)n);
	if (n > 0)
		store_connection_sweep(a->reconcile->broker->store, a->edge, gone, n,
				       on_swept, a);
	else
		go_on(a);
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
