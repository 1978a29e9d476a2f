#include "store/row.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

Test(row, comes_back_as_it_went)
{
	struct connection_row in =
				      {
					      .connected_at_ms = 1795343464512,
					      .source_ip = span_str("10.0.0.7"),
					      .user_agent = span_str(
						      "a \"quoted\" \\ agent \xc3\xa9"),
					      .stage = span_str("dev"),
				      },
			      out = {.edge = 9};
	char *json = row_write(&in);
	json_t *keep;

	cr_assert(eq(int, row_read(span_str(json), &out, &keep), OK), "%s", json);
	cr_assert(eq(i64, out.connected_at_ms, in.connected_at_ms));
	cr_assert(span_eq(out.source_ip, in.source_ip));
	cr_assert(span_eq(out.user_agent, in.user_agent));
	cr_assert(eq(sz, out.domain_name.n, 0));
	cr_assert(span_eq(out.stage, in.stage));
	cr_assert(eq(u16, out.edge, 9));
	json_decref(keep);
	free(json);
}

Test(row, takes_what_is_not_utf8_as_latin1)
{
	struct connection_row in = {.user_agent = span_str("caf\xe9 \xff")}, out = {0};
	char *json = row_write(&in);
	json_t *keep;

	cr_assert(eq(int, row_read(span_str(json), &out, &keep), OK), "%s", json);
	cr_assert(span_is(out.user_agent, "caf\xc3\xa9 \xc3\xbf"));
	json_decref(keep);
	free(json);
}

Test(row, has_a_context_of_any_bytes)
{
	uint8_t bytes[256];
	struct connection_row in = {.stage = span_str("dev")}, out = {0};
	char *json;
	json_t *keep;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t n = 253; n <= sizeof bytes; n++) {
		in.context = span_of(bytes, n);
		json = row_write(&in);
		cr_assert(eq(int, row_read(span_str(json), &out, &keep), OK), "%s", json);
		cr_assert(span_eq(out.context, in.context));
		cr_assert(span_is(out.stage, "dev"));
		json_decref(keep);
		free(json);
	}
}

struct bad {
	char json[64];
};

ParameterizedTestParameters(row, of_another_hand_is_malformed)
{
	static struct bad rows[] = {
		{""},
		{"x"},
		{"[]"},
		{"7"},
		{"{}"},
		{"{\"connectedAt\":\"soon\"}"},
		{"{\"connectedAt\":1.5}"},
		{"{\"connectedAt\":1,\"stage\":7}"},
		{"{\"connectedAt\":1,\"userAgent\":null}"},
		{"{\"connectedAt\":1} more"},
		{"{\"connectedAt\":1,\"context\":\"no base64\"}"},
		{"{\"connectedAt\":1,\"context\":[1]}"},
		{"{\"connectedAt\":99999999999999999999}"},
	};
	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, row, of_another_hand_is_malformed)
{
	struct connection_row out = {.connected_at_ms = 5, .stage = span_str("dev")};
	json_t *keep;

	cr_assert(eq(int, row_read(span_str(r->json), &out, &keep), ERR_MALFORMED), "%s",
		  r->json);
	cr_assert(keep == NULL);
	cr_assert(eq(i64, out.connected_at_ms, 5));
	cr_assert(span_is(out.stage, "dev"));
}
