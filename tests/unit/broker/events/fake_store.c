#include "fake_store.h"

#include "store/users.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

struct question {
	STAILQ_ENTRY(question) next;
	struct fake_asked asked;
	union {
		store_done_fn *done;
		store_disconnect_fn *begun;
		store_disconnects_fn *claimed;
		store_count_fn *count;
	} fn;
	void *arg;
};

static STAILQ_HEAD(, question) waiting = STAILQ_HEAD_INITIALIZER(waiting);
static bool is_up = true;
static char nothing;

struct store *fake_store(void)
{
	return (struct store *)(void *)&nothing;
}

void fake_store_set_up(bool up)
{
	is_up = up;
}

static struct question *ask(enum fake_question what, uint16_t edge, struct span id,
			    void *arg)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->asked.what = what;
	q->asked.edge = edge;
	q->arg = arg;
	snprintf(q->asked.id, sizeof q->asked.id, "%.*s", SPAN_ARG(id));
	STAILQ_INSERT_TAIL(&waiting, q, next);
	return q;
}

static struct question *find(enum fake_question what)
{
	struct question *q;

	STAILQ_FOREACH (q, &waiting, next)
		if (q->asked.what == what)
			return q;
	cr_fatal("the store was not asked that");
	return NULL;
}

static struct question take(enum fake_question what)
{
	struct question *q = find(what), copy = *q;

	STAILQ_REMOVE(&waiting, q, question, next);
	free(q);
	return copy;
}

const struct fake_asked *fake_store_asked(enum fake_question what)
{
	return &find(what)->asked;
}

size_t fake_store_waiting(enum fake_question what)
{
	struct question *q;
	size_t n = 0;

	STAILQ_FOREACH (q, &waiting, next)
		n += q->asked.what == what;
	return n;
}

size_t fake_store_pending(void)
{
	struct question *q;
	size_t n = 0;

	STAILQ_FOREACH (q, &waiting, next)
		n++;
	return n;
}

void fake_store_close(void)
{
	struct question *q;

	while ((q = STAILQ_FIRST(&waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiting, next);
		free(q);
	}
}

static void note_disconnect(struct fake_asked *a, const struct disconnect *d,
			    struct span text)
{
	snprintf(a->stage, sizeof a->stage, "%.*s", SPAN_ARG(d->row.stage));
	snprintf(a->source_ip, sizeof a->source_ip, "%.*s", SPAN_ARG(d->row.source_ip));
	snprintf(a->text, sizeof a->text, "%.*s", SPAN_ARG(text));
	a->time_ms = d->time_ms;
	a->code = d->code;
	a->tries = d->tries;
}

/* ---- the store's functions ---- */

bool store_is_up(const struct store *st)
{
	(void)st;
	return is_up;
}

static char forgotten[64]; /* users whose connection was removed, "me;" */

bool users_may_be(struct span user)
{
	return user.n > 0;
}

void store_user_remove(struct store *st, struct span user, struct span id,
		       store_done_fn *fn, void *arg)
{
	size_t at = strlen(forgotten);

	(void)st;
	(void)id;
	(void)fn;
	(void)arg;
	snprintf(forgotten + at, sizeof forgotten - at, "%.*s;", SPAN_ARG(user));
}

const char *fake_store_forgotten(void)
{
	return forgotten;
}

void store_connection_put(struct store *st, const char *boot,
			  const struct connection_row *row, store_done_fn *fn, void *arg)
{
	struct question *q = ask(PUT, row->edge, row->id, arg);

	(void)st;
	snprintf(q->asked.boot, sizeof q->asked.boot, "%s", boot);
	snprintf(q->asked.stage, sizeof q->asked.stage, "%.*s", SPAN_ARG(row->stage));
	snprintf(q->asked.source_ip, sizeof q->asked.source_ip, "%.*s",
		 SPAN_ARG(row->source_ip));
	q->fn.done = fn;
}

void store_connection_remove(struct store *st, uint16_t edge, struct span id,
			     store_done_fn *fn, void *arg)
{
	(void)st;
	ask(REMOVE, edge, id, arg)->fn.done = fn;
}

void store_disconnect_begin(struct store *st, const struct disconnect *d,
			    int64_t claim_ms, store_disconnect_fn *fn, void *arg)
{
	struct question *q = ask(BEGIN, d->row.edge, d->row.id, arg);

	(void)st;
	note_disconnect(&q->asked, d, d->reason);
	q->asked.ms = claim_ms;
	q->fn.begun = fn;
}

void store_disconnect_claim(struct store *st, uint16_t edge, size_t most,
			    int64_t claim_ms, store_disconnects_fn *fn, void *arg)
{
	struct question *q = ask(CLAIM, edge, span_str(""), arg);

	(void)st;
	q->asked.n = most;
	q->asked.ms = claim_ms;
	q->fn.claimed = fn;
}

void store_disconnect_renew(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, int64_t claim_ms, store_done_fn *fn, void *arg)
{
	struct question *q = ask(HOLD, edge, ids[0], arg);

	(void)st;
	q->asked.n = n;
	q->asked.ms = claim_ms;
	q->fn.done = fn;
}

void store_disconnect_end(struct store *st, uint16_t edge, struct span id,
			  store_done_fn *fn, void *arg)
{
	(void)st;
	ask(END, edge, id, arg)->fn.done = fn;
}

void store_disconnect_postpone(struct store *st, const struct disconnect *d,
			       int64_t wait_ms, store_done_fn *fn, void *arg)
{
	struct question *q = ask(LATER, d->row.edge, d->row.id, arg);

	(void)st;
	note_disconnect(&q->asked, d, d->error);
	q->asked.ms = wait_ms;
	q->fn.done = fn;
}

void store_dead_letter_add(struct store *st, const struct disconnect *d, int64_t most,
			   store_done_fn *fn, void *arg)
{
	struct question *q = ask(PARK, d->row.edge, d->row.id, arg);

	(void)st;
	note_disconnect(&q->asked, d, d->error);
	q->asked.ms = most;
	q->fn.done = fn;
}

void store_dead_letters_count(struct store *st, store_count_fn *fn, void *arg)
{
	(void)st;
	ask(COUNT, 0, span_str(""), arg)->fn.count = fn;
}

/* ---- answers ---- */

void fake_store_done(enum fake_question what, enum err e)
{
	struct question q = take(what);

	q.fn.done(q.arg, e);
}

void fake_store_begun(enum err e, const struct disconnect *d)
{
	struct question q = take(BEGIN);

	q.fn.begun(q.arg, e, d);
}

void fake_store_claimed(enum err e, const struct disconnect *ds, size_t n)
{
	struct question q = take(CLAIM);

	q.fn.claimed(q.arg, e, ds, n);
}

void fake_store_counted(enum err e, int64_t n)
{
	struct question q = take(COUNT);

	q.fn.count(q.arg, e, n);
}
