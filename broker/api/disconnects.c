/*
 * Disconnects that are parked, since their function failed too often:
 *
 *   management_parked   a page of them: on_page
 *   management_retry    give one to the function again: on_retried
 *   management_drop     forget one: on_dropped
 *   management_retry_all, _drop_all   a page is read (on_all), and each of it is retried
 *                       or dropped (on_each)
 *
 * A page is what the store gives at once, some hundreds; what is parked from the first
 * page to the last is in at least one of them.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "json/read.h"
#include "broker/api/internal.h"
#include "store/disconnects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

typedef void parked_fn(struct store *st, struct span id, store_done_fn *fn, void *arg);

/* One request that waits for the store. */
struct errand {
	struct waiting waiting; /* req: NULL once the client has hung up */
	LIST_ENTRY(errand) all;
	parked_fn *each;   /* all=true: what is done with each of a page */
	const char *verb;  /* of the answer: "retried" */
	uint64_t next;     /* the cursor behind the page; 0: it was the last */
	size_t left, done; /* of the page */
	enum err e;        /* the worst of them */
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
static void on_asker_gone(struct waiting *w)
{
	w->req = NULL;
}

static struct errand *errand_new(struct management *m, struct evhttp_request *req)
{
	struct errand *k = xcalloc(1, sizeof *k);

	LIST_INSERT_HEAD(&m->errands, k, all);
	waiting_begin(&k->waiting, m, req, on_asker_gone);
	return k;
}

static void errand_free(struct errand *k)
{
	LIST_REMOVE(k, all);
	free(k);
}

void management_disconnects_close(struct management *m)
{
	struct errand *k;

	while ((k = LIST_FIRST(&m->errands)) != NULL)
		errand_free(k);
}

/* ---- answers ---- */

static void refuse(struct evhttp_request *req, enum err e)
{
	if (e == ERR_NOTFOUND)
		answer_refusal_text(req, 410, "GoneException", "No such dead letter");
	else if (e == ERR_MALFORMED)
		answer_refusal_text(req, 500, "InternalServerErrorException",
				    "The dead letter cannot be read: see "
				    "store.disconnect in the broker's log, and drop it");
	else
		answer_refusal_text(req, 503, "ServiceUnavailableException",
				    "Redis is unreachable, retry");
}

/* True when there is nobody to answer, or when this has: k is freed then. */
static bool ends(struct errand *k, enum err e)
{
	if (k->waiting.req != NULL && e == OK)
		return false;
	if (k->waiting.req != NULL)
		refuse(waiting_end(&k->waiting), e);
	errand_free(k);
	return true;
}

static void print_next(uint64_t next, struct evbuffer *out)
{
	if (next != 0)
		evbuffer_add_printf(out, ",\"next\":\"%" PRIu64 "\"", next);
	evbuffer_add_printf(out, "}\n");
}

static void answer(struct errand *k, int status, const char *reason, struct evbuffer *out)
{
	answer_json(waiting_end(&k->waiting), status, reason, out);
	evbuffer_free(out);
	errand_free(k);
}

/* ---- what is asked for ---- */

/* A number as an earlier page gave it. */
static bool read_cursor(struct evhttp_request *req, uint64_t *out)
{
	char *text = query_parameter(req, "cursor"), *end = NULL;
	bool ok = text == NULL || (text[0] >= '0' && text[0] <= '9');

	errno = 0;
	*out = text && ok ? strtoull(text, &end, 10) : 0;
	ok = ok && errno == 0 && (end == NULL || *end == '\0');
	if (!ok)
		answer_bad(req, "cursor is not from a previous page");
	free(text);
	return ok;
}

/* What is done to all of them is said in so many words. */
static bool says_all(struct evhttp_request *req)
{
	char *text = query_parameter(req, "all");
	bool ok = text != NULL && strcmp(text, "true") == 0;

	if (!ok)
		answer_bad(req, "use /@disconnects/{connectionId}, or "
				"/@disconnects?all=true");
	free(text);
	return ok;
}

/* ---- a page ---- */

void management_parked(struct management *m, struct evhttp_request *req)
{
	uint64_t cursor;

	if (read_cursor(req, &cursor))
		store_parked_scan(m->broker->store, cursor, on_page, errand_new(m, req));
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
	struct errand *k = arg;
	struct evbuffer *out;

	if (ends(k, e))
		return;
	out = evbuffer_new();
	evbuffer_add_printf(out, "{\"disconnects\":[");
	for (size_t i = 0; i < n; i++) {
		evbuffer_add_printf(out, "%s", i > 0 ? ",\n" : "\n");
		print_one(&ds[i], out);
	}
	evbuffer_add_printf(out, "]");
	print_next(next, out);
	answer(k, 200, "OK", out);
}

/* ---- one ---- */

void management_retry(struct management *m, struct evhttp_request *req,
		      const struct id *id)
{
	char text[ID_TEXT];

	store_parked_retry(m->broker->store, span_str(id_text(id, text)), on_retried,
			   errand_new(m, req));
}

static void on_retried(void *arg, enum err e)
{
	struct errand *k = arg;

	if (ends(k, e))
		return;
	evhttp_send_reply(waiting_end(&k->waiting), 202, "Accepted", NULL);
	errand_free(k);
}

void management_drop(struct management *m, struct evhttp_request *req,
		     const struct id *id)
{
	char text[ID_TEXT];

	store_parked_drop(m->broker->store, span_str(id_text(id, text)), on_dropped,
			  errand_new(m, req));
}

static void on_dropped(void *arg, enum err e)
{
	struct errand *k = arg;

	if (ends(k, e))
		return;
	evhttp_send_reply(waiting_end(&k->waiting), 204, "No Content", NULL);
	errand_free(k);
}

/* ---- all, a page at a time ---- */

static void begin_all(struct management *m, struct evhttp_request *req, parked_fn *each,
		      const char *verb)
{
	struct errand *k;
	uint64_t cursor;

	if (!says_all(req) || !read_cursor(req, &cursor))
		return;
	k = errand_new(m, req);
	k->each = each;
	k->verb = verb;
	store_parked_scan(m->broker->store, cursor, on_all, k);
}

void management_retry_all(struct management *m, struct evhttp_request *req)
{
	begin_all(m, req, store_parked_retry, "retried");
}

void management_drop_all(struct management *m, struct evhttp_request *req)
{
	begin_all(m, req, store_parked_drop, "dropped");
}

static void on_all(void *arg, enum err e, const struct disconnect *ds, size_t n,
		   uint64_t next)
{
	struct errand *k = arg;

	if (ends(k, e))
		return;
	k->next = next;
	k->left = n + 1; /* one for us, so that it ends when there is none, too */
	for (size_t i = 0; i < n; i++)
		if (ds[i].is_broken && k->each == store_parked_retry)
			k->left--; /* it stays */
		else
			k->each(k->waiting.m->broker->store, ds[i].row.id, on_each, k);
	on_each(k, ERR_NOTFOUND);
}

/* One that has gone meanwhile was another's: it is not counted. */
static void on_each(void *arg, enum err e)
{
	struct errand *k = arg;
	struct evbuffer *out;

	k->done += e == OK;
	if (e != OK && e != ERR_NOTFOUND)
		k->e = e;
	if (--k->left > 0 || ends(k, k->e))
		return;
	out = evbuffer_new();
	evbuffer_add_printf(out, "{\"%s\":%zu", k->verb, k->done);
	print_next(k->next, out);
	answer(k, k->each == store_parked_retry ? 202 : 200,
	       k->each == store_parked_retry ? "Accepted" : "OK", out);
}
