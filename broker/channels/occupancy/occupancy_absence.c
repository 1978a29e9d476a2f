#include "broker/channels/occupancy/occupancy_absence.h"

#include "base/mem.h"
#include "store/leases.h"

#include <stdlib.h>

struct occupancy_absence {
	struct store *store;
	const struct interest *interest;
	occupancy_absence_fn *fn; /* NULL: nothing is asked */
	void *arg;
	size_t left; /* questions */
	bool all_known;
};

static void on_list(void *arg, enum err e, const uint16_t *numbers, size_t n);
static void on_edge(void *arg, enum err e, const struct edge_state *s);

struct occupancy_absence *occupancy_absence_new(struct store *st,
						const struct interest *in)
{
	struct occupancy_absence *a = xcalloc(1, sizeof *a);

	a->store = st;
	a->interest = in;
	return a;
}

void occupancy_absence_free(struct occupancy_absence *a)
{
	free(a);
}

bool occupancy_absence_check(struct occupancy_absence *a, occupancy_absence_fn *fn,
			     void *arg)
{
	if (a->fn != NULL || !interest_is_complete(a->interest))
		return false;
	a->fn = fn;
	a->arg = arg;
	store_edges_list(a->store, on_list, a);
	return true;
}

static void end_question(struct occupancy_absence *a)
{
	occupancy_absence_fn *fn = a->fn;

	if (--a->left > 0)
		return;
	a->fn = NULL;
	fn(a->arg, a->all_known && interest_is_complete(a->interest));
}

static void on_list(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct occupancy_absence *a = arg;

	a->left = 1;
	a->all_known = e == OK;
	for (size_t i = 0; i < n; i++)
		if (!interest_is_of(a->interest, numbers[i])) {
			a->left++;
			store_edge_get(a->store, numbers[i], on_edge, a);
		}
	end_question(a);
}

static void on_edge(void *arg, enum err e, const struct edge_state *s)
{
	struct occupancy_absence *a = arg;

	if (e != OK || s->held || (!s->given_up && s->rows > 0))
		a->all_known = false;
	end_question(a);
}
