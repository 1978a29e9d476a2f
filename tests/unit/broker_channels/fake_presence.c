#include "fake_presence.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 32, TEXT = 512 };

static struct question {
	enum fake_presence what;
	char text[TEXT];
	store_presence_fn *change;
	store_presence_page_fn *page;
	store_presence_names_fn *names;
	store_presence_due_fn *due;
	store_done_fn *done;
	void *arg;
} waiting[MOST];
static size_t n_waiting;

static struct question *ask(enum fake_presence what, void *arg, const char *fmt, ...)
{
	struct question *q = &waiting[n_waiting];
	va_list ap;

	cr_assert(n_waiting < MOST, "too many questions");
	n_waiting++;
	*q = (struct question){.what = what, .arg = arg};
	va_start(ap, fmt);
	vsnprintf(q->text, sizeof q->text, fmt, ap);
	va_end(ap);
	return q;
}

size_t fake_presence_waiting(enum fake_presence what)
{
	size_t n = 0;

	for (size_t i = 0; i < n_waiting; i++)
		n += waiting[i].what == what;
	return n;
}

static struct question *first(enum fake_presence what)
{
	for (size_t i = 0; i < n_waiting; i++)
		if (waiting[i].what == what)
			return &waiting[i];
	cr_assert(false, "nothing of the kind %d waits", (int)what);
	return NULL;
}

static struct question pop(enum fake_presence what)
{
	struct question *at = first(what), q = *at;

	memmove(at, at + 1, (size_t)(&waiting[n_waiting] - at - 1) * sizeof *at);
	n_waiting--;
	return q;
}

const char *fake_presence_asked(enum fake_presence what)
{
	return first(what)->text;
}

void fake_presence_change(enum fake_presence what, const struct presence_change *change)
{
	struct question q = pop(what);

	q.change(q.arg, OK, change);
}

void fake_presence_page(const struct presence_page *page)
{
	struct question q = pop(PRESENCE_READ);

	q.page(q.arg, OK, page);
}

void fake_presence_names(enum fake_presence what, const char *name)
{
	struct question q = pop(what);
	struct span names[] = {span_str(name != NULL ? name : "")};

	q.names(q.arg, OK, names, name != NULL);
}

void fake_presence_due(const char *channel)
{
	struct question q = pop(PRESENCE_CLAIM);
	struct presence_due due = {span_str(channel != NULL ? channel : ""),
				   span_str("claim")};

	q.due(q.arg, OK, &due, channel != NULL);
}

void fake_presence_done(enum fake_presence what)
{
	struct question q = pop(what);

	q.done(q.arg, OK);
}

void fake_presence_fail(enum fake_presence what)
{
	struct question q = pop(what);

	if (q.change != NULL)
		q.change(q.arg, ERR_DOWN, NULL);
	else if (q.page != NULL)
		q.page(q.arg, ERR_DOWN, NULL);
	else if (q.names != NULL)
		q.names(q.arg, ERR_DOWN, NULL, 0);
	else if (q.due != NULL)
		q.due(q.arg, ERR_DOWN, NULL, 0);
	else
		q.done(q.arg, ERR_DOWN);
}

void fake_presence_close(void)
{
	n_waiting = 0;
}

/* ---- the store ---- */

void store_presence_join(struct store *st, struct span channel,
			 const struct presence_member *m, store_presence_fn *fn,
			 void *arg)
{
	(void)st;
	ask(PRESENCE_JOIN, arg, "%.*s %u %.*s %.*s", SPAN_ARG(channel), m->edge,
	    SPAN_ARG(m->user), SPAN_ARG(m->json))
		->change = fn;
}

void store_presence_leave(struct store *st, struct span channel, uint16_t edge,
			  struct span connection, int64_t grace_ms, store_presence_fn *fn,
			  void *arg)
{
	(void)st;
	(void)connection;
	ask(PRESENCE_LEAVE, arg, "%.*s %u %lld", SPAN_ARG(channel), edge,
	    (long long)grace_ms)
		->change = fn;
}

void store_presence_expire(struct store *st, struct span channel, store_presence_fn *fn,
			   void *arg)
{
	(void)st;
	ask(PRESENCE_EXPIRE, arg, "%.*s", SPAN_ARG(channel))->change = fn;
}

void store_presence_reap(struct store *st, struct span channel, uint16_t edge,
			 store_presence_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_REAP, arg, "%.*s %u", SPAN_ARG(channel), edge)->change = fn;
}

void store_presence_read(struct store *st, struct span channel, struct span after,
			 int64_t most, store_presence_page_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_READ, arg, "%.*s %.*s %lld", SPAN_ARG(channel), SPAN_ARG(after),
	    (long long)most)
		->page = fn;
}

void store_presence_list(struct store *st, uint16_t edge, int64_t from,
			 store_presence_names_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_LIST, arg, "%u %lld", edge, (long long)from)->names = fn;
}

void store_presence_ids(struct store *st, struct span channel, uint16_t edge,
			struct span after, store_presence_names_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_IDS, arg, "%.*s %u %.*s", SPAN_ARG(channel), edge, SPAN_ARG(after))
		->names = fn;
}

void store_presence_unlist(struct store *st, uint16_t edge, struct span channel,
			   store_done_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_UNLIST, arg, "%u %.*s", edge, SPAN_ARG(channel))->done = fn;
}

void store_presence_claim(struct store *st, int64_t claim_ms, store_presence_due_fn *fn,
			  void *arg)
{
	(void)st;
	ask(PRESENCE_CLAIM, arg, "%lld", (long long)claim_ms)->due = fn;
}

void store_presence_done(struct store *st, const struct presence_due *due, int64_t due_ms,
			 store_done_fn *fn, void *arg)
{
	(void)st;
	ask(PRESENCE_DONE, arg, "%.*s %.*s %lld", SPAN_ARG(due->channel),
	    SPAN_ARG(due->claim), (long long)due_ms)
		->done = fn;
}
