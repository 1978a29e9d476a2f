#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(http_event, refuses)
{
	static struct fixture_row rows[] = {
		{"one word", FIXTURE_EVENT "      - http: ping\n",
		 "5:15: functions.f.events[0].http: \"ping\"; allowed: METHOD path\n"},
		{"a method that there is not", FIXTURE_EVENT "      - http: FETCH ping\n",
		 "5:15: functions.f.events[0].http: the method \"FETCH\"; allowed: get, "
		 "head, post, put, patch, delete, options, any\n"},
		{"no path", FIXTURE_EVENT "      - http: { method: get }\n",
		 "5:15: functions.f.events[0].http: path is missing; allowed: such as "
		 "users/{id}\n"},
		{"no method", FIXTURE_EVENT "      - http: { path: ping }\n",
		 "5:15: functions.f.events[0].http: method is missing; allowed: get, "
		 "post, … or any\n"},
		{"nothing", FIXTURE_EVENT "      - http:\n",
		 "5:9: functions.f.events[0].http: this is nothing; allowed: METHOD "
		 "path, or a mapping with path and method\n"},
		{"a list", FIXTURE_EVENT "      - httpApi: [ GET ]\n",
		 "5:18: functions.f.events[0].httpApi: this is a list; allowed: METHOD "
		 "path, or a mapping with path and method\n"},
		{"a parameter that does not end",
		 FIXTURE_EVENT "      - http: 'GET users/{id'\n",
		 "5:16: functions.f.events[0].http: the path \"/users/{id\"; allowed: "
		 "such as users/{id} or files/{rest+}\n"},
		{"a parameter inside of a word",
		 FIXTURE_EVENT "      - http: 'GET users/a{id}'\n",
		 "5:16: functions.f.events[0].http: the path \"/users/a{id}\"; allowed: "
		 "such as users/{id} or files/{rest+}\n"},
		{"a parameter without a name",
		 FIXTURE_EVENT "      - http: 'GET users/{}'\n",
		 "5:16: functions.f.events[0].http: the path \"/users/{}\"; allowed: "
		 "such as users/{id} or files/{rest+}\n"},
		{"a greedy parameter that is not the last",
		 FIXTURE_EVENT "      - http: 'GET {all+}/x'\n",
		 "5:16: functions.f.events[0].http: the path \"/{all+}/x\"; allowed: "
		 "such as users/{id} or files/{rest+}\n"},
		{"a query in the path", FIXTURE_EVENT "      - http: 'GET ping?x=1'\n",
		 "5:16: functions.f.events[0].http: the path \"/ping?x=1\"; allowed: "
		 "such as users/{id} or files/{rest+}\n"},
		{"private is no bool",
		 FIXTURE_EVENT
		 "      - http: { path: a, method: get, private: perhaps }\n",
		 "5:48: functions.f.events[0].http.private: \"perhaps\"; allowed: true "
		 "or false\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, http_event, refuses)
{
	fixture_check(row);
}

Test(http_event, has_any_method_for_any)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT "      - http: { path: /, method: ANY }\n"
				       "      - httpApi: { path: /a }\n"
				       "      - http: '* b'\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_http, 3));
	cr_expect(eq(str, b.config->http[0].path, "/"));
	for (size_t i = 0; i < 3; i++)
		cr_expect(eq(str, b.config->http[i].method, "*"));
	fixture_close(&b);
}

/* Whoever moves here with a guarded route must not find it open. */
Test(http_event, with_a_guard_is_left_out)
{
	struct fixture b = {0};

	fixture_read(
		&b, FIXTURE_ANY
		"      - http: { path: a, method: get, authorizer: f }\n"
		"      - http: { path: b, method: get, private: true }\n"
		"      - httpApi: { path: /c, method: get, authorizer: { type: jwt, id: "
		"x } }\n"
		"      - http: { path: d, method: get, private: false, authorizer: null "
		"}\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_http, 1));
	cr_expect(eq(str, b.config->http[0].path, "/d"));
	fixture_close(&b);
}

Test(http_event, of_two_with_one_path_the_last_counts)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_EVENT "      - http: GET a\n      - httpApi: GET /a\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_http, 1));
	cr_assert(b.config->http[0].is_v2);
	fixture_close(&b);
}
