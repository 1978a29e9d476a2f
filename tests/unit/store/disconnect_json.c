#include "store/disconnect_json.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

Test(disconnect_json, comes_back_as_it_went)
{
	struct disconnect in =
				  {
					  .row = {.edge = 7,
						  .connected_at_ms = 1795343464512,
						  .stage = span_str("dev"),
						  .context = span_of("\0\xff", 2)},
					  .time_ms = 1795343464999,
					  .code = 4001,
					  .reason = span_str("\"so\""),
					  .tries = 3,
					  .error = span_str("no answer"),
				  },
			  out = {0};
	char *json = disconnect_json_write(&in);
	json_t *keep;

	cr_assert(eq(int, disconnect_json_read(span_str(json), &out, &keep), OK), "%s",
		  json);
	cr_assert(eq(u16, out.row.edge, 7));
	cr_assert(eq(i64, out.row.connected_at_ms, in.row.connected_at_ms));
	cr_assert(span_eq(out.row.stage, in.row.stage));
	cr_assert(span_eq(out.row.context, in.row.context));
	cr_assert(eq(i64, out.time_ms, in.time_ms));
	cr_assert(eq(u16, out.code, 4001));
	cr_assert(span_eq(out.reason, in.reason));
	cr_assert(eq(int, out.tries, 3));
	cr_assert(span_eq(out.error, in.error));
	json_decref(keep);
	free(json);
}

struct bad {
	char json[100];
};

ParameterizedTestParameters(disconnect_json, of_another_hand_is_malformed)
{
	static struct bad rows[] = {
		{""},
		{"7"},
		{"{}"},
		{"{\"edge\":7,\"time\":1,\"code\":1000,\"tries\":0}"},
		{"{\"edge\":7,\"time\":1,\"code\":1000,\"tries\":0,\"row\":{}}"},
		{"{\"edge\":8,\"time\":1,\"code\":1000,\"tries\":0,\"row\":{"
		 "\"connectedAt\":1}}"},
		{"{\"edge\":7,\"time\":1,\"code\":65536,\"tries\":0,\"row\":{"
		 "\"connectedAt\":1}}"},
		{"{\"edge\":7,\"time\":1,\"code\":1000,\"tries\":-1,\"row\":{"
		 "\"connectedAt\":1}}"},
		{"{\"edge\":7,\"time\":1.5,\"code\":1000,\"tries\":0,\"row\":{"
		 "\"connectedAt\":1}}"},
	};
	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, disconnect_json, of_another_hand_is_malformed)
{
	struct disconnect out = {.row = {.edge = 7}, .tries = 5};
	json_t *keep;

	cr_assert(eq(int, disconnect_json_read(span_str(r->json), &out, &keep),
		     ERR_MALFORMED),
		  "%s", r->json);
	cr_assert(keep == NULL);
	cr_assert(eq(int, out.tries, 5));
}
