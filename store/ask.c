#include "store/ask.h"

#include "base/mem.h"

#include <assert.h>
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
