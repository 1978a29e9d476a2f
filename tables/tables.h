#ifndef TABLES_TABLES_H
#define TABLES_TABLES_H

/*
 * Tables: DynamoDB's operations on items that are kept in Redis.
 *
 *   tables_request → the operation's file → tables/store → an answer
 *
 * Nothing here knows of HTTP: an answer is a status and a JSON text.
 */

#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/span.h"
#include "tables/store/store.h"

struct tables;

struct tables_conf {
	struct tables_store_conf store;
	const char *region, *account; /* for ARNs; NULL: us-east-1, 000000000000 */
};

/* m: may be NULL. NULL after an error line when the URL of Redis is wrong. */
struct tables *tables_new(struct loop *l, struct metrics *m,
			  const struct tables_conf *conf);

/* No fn is called any more. Not from inside one. NULL is fine. */
void tables_free(struct tables *t);

/* Who asks. */
struct tables_caller {
	/*
	 * May it? Asked from inside tables_request alone. NULL: everything.
	 *
	 * action   "PutItem"
	 * table    a name; empty when the operation has none (ListTables)
	 * index    empty unless an index is read
	 */
	bool (*may)(void *arg, const char *action, struct span table, struct span index);
	void *arg;
	const char *name; /* for the error: who may not; NULL: not known */
};

struct tables_call {
	struct span operation; /* "PutItem" */
	struct span body;      /* JSON; copied */
	struct tables_caller caller;
};

struct tables_answer {
	int status;       /* 200, 400 or 500 */
	struct span body; /* JSON, borrowed until the call returns */
};

typedef void tables_fn(void *arg, const struct tables_answer *answer);

struct tables_request;

/* fn is called once, never from inside this call, unless it is cancelled. */
struct tables_request *tables_request(struct tables *t, const struct tables_call *call,
				      tables_fn *fn, void *arg);

/* fn is not called. What was begun is finished all the same. */
void tables_cancel(struct tables_request *r);

/* Is there an operation of this name? */
bool tables_has_operation(struct span name);

/* What an error is, as an answer has it: {"__type":"prefix#type","message":…}. free(3) frees it. */
char *tables_error(const char *type, const char *message);

/*
 * Make a table that a configuration file declares, unless it is there.
 *
 * definition  JSON with the members of CreateTable, and TimeToLiveSpecification
 * fn          OK: it is there; an index that it lacked is being added, its TTL is as declared.
 *             ERR_DENIED: it is there with another key schema, or the definition is wrong: message says what.
 *             ERR_DOWN, ERR_BUSY: ask again later
 */
typedef void tables_declared_fn(void *arg, enum err e, const char *message);
void tables_declare(struct tables *t, struct span definition, tables_declared_fn *fn,
		    void *arg);

/* Call fn(arg) each time Redis can be reached (again): declare tables then. One fn. */
void tables_on_up(struct tables *t, loop_fn *fn, void *arg);

#endif
