#include "http/query.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *query, const char *name, const char *want)
{
	char *got = query_parameter(span_str(query), name);

	if (want != NULL)
		cr_assert(got != NULL && strcmp(got, want) == 0, "%s: %s", query, got);
	else
		cr_assert(got == NULL, "%s: %s", query, got);
	free(got);
}

Test(query, the_first_parameter_of_a_name_is_found_and_decoded)
{
	expect("a=1&b=2", "b", "2");
	expect("a=1&a=2", "a", "1");
	expect("&&a=1", "a", "1");
	expect("ab=1", "a", NULL);
	expect("", "a", NULL);
	expect("a=", "a", "");
	expect("a=x%20y+z%2B", "a", "x y z+");
	expect("%61=1", "a", "1");
	expect("a=b=c", "a", "b=c");
}

Test(query, parameters_come_in_order_and_as_they_were_sent)
{
	struct span rest = span_str("a=%41&&b&=c"), name, value;

	cr_assert(query_next(&rest, &name, &value));
	cr_assert(span_is(name, "a") && span_is(value, "%41"));
	cr_assert(query_next(&rest, &name, &value));
	cr_assert(span_is(name, "b") && value.n == 0);
	cr_assert(query_next(&rest, &name, &value));
	cr_assert(name.n == 0 && span_is(value, "c"));
	cr_assert(not(query_next(&rest, &name, &value)));
}

Test(query, what_is_not_name_and_value_or_cannot_be_decoded_is_wrong)
{
	static const char *const right[] = {"", "a=1", "a=", "a=1&", "a=%41+b", "a=b=c"};
	static const char *const wrong[] = {"a",     "=1",    "a=1&b", "a=%4",
					    "a=%zz", "a=%00", "%00=1", "%=1"};

	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		cr_assert(query_is_right(span_str(right[i])), "%s", right[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert(not(query_is_right(span_str(wrong[i]))), "%s", wrong[i]);
}

/* From a buffer of exactly this size, so that a byte read behind it is found. */
static void read_all(const char *text, size_t n)
{
	char *exact = malloc(n > 0 ? n : 1);
	struct span query = span_of(memcpy(exact, text, n), n), rest = query, name, value;
	size_t parameters = 0;
	char *one;

	while (query_next(&rest, &name, &value)) {
		parameters++;
		cr_assert(le(sz, name.n + value.n, n));
	}
	cr_assert(le(sz, parameters, n));
	if (query_is_right(query)) {
		one = query_parameter(query, "cursor");
		cr_assert(one == NULL || strlen(one) <= n);
		free(one);
	}
	free(exact);
}

Test(query, each_prefix_with_any_byte_in_each_place_is_read_within_its_bounds)
{
	static const char sample[] = "cursor=AAEAAA%3D%3d&limit=5&&a=b+c=%25";
	char text[sizeof sample];

	for (size_t n = 0; n < sizeof sample; n++)
		read_all(sample, n);
	for (size_t at = 0; at < sizeof sample - 1; at++)
		for (int byte = 0; byte < 256; byte++) {
			memcpy(text, sample, sizeof sample);
			text[at] = (char)byte;
			read_all(text, sizeof sample - 1);
			read_all(text, at + 1);
		}
}
