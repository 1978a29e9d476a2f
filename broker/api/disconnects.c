/*
 * Dead letters: disconnects whose function failed too often.
 *
 *   disconnects_get       a page of them: on_page
 *   disconnects_retry     give one to the function again: on_retried
 *   disconnects_delete    forget one: on_dropped
 *   disconnects_retry_all, _delete_all   a page is read (on_all), and each of it is retried
 *                         or dropped (on_each)
 *
 * A page is what the store returns at once, some hundreds; a dead letter that exists from the first
 * page to the last is in at least one of them.
 */
#include "broker/api/disconnects.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/answer.h"
#include "http/query.h"
#include "json/read.h"
#include "store/disconnects.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/queue.h>

typedef void dead_letter_fn(struct store *st, struct span id, store_done_fn *fn,
			    void *arg);

/* One request that waits for the store. */
struct waiter {
	LIST_ENTRY(waiter) all;
	struct store *store;
	struct http_request
		*request;     /* NULL once it is answered, or its client has hung up */
	dead_letter_fn *each; /* all=true: what is done with each of a page */
	const char *verb;     /* of the answer: "retried" */
	uint64_t next;        /* the cursor behind the page; 0: it was the last */
	size_t left, done;    /* of the page */
	enum err e;           /* the worst of them */
};

struct disconnects {
	struct store *store;
	LIST_HEAD(, waiter) waiters;
};

static void on_page(void *arg, enum err e, const struct disconnect *ds, size_t n,
		    uint64_t next);
static void on_retried(void *arg, enum err e);
static void on_dropped(void *arg, enum err e);
static void on_all(void *arg, enum err e, const struct disconnect *ds, size_t n,
		   uint64_t next);
static void on_each(void *arg, enum err e);

/* ---- life ---- */

/* The store has it still: it is freed when that answers, or never will. */
static void on_gone(void *arg)
{
	struct waiter *k = arg;

	k->request = NULL;
}

static struct waiter *waiter_new(struct disconnects *d, struct http_request *q)
{
	struct waiter *k = xcalloc(1, sizeof *k);

	k->store = d->store;
	k->request = q;
	LIST_INSERT_HEAD(&d->waiters, k, all);
	http_keep(q, on_gone, k);
	return k;
}

static struct http_request *wake(struct waiter *k)
{
	struct http_request *q = k->request;

	k->request = NULL;
	return q;
}

static void waiter_free(struct waiter *k)
{
	LIST_REMOVE(k, all);
	free(k);
}

struct disconnects *disconnects_new(struct store *st)
{
	struct disconnects *d = xcalloc(1, sizeof *d);

	d->store = st;
	LIST_INIT(&d->waiters);
	return d;
}

void disconnects_free(struct disconnects *d)
{
	struct waiter *k;

	if (d == NULL)
		return;
	while ((k = LIST_FIRST(&d->waiters)) != NULL)
		waiter_free(k);
	free(d);
}

/* ---- answers ---- */

static void refuse(struct http_request *q, enum err e)
{
	if (e == ERR_NOTFOUND)
		answer_refusal_logged(q, 410, "GoneException", "No such dead letter");
	else if (e == ERR_MALFORMED)
		answer_refusal_logged(
			q, 500, "InternalServerErrorException",
			"The dead letter cannot be read: see store.disconnect "
			"in the broker's log, and drop it");
	else
		answer_refusal_logged(q, 503, answer_type(503),
				      "Redis is unreachable, retry");
}

/* True if the client has gone, or was answered: k is freed then. */
static bool ends(struct waiter *k, enum err e)
{
	if (k->request != NULL && e == OK)
		return false;
	if (k->request != NULL)
		refuse(wake(k), e);
	waiter_free(k);
	return true;
}

static void print_next(uint64_t next, struct evbuffer *out)
{
	if (next != 0)
		evbuffer_add_printf(out, ",\"next\":\"%" PRIu64 "\"", next);
	evbuffer_add_printf(out, "}\n");
}

static void answer(struct waiter *k, int status, struct evbuffer *out)
{
	answer_json(wake(k), status, out);
	evbuffer_free(out);
	waiter_free(k);
}

/* ---- what is asked for ---- */

/* A number as an earlier page gave it. */
static bool read_cursor(struct http_request *q, uint64_t *out)
{
	char *text = query_parameter(q->head.query, "cursor"), *end = NULL;
	bool ok = text == NULL || (text[0] >= '0' && text[0] <= '9');

	errno = 0;
	*out = text && ok ? strtoull(text, &end, 10) : 0;
	ok = ok && errno == 0 && (end == NULL || *end == '\0');
	if (!ok)
		answer_bad(q, "cursor is not from a previous page");
	free(text);
	return ok;
}

/* An action on all of them needs ?all=true. */
static bool says_all(struct http_request *q)
{
	char *text = query_parameter(q->head.query, "all");
	bool ok = text != NULL && strcmp(text, "true") == 0;

	if (!ok)
		answer_bad(q, "use /@disconnects/{connectionId}, or "
			      "/@disconnects?all=true");
	free(text);
	return ok;
}

/* ---- a page ---- */

void disconnects_get(struct disconnects *d, struct http_request *q)
{
	uint64_t cursor;

	if (read_cursor(q, &cursor))
		store_dead_letters_scan(d->store, cursor, on_page, waiter_new(d, q));
}

static void print_broken(const struct disconnect *d, struct evbuffer *out)
{
	evbuffer_add_printf(out, "{\"connectionId\":");
	json_escape(d->row.id, out);
	evbuffer_add_printf(out, ",\"error\":");
	json_escape(d->error, out);
	evbuffer_add_printf(out, "}");
}

static void print_one(const struct disconnect *d, struct evbuffer *out)
{
	char since[CLOCK_ISO], until[CLOCK_ISO];

	if (d->is_broken) {
		print_broken(d, out);
		return;
	}
	clock_iso(d->row.connected_at_ms, since);
	clock_iso(d->time_ms, until);
	evbuffer_add_printf(out, "{\"connectionId\":");
	json_escape(d->row.id, out);
	evbuffer_add_printf(out,
			    ",\"connectedAt\":\"%s\",\"disconnectedAt\":\"%s\","
			    "\"code\":%d,\"reason\":",
			    since, until, d->code);
	json_escape(d->reason, out);
	evbuffer_add_printf(out, ",\"tries\":%d,\"error\":", d->tries);
	json_escape(d->error, out);
	evbuffer_add_printf(out, "}");
}

static void on_page(void *arg, enum err e, const struct disconnect *ds, size_t n,
		    uint64_t next)
{
	struct waiter *k = arg;
	struct evbuffer *out;

	if (ends(k, e))
		return;
	out = evbuffer_new();
	assert(out != NULL);
	evbuffer_add_printf(out, "{\"disconnects\":[");
	for (size_t i = 0; i < n; i++) {
		evbuffer_add_printf(out, "%s", i > 0 ? ",\n" : "\n");
		print_one(&ds[i], out);
	}
	evbuffer_add_printf(out, "]");
	print_next(next, out);
	answer(k, 200, out);
}

/* ---- one ---- */

void disconnects_retry(struct disconnects *d, struct http_request *q, const struct id *id)
{
	char text[ID_TEXT];

	store_dead_letter_retry(d->store, span_str(id_text(id, text)), on_retried,
				waiter_new(d, q));
}

static void on_retried(void *arg, enum err e)
{
	struct waiter *k = arg;

	if (ends(k, e))
		return;
	answer_empty(wake(k), 202);
	waiter_free(k);
}

void disconnects_delete(struct disconnects *d, struct http_request *q,
			const struct id *id)
{
	char text[ID_TEXT];

	store_dead_letter_drop(d->store, span_str(id_text(id, text)), on_dropped,
			       waiter_new(d, q));
}

static void on_dropped(void *arg, enum err e)
{
	struct waiter *k = arg;

	if (ends(k, e))
		return;
	answer_empty(wake(k), 204);
	waiter_free(k);
}

/* ---- all, a page at a time ---- */

static void begin_all(struct disconnects *d, struct http_request *q, dead_letter_fn *each,
		      const char *verb)
{
	struct waiter *k;
	uint64_t cursor;

	if (!says_all(q) || !read_cursor(q, &cursor))
		return;
	k = waiter_new(d, q);
	k->each = each;
	k->verb = verb;
	store_dead_letters_scan(d->store, cursor, on_all, k);
}

void disconnects_retry_all(struct disconnects *d, struct http_request *q)
{
	begin_all(d, q, store_dead_letter_retry, "retried");
}

void disconnects_delete_all(struct disconnects *d, struct http_request *q)
{
	begin_all(d, q, store_dead_letter_drop, "dropped");
}

static void on_all(void *arg, enum err e, const struct disconnect *ds, size_t n,
		   uint64_t next)
{
	struct waiter *k = arg;

	if (ends(k, e))
		return;
	k->next = next;
	k->left = n + 1; /* one for us, so that it ends when there is none, too */
	for (size_t i = 0; i < n; i++)
		if (ds[i].is_broken && k->each == store_dead_letter_retry)
			k->left--; /* it stays */
		else
			k->each(k->store, ds[i].row.id, on_each, k);
	on_each(k, ERR_NOTFOUND);
}

/* One that has gone meanwhile was another's: it is not counted. */
static void on_each(void *arg, enum err e)
{
	struct waiter *k = arg;
	struct evbuffer *out;

	k->done += e == OK;
	if (e != OK && e != ERR_NOTFOUND)
		k->e = e;
	if (--k->left > 0 || ends(k, k->e))
		return;
	out = evbuffer_new();
	assert(out != NULL);
	evbuffer_add_printf(out, "{\"%s\":%zu", k->verb, k->done);
	print_next(k->next, out);
	answer(k, k->each == store_dead_letter_retry ? 202 : 200, out);
}
