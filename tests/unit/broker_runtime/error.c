#include "broker/runtime/error.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static void expect(const char *body, const char *header, const char *want)
{
	char got[RUNTIME_ERROR_TEXT];

	runtime_error_text(span_str(body), span_str(header), got);
	cr_expect(eq(str, got, (char *)want), "%s", body);
}

Test(runtime_error,
     the_text_has_type_and_message_of_the_body_and_the_header_stands_in_for_the_type)
{
	expect("{\"errorType\":\"A\",\"errorMessage\":\"b\"}", "C", "A: b");
	expect("{\"errorMessage\":\"b\"}", "C", "C: b");
	expect("{\"errorMessage\":\"b\"}", "", "an error without a type: b");
	expect("{\"errorType\":5,\"errorMessage\":[]}", "C", "C: (no message)");
	expect("no JSON", "", "an error without a type: (no message)");
	expect("", "", "an error without a type: (no message)");
}

Test(runtime_error, the_text_is_cut_between_characters)
{
	char *body = xasprintf("{\"errorType\":\"a%0300d\",\"errorMessage\":\"%s\"}", 0,
			       "b\xc3\xbc");
	char got[RUNTIME_ERROR_TEXT], *long_header = xasprintf("%0600d", 0);

	runtime_error_text(span_str(body), span_of(NULL, 0), got);
	cr_assert(eq(sz, strlen(got), RUNTIME_ERROR_TEXT / 4 + strlen(": b\xc3\xbc")));
	free(body);
	body = xasprintf("{\"errorMessage\":\"a");
	for (int i = 0; i < 400; i++) {
		char *longer = xasprintf("%s\xc3\xbc", body);

		free(body);
		body = longer;
	}
	char *whole = xasprintf("%s\"}", body);

	runtime_error_text(span_str(whole), span_str(long_header), got);
	cr_assert(lt(sz, strlen(got), RUNTIME_ERROR_TEXT));
	cr_assert(eq(str, got + strlen(got) - 2, "\xc3\xbc"));
	free(body);
	free(whole);
	free(long_header);
}

Test(runtime_error, an_error_is_recognized_by_its_whole_message)
{
	static const char body[] = "{\"errorMessage\":\"Unauthorized\"}";

	cr_assert(runtime_error_is(span_str(body), "Unauthorized"));
	cr_assert(not(runtime_error_is(span_str(body), "Unauthorize")));
	cr_assert(not(runtime_error_is(span_str(body), "Unauthorized!")));
	cr_assert(not(runtime_error_is(span_str("{}"), "Unauthorized")));
}
