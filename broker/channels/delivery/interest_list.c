#include "broker/channels/delivery/interest_list.h"

#include "proto/probe.h"

#include <stdlib.h>

/* A list being made: of the names so far the greatest stands first (a heap). */
struct list {
	struct span prefix, after, *out;
	size_t n, found;
};

static bool begins_with(struct span name, struct span prefix)
{
	return name.n >= prefix.n &&
	       (prefix.n == 0 || memcmp(name.p, prefix.p, prefix.n) == 0);
}

/* Let the name at `at` sink: of n names the greatest stands first (a heap). */
static void sink(struct span *heap, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		struct span name = heap[at];

		if (child + 1 < n && span_compare(heap[child + 1], heap[child]) > 0)
			child++;
		if (span_compare(name, heap[child]) >= 0)
			return;
		heap[at] = heap[child];
		heap[child] = name;
	}
}

static void rise(struct span *heap, size_t at)
{
	for (size_t up; at > 0; at = up) {
		struct span name = heap[at];

		up = (at - 1) / 2;
		if (span_compare(name, heap[up]) <= 0)
			return;
		heap[at] = heap[up];
		heap[up] = name;
	}
}

static int by_name(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void add(void *arg, struct span name)
{
	struct list *l = arg;

	if (!begins_with(name, l->prefix) || span_is(name, PROBE_CHANNEL) ||
	    (l->after.n > 0 && span_compare(name, l->after) <= 0))
		return;
	if (l->found < l->n) {
		l->out[l->found] = name;
		rise(l->out, l->found++);
	} else if (span_compare(name, l->out[0]) < 0) {
		l->out[0] = name;
		sink(l->out, 0, l->n);
	}
}

size_t interest_list(const struct interest *in, struct span prefix, struct span after,
		     struct span *out, size_t n)
{
	struct list l = {prefix, after, out, n, 0};

	if (n == 0)
		return 0;
	interest_walk(in, add, &l);
	if (l.found > 1)
		qsort(out, l.found, sizeof *out, by_name);
	return l.found;
}
