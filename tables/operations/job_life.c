/* The life of a job: from job_new to the answer, which nobody may get from inside tables_request. */
#include "tables/operations/operations.h"

#include <stdlib.h>

struct job *job_new(struct tables *t, struct operation *operation)
{
	struct arena *a = arena_new();
	struct job *c = arena_calloc(a, 1, sizeof *c);

	c->arena = a;
	c->tables = t;
	c->store = t->store;
	c->operation = operation;
	LIST_INSERT_HEAD(&t->jobs, c, all);
	return c;
}

void job_free(struct job *c)
{
	job_release_tables(c);
	LIST_REMOVE(c, all);
	blob_unref(c->answer);
	blob_unref(c->draft.blob);
	timer_free(c->timer);
	arena_free(c->arena); /* c is in it */
}

static void give(struct job *c)
{
	tables_fn *fn = c->fn;

	c->fn = NULL;
	if (fn != NULL)
		fn(c->arg, &(struct tables_answer){c->status, blob_span(c->answer)});
	job_free(c);
}

void job_end(struct job *c)
{
	if (!c->is_inside) {
		give(c);
		return;
	}
	TAILQ_INSERT_TAIL(&c->tables->ended, c, ended);
	timer_after(c->tables->next_turn, 0);
}

void jobs_answer(void *arg)
{
	struct tables *t = arg;
	struct job *c;

	while ((c = TAILQ_FIRST(&t->ended)) != NULL) {
		TAILQ_REMOVE(&t->ended, c, ended);
		give(c);
	}
}
