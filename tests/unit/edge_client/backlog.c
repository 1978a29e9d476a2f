#include "edge/client/backlog.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct backlog *b;

static void expect(const char *want)
{
	struct span s = backlog_span(b);

	cr_assert(span_is(s, want), "%.*s", SPAN_ARG(s));
	cr_assert(eq(int, b != NULL, s.n > 0));
	cr_assert(ge(sz, backlog_memory(b), s.n));
}

Test(backlog, it_is_there_while_bytes_are_left)
{
	expect("");
	backlog_set(&b, span_str("hello"));
	expect("hello");
	for (const char *rest = "ello"; *rest != '\0'; rest++) {
		struct span s = backlog_span(b);

		backlog_set(&b, span_of(s.p + 1, s.n - 1));
		expect(rest);
	}
	backlog_set(&b, span_of(NULL, 0));
	expect("");
	cr_assert(eq(sz, backlog_memory(b), 0));
	backlog_drop(&b);
}

Test(backlog, what_is_dropped_is_gone)
{
	backlog_set(&b, span_str("hello"));
	backlog_drop(&b);
	expect("");
}
