#include "broker/cluster/edge_set.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

/* Texts as brokers write them. */
Test(edge_set, writes_what_it_reads)
{
	static const char *const texts[] = {
		"", "0", "1,3,5", "1-3", "7,9-12,64-130,65535", "0-65535", "63-64",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct edge_set s = {.words = {0}};
		char *text;

		cr_assert(edge_set_read(&s, span_str(texts[i])));
		text = edge_set_text(&s);
		cr_assert(eq(str, text, (char *)texts[i]));
		free(text);
	}
}

Test(edge_set, writes_each_second_number_as_a_text_that_it_reads)
{
	struct edge_set s = {.words = {0}}, again = {.words = {0}};
	char *text;

	for (unsigned i = 0; i < 65536; i += 2)
		edge_set_put(&s, (uint16_t)i);
	text = edge_set_text(&s);
	cr_assert(edge_set_read(&again, span_str(text)));
	cr_assert(not(edge_set_exceeds(&s, &again) || edge_set_exceeds(&again, &s)));
	free(text);
}

Test(edge_set, refuses_texts_that_no_broker_writes)
{
	static const char *const texts[] = {
		",", "1,", "-", "1-", "x", "1 2", "65536", "123456", "1--2", "1-2-3",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct edge_set s = {.words = {0}};

		cr_assert(not(edge_set_read(&s, span_str(texts[i]))), "%s", texts[i]);
	}
}

Test(edge_set, exceeds_another_by_one_number_that_is_not_in_it)
{
	struct edge_set a = {.words = {0}}, b = {.words = {0}};

	cr_assert(not(edge_set_exceeds(&a, &b)));
	edge_set_put(&a, 4711);
	cr_assert(edge_set_exceeds(&a, &b));
	cr_assert(not(edge_set_exceeds(&b, &a)));
	edge_set_put(&b, 4711);
	cr_assert(not(edge_set_exceeds(&a, &b)));
	edge_set_remove(&a, 4711);
	cr_assert(not(edge_set_has(&a, 4711)));
}
