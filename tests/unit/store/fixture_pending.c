#include "tests/unit/store/fixture_pending.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct loop *loop; /* of the question that is under way */

struct disconnect pending_one(const char *id)
{
	return (struct disconnect){
		.row = {.id = span_str(id),
			.edge = 7,
			.connected_at_ms = 4000,
			.stage = span_str("dev"),
			.context = span_of("a\0b", 3)},
		.time_ms = 5000,
		.code = 1000,
		.reason = span_str("bye"),
	};
}

#define COPY(out, span) snprintf((out), sizeof(out), "%.*s", SPAN_ARG(span))

static struct pending copy(const struct disconnect *d)
{
	struct pending o = {
		.edge = d->row.edge,
		.code = d->code,
		.time_ms = d->time_ms,
		.connected_at_ms = d->row.connected_at_ms,
		.tries = d->tries,
	};

	COPY(o.id, d->row.id);
	COPY(o.reason, d->reason);
	COPY(o.error, d->error);
	COPY(o.raw, d->raw);
	o.is_broken = d->is_broken;
	COPY(o.stage, d->row.stage);
	cr_assert(d->row.context.n < sizeof o.context);
	if (d->row.context.n > 0)
		memcpy(o.context, d->row.context.p, d->row.context.n);
	return o;
}

static void on_one(void *arg, enum err e, const struct disconnect *d)
{
	struct pending *o = arg;

	cr_assert(eq(int, e == OK, d != NULL));
	if (d != NULL)
		*o = copy(d);
	o->err = e;
	loop_stop(loop);
}

struct pending pending_begin(struct fixture *b, const struct disconnect *d,
			     int64_t claim_ms)
{
	struct pending o = {.err = ERR_AGAIN};

	loop = b->loop;
	store_disconnect_begin(b->store, d, claim_ms, on_one, &o);
	store_fixture_run(b);
	return o;
}

static void on_many(void *arg, enum err e, const struct disconnect *ds, size_t n)
{
	struct pending_list *l = arg;

	cr_assert(le(sz, n, OWED_MOST));
	l->err = e;
	l->n = n;
	for (size_t i = 0; i < n; i++)
		l->of[i] = copy(&ds[i]);
	loop_stop(loop);
}

static void on_scan(void *arg, enum err e, const struct disconnect *ds, size_t n,
		    uint64_t next)
{
	struct pending_list *l = arg;

	l->next = next;
	on_many(l, e, ds, n);
}

struct pending_list pending_claim(struct fixture *b, size_t most, int64_t claim_ms)
{
	struct pending_list l = {.err = ERR_AGAIN};

	loop = b->loop;
	store_disconnect_claim(b->store, 7, most, claim_ms, on_many, &l);
	store_fixture_run(b);
	return l;
}

struct pending_list pending_dead(struct fixture *b)
{
	struct pending_list l = {.err = ERR_AGAIN};

	loop = b->loop;
	store_dead_letters_scan(b->store, 0, on_scan, &l);
	store_fixture_run(b);
	cr_assert(eq(u64, l.next, 0));
	return l;
}

static void on_later(void *arg)
{
	loop_stop(arg);
}

void pending_wait(struct fixture *b, int64_t ms)
{
	struct timer *later = timer_new(b->loop, on_later, b->loop);

	timer_after(later, ms);
	store_fixture_run(b);
	timer_free(later);
}
