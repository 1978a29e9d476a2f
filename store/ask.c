#include "store/ask.h"

#include "base/mem.h"
#include "base/span.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

void *ask_new(struct store *st, size_t n)
{
	struct ask *a = xcalloc(1, n);

	assert(n >= sizeof *a);
	a->store = st;
	a->back = &st->asks;
	a->next = st->asks;
	if (a->next != NULL)
		a->next->back = &a->next;
	st->asks = a;
	return a;
}

void ask_free(void *ask)
{
	struct ask *a = ask;

	*a->back = a->next;
	if (a->next != NULL)
		a->next->back = a->back;
	free(a);
}

void ask_close(struct store *st)
{
	for (struct ask *a = st->asks, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	st->asks = NULL;
}

struct ask_done *ask_done_new(struct store *st, store_done_fn *fn, void *arg)
{
	struct ask_done *a = ask_new(st, sizeof *a);

	a->fn = fn;
	a->arg = arg;
	return a;
}

enum err ask_word(const redisReply *reply)
{
	struct span word = span_of(reply->str, reply->len);

	if (span_is(word, "ok"))
		return OK;
	if (span_is(word, "gone"))
		return ERR_NOTFOUND;
	if (span_is(word, "unknown"))
		return ERR_UNKNOWN;
	return span_is(word, "full") ? ERR_TOOBIG : ERR_DENIED;
}

void ask_on_word(void *arg, enum err e, const redisReply *reply)
{
	struct ask_done *a = arg;

	a->fn(a->arg, e == OK ? ask_word(reply) : e);
	ask_free(a);
}

void ask_on_removed(void *arg, enum err e, const redisReply *reply)
{
	struct ask_done *a = arg;

	if (e == OK && reply->integer == 0)
		e = ERR_NOTFOUND;
	a->fn(a->arg, e);
	ask_free(a);
}

void ask_on_said(void *arg, enum err e, const redisReply *reply)
{
	struct ask_done *a = arg;

	(void)reply;
	a->fn(a->arg, e);
	ask_free(a);
}

struct ask_count *ask_count_new(struct store *st, store_count_fn *fn, void *arg)
{
	struct ask_count *a = ask_new(st, sizeof *a);

	a->fn = fn;
	a->arg = arg;
	return a;
}

void ask_on_count(void *arg, enum err e, const redisReply *reply)
{
	struct ask_count *a = arg;

	a->fn(a->arg, e, e == OK ? reply->integer : 0);
	ask_free(a);
}
