#include "fake_store.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct store fake_store;

static struct question *ask(struct store *st, enum question_kind kind, void (*fn)(void),
			    void *arg)
{
	struct question *q = &st->all[st->n++];

	cr_assert(st == &fake_store && st->n <= QUESTIONS_MOST);
	*q = (struct question){.kind = kind, .fn = fn, .arg = arg};
	return q;
}

#define FN(fn) ((void (*)(void))(fn))

void store_edges_list(struct store *st, store_edges_fn *fn, void *arg)
{
	ask(st, ASKS_EDGES, FN(fn), arg);
}

void store_connection_count(struct store *st, uint16_t edge, store_count_fn *fn,
			    void *arg)
{
	ask(st, ASKS_COUNT, FN(fn), arg)->edge = edge;
}

void store_connection_scan(struct store *st, uint16_t edge, uint64_t cursor,
			   store_scan_fn *fn, void *arg)
{
	struct question *q = ask(st, ASKS_ROWS, FN(fn), arg);

	q->edge = edge;
	q->cursor = cursor;
}

void store_dead_letters_scan(struct store *st, uint64_t cursor, store_dead_letters_fn *fn,
			     void *arg)
{
	ask(st, ASKS_DEAD_LETTERS, FN(fn), arg)->cursor = cursor;
}

static void ask_of_one(struct store *st, enum question_kind kind, struct span id,
		       store_done_fn *fn, void *arg)
{
	struct question *q = ask(st, kind, FN(fn), arg);

	snprintf(q->id, sizeof q->id, "%.*s", SPAN_ARG(id));
}

void store_dead_letter_retry(struct store *st, struct span id, store_done_fn *fn,
			     void *arg)
{
	ask_of_one(st, ASKS_RETRY, id, fn, arg);
}

void store_dead_letter_drop(struct store *st, struct span id, store_done_fn *fn,
			    void *arg)
{
	ask_of_one(st, ASKS_DROP, id, fn, arg);
}

void store_user_scan(struct store *st, struct span user, uint64_t cursor,
		     store_user_fn *fn, void *arg)
{
	struct question *q = ask(st, ASKS_USER, FN(fn), arg);

	q->cursor = cursor;
	snprintf(q->id, sizeof q->id, "%.*s", SPAN_ARG(user));
}

void store_user_remove(struct store *st, struct span user, struct span id,
		       store_done_fn *fn, void *arg)
{
	cr_assert(fn == NULL && arg == NULL);
	snprintf(st->forgotten, sizeof st->forgotten, "%.*s %.*s", SPAN_ARG(user),
		 SPAN_ARG(id));
}

void store_connection_find(struct store *st, uint16_t edge, struct span id,
			   store_connection_fn *fn, void *arg)
{
	struct question *q = ask(st, ASKS_ROW, FN(fn), arg);

	q->edge = edge;
	snprintf(q->id, sizeof q->id, "%.*s", SPAN_ARG(id));
}

const struct question *fake_store_next(enum question_kind kind)
{
	const struct question *q = &fake_store.all[fake_store.answered];

	cr_assert(fake_store.answered < fake_store.n, "nothing is asked");
	cr_assert_eq(q->kind, kind);
	return q;
}

static struct question take(enum question_kind kind)
{
	struct question q = *fake_store_next(kind);

	fake_store.answered++;
	return q;
}

void fake_store_edges(enum err e, const uint16_t *numbers, size_t n)
{
	struct question q = take(ASKS_EDGES);

	((store_edges_fn *)q.fn)(q.arg, e, numbers, n);
}

void fake_store_count(enum err e, int64_t n)
{
	struct question q = take(ASKS_COUNT);

	((store_count_fn *)q.fn)(q.arg, e, n);
}

void fake_store_rows(enum err e, const struct connection_row *rows, size_t n,
		     uint64_t next)
{
	struct question q = take(ASKS_ROWS);

	((store_scan_fn *)q.fn)(q.arg, e, rows, n, next);
}

void fake_store_dead_letters(enum err e, const struct disconnect *ds, size_t n,
			     uint64_t next)
{
	struct question q = take(ASKS_DEAD_LETTERS);

	((store_dead_letters_fn *)q.fn)(q.arg, e, ds, n, next);
}

void fake_store_done(enum question_kind kind, enum err e)
{
	struct question q = take(kind);

	((store_done_fn *)q.fn)(q.arg, e);
}

void fake_store_user(enum err e, const struct span *ids, size_t n, uint64_t next)
{
	struct question q = take(ASKS_USER);

	((store_user_fn *)q.fn)(q.arg, e, ids, n, next);
}

void fake_store_row(enum err e)
{
	static const struct connection_row row;
	struct question q = take(ASKS_ROW);

	((store_connection_fn *)q.fn)(q.arg, e, e == OK ? &row : NULL);
}
