#ifndef TABLES_JOB_H
#define TABLES_JOB_H

/*
 * One request, from its body to its answer. All that is made for it lies in its arena.
 *
 *   RUN --tables are known--> next --an answer, or a refusal--> ANSWERED
 *    ^--- a table has changed since it was looked up: job_restart ---/
 *
 * What a client has asked for goes on when the client is gone: then nobody gets the answer.
 */

#include "base/arena.h"
#include "base/blob.h"
#include "json/write.h"
#include "tables/store/catalog.h"
#include "tables/store/fields.h"
#include "tables/store/items.h"
#include "tables/foreign.h"
#include "tables/tables.h"

#include <sys/queue.h>

struct job;
struct turns;

/* An operation: reads call->fields, and ends with job_answer or job_refuse, now or later. */
typedef void operation_fn(struct job *c);

struct operation {
	const char *name;
	operation_fn *run;
	struct metric *done, *refused, *failed;
};

/* A table that a call works on. */
struct job_table {
	struct span name, index; /* index: that is read; empty: none */
	struct table *table;     /* NULL as long as it is not known */
};

struct job {
	LIST_ENTRY(job) all;
	TAILQ_ENTRY(job) ended; /* waits for the next turn, to be answered */
	struct tables *tables;
	struct tables_store *store;
	struct arena *arena;
	struct operation *operation;
	struct tables_caller caller;
	struct json_value body;
	struct fields fields;
	struct job_table *used; /* in the order of job_use */
	size_t n_used, room_used, n_loading;
	unsigned restarts;
	void (*next)(struct job *c); /* when all tables are known */
	void *state;                 /* the operation's */
	struct json_out
		draft; /* an answer that is being written over several turns; blob NULL: none */
	bool is_inside; /* run is on the stack, called by tables_request */
	bool is_ended;
	struct timer *timer; /* of job_after; NULL: none yet */
	void (*due)(struct job *c);
	tables_fn *fn; /* NULL: nobody waits */
	void *arg;
	int status;
	struct blob *answer;
};

struct tables {
	struct loop *loop;
	struct metrics *metrics;
	struct tables_store *store;
	struct keeper *keeper;
	char *region, *account;
	struct turns *turns;
	LIST_HEAD(, job) jobs;
	TAILQ_HEAD(, job) ended;
	struct timer *next_turn;
	struct metric *retried;
	struct tables_foreign foreign; /* name NULL: none */
	loop_fn *on_up;
	void *on_up_arg;
};

/* For tables.c. A job belongs to t; nobody waits for it yet. */
struct job *job_new(struct tables *t, struct operation *operation);
void job_free(struct job *c);   /* its answer is not given */
void jobs_answer(void *tables); /* the answers that have waited for this turn */

/*
 * This call works on a table, whose name is checked.
 *
 * returns  its place in c->used: the same for the same name and index
 */
size_t job_use(struct job *c, struct span name, struct span index);

/* The member TableName → job_use. index: as of job_use. Refuses by itself, and returns ERR_MALFORMED. */
must_use enum err job_use_named(struct job *c, const struct fields *f, struct span index,
				size_t *place, struct refusal *no);

/*
 * Call next when all tables of c->used are known; refuses when the caller may not use one, or one is
 * not there.
 *
 * action   asked of the caller for each of them; NULL: the operation's name
 */
void job_with_tables(struct job *c, const char *action, void (*next)(struct job *c));

/* The same without the question whether the caller may. */
void job_load_tables(struct job *c, void (*next)(struct job *c));

/* The question alone. False: it is refused. */
bool job_may(struct job *c, const char *action, struct span table, struct span index);

/* A table has changed: look up all of them, and run the operation once more. Nothing was written. */
void job_restart(struct job *c);

/* Call due in so many ms. One at a time. */
void job_after(struct job *c, int64_t ms, void (*due)(struct job *c));

/* ---- the end: c is no more, unless the operation was still inside tables_request ---- */

/* Takes what was written to o. */
void job_answer(struct job *c, struct json_out *o);

void job_refuse(struct job *c, const struct refusal *no);

/* more: further members, from ',' on: ",\"Item\":{…}"; copied */
void job_refuse_with(struct job *c, const struct refusal *no, struct span more);

/* What a code of the store comes to: a restart, an exception that SDKs retry, or InternalServerError. */
void job_fail(struct job *c, enum err e);

/* Requested resource not found: Table: NAME not found */
void job_refuse_unknown_table(struct job *c, struct span name);

/* Begin an answer. */
struct json_out job_json(size_t room);

/* "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME" */
const char *job_arn(const struct job *c, struct span table);

#endif
