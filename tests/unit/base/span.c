#include "base/span.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

Test(span, case_is_ignored_for_letters_alone)
{
	cr_assert(span_is_nocase(span_str("WebSocket"), "websocket"));
	cr_assert(span_is_nocase(span_str("websocket"), "WEBSOCKET"));
	cr_assert(not(span_is_nocase(span_str("a@b"), "a`b")));
	cr_assert(not(span_is_nocase(span_str("websocke"), "websocket")));
	cr_assert(not(span_is_nocase(span_str("websockets"), "websocket")));
	cr_assert(span_is_nocase((struct span){0}, ""));
}

Test(span, a_zero_byte_is_no_end)
{
	cr_assert(not(span_is(span_of("ab\0c", 4), "ab")));
	cr_assert(not(span_is_nocase(span_of("ab\0c", 4), "ab")));
}

Test(span, a_copy_ends_with_a_zero)
{
	char *copy = span_dup(span_of("abcdef", 3));
	char *nothing = span_dup((struct span){0});

	cr_assert(eq(str, copy, "abc"));
	cr_assert(eq(str, nothing, ""));
	free(copy);
	free(nothing);
}

Test(span, trimming_takes_white_space_from_both_ends_alone)
{
	cr_assert(span_is(span_trim(span_str(" \t a b\tc \r\n")), "a b\tc"));
	cr_assert(span_is(span_trim(span_str("a")), "a"));
	cr_assert(span_is(span_trim(span_str(" \t\r\n")), ""));
	cr_assert(span_is(span_trim((struct span){0}), ""));
	cr_assert(span_is(span_trim(span_str("\va\f")), "\va\f"));
}

Test(span, of_two_the_greater_is_by_bytes_and_then_by_length)
{
	cr_assert(lt(int, span_compare(span_str("a"), span_str("b")), 0));
	cr_assert(gt(int, span_compare(span_str("\xff"), span_str("a")), 0));
	cr_assert(lt(int, span_compare(span_str("a"), span_str("aa")), 0));
	cr_assert(lt(int, span_compare(span_of(NULL, 0), span_str("a")), 0));
	cr_assert(eq(int, span_compare(span_str("a"), span_str("a")), 0));
}
