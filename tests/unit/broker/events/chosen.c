#include "broker/events/chosen.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static struct chosen *choose(const char *subscribe, const char *publish, const char **why)
{
	const struct chosen_list lists[] = {{VERB_SUBSCRIBE, span_str(subscribe)},
					    {VERB_PUBLISH, span_str(publish)}};

	return chosen_new(lists, 2, why);
}

Test(chosen, is_a_copy_of_all_elements_in_their_order)
{
	const char *why;
	struct chosen *c = choose("[\"a\",{\"channel\":\"b\"}]", "[{}]", &why);

	cr_assert(c != NULL && why == NULL);
	cr_assert(eq(sz, c->n, 3));
	cr_assert(c->todos[0].verb == VERB_SUBSCRIBE && c->todos[2].verb == VERB_PUBLISH);
	cr_assert(span_is(c->todos[1].v.raw, "{\"channel\":\"b\"}"));
	cr_assert(span_is(c->todos[2].v.raw, "{}"));
	chosen_free(c);
}

Test(chosen, is_nothing_without_elements)
{
	const char *why;

	cr_assert(choose("", "", &why) == NULL && why == NULL);
	cr_assert(choose("[]", "", &why) == NULL && why == NULL);
}

Test(chosen, must_be_lists)
{
	const char *why;

	cr_assert(choose("{}", "", &why) == NULL && why != NULL);
	cr_assert(choose("[\"a\"]", "a,b", &why) == NULL && why != NULL);
}

Test(chosen, has_at_most_100_elements)
{
	char list[300] = "[1";
	const char *why;
	struct chosen *c;

	for (int i = 1; i < 100; i++)
		strcat(list, ",1");
	strcat(list, "]");
	c = choose(list, "", &why);
	cr_assert(c != NULL && c->n == 100);
	chosen_free(c);
	cr_assert(choose(list, "[1]", &why) == NULL && why != NULL);
}
