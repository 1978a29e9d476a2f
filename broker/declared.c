/*
 * One table after the other:
 *
 *   begin         the first one, when Redis can be reached, and after a reload
 *   declare_next  asks tables
 *   on_declared   it is there: the next one; Redis is not there: again in a moment
 */
#include "broker/declared.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { AGAIN_MS = 500 };

struct declared {
	struct tables *tables;
	const struct project *project;
	struct timer *again;
	struct routes *routes; /* whose tables are being declared; NULL: none */
	size_t at;             /* index of the table that is asked for */
	bool is_asking;
	bool is_stale;   /* begin anew after the answer */
	bool is_refused; /* one of this configuration's */
	bool is_complete;
};

static void begin(void *arg);
static void declare_next(struct declared *d);
static void on_declared(void *arg, enum err e, const char *message);

struct declared *declared_new(struct loop *l, struct tables *t, const struct project *p)
{
	struct declared *d = xcalloc(1, sizeof *d);

	d->tables = t;
	d->project = p;
	d->again = timer_new(l, begin, d);
	tables_on_up(t, begin, d);
	return d;
}

void declared_free(struct declared *d)
{
	if (d == NULL)
		return;
	timer_free(d->again);
	routes_unref(d->routes);
	free(d);
}

void declared_reload(struct declared *d)
{
	if (d != NULL)
		begin(d);
}

const char *declared_missing(const struct declared *d)
{
	if (d->is_complete || routes_config(project_routes(d->project))->n_tables == 0)
		return NULL;
	return d->is_refused ? "a table is there with other keys than declared"
			     : "tables are being made";
}

static void begin(void *arg)
{
	struct declared *d = arg;

	if (d->is_asking) {
		d->is_stale = true;
		return;
	}
	timer_stop(d->again);
	routes_unref(d->routes);
	d->routes = routes_ref(project_routes(d->project));
	d->at = 0;
	d->is_refused = false;
	declare_next(d);
}

static void declare_next(struct declared *d)
{
	const struct config *c = routes_config(d->routes);

	if (d->at == c->n_tables) {
		d->is_complete = d->is_complete || !d->is_refused;
		return;
	}
	d->is_asking = true;
	tables_declare(d->tables, span_str(c->tables[d->at].definition), on_declared, d);
}

static void refuse(const struct declared *d, const char *why)
{
	const struct config *c = routes_config(d->routes);

	log_error("table.refused", S("table", c->tables[d->at].name),
		  S("file", c->file ? c->file : ""), I("line", c->tables[d->at].line),
		  S("why", why),
		  S("hint", "give the table another name, or export it, delete it, and "
			    "import its items: docs/tables.md"));
}

static void on_declared(void *arg, enum err e, const char *message)
{
	struct declared *d = arg;

	d->is_asking = false;
	if (d->is_stale) {
		d->is_stale = false;
		timer_after(d->again, 0);
		return;
	}
	if (e != OK && e != ERR_DENIED) {
		timer_after(d->again, AGAIN_MS);
		return;
	}
	if (e == ERR_DENIED) {
		d->is_refused = true;
		refuse(d, message);
	}
	d->at++;
	declare_next(d);
}
