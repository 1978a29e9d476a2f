#include "broker/auth/authorizer.h"

#include "../fake_function.h"
#include "../sample.h"
#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct loop *loop;
static struct integration integrations[INTEGRATIONS];
static struct function function;
static struct authorizer *authorizer;
static struct sample_setting setting;
static struct invocation *in;

static const struct config_function function_config = {
	.name = (char *)"auth", .handler = (char *)"http://auth", .sort = CONFIG_HTTP};

static void start(void)
{
	loop = loop_new();
	integrations[CONFIG_HTTP] = fake_function();
	cr_assert(eq(int, function_open(integrations, &function_config, &function), OK));
	setting = sample_setting("$connect");
}

static void stop(void)
{
	authorizer_close(authorizer);
	function_close(&function);
	fake_function_reset();
	free(in);
	loop_free(loop);
}

TestSuite(authorizer, .init = start, .fini = stop);

/* ---- the permission, copied ---- */

static struct {
	size_t n;
	int status;
	char message[50], context[300];
	int64_t expires_ms;
	bool bearer;
} got;

static void on_permission(void *arg, const struct permission *p)
{
	(void)arg;
	got.n++;
	got.status = p->status;
	got.expires_ms = p->expires_ms;
	got.bearer = p->bearer;
	snprintf(got.message, sizeof got.message, "%s", p->message ? p->message : "");
	snprintf(got.context, sizeof got.context, "%s", p->context ? p->context : "none");
}

static void ask(const char *head)
{
	struct sample s = {.kind = CONNECT, .head = head};

	free(in);
	in = sample_invocation(&s);
	in->setting = &setting.setting;
	in->route = &setting.route;
	got.n = 0;
	authorizer_ask(authorizer, in, on_permission, NULL);
}

static void expect(int status, const char *message)
{
	cr_assert(eq(sz, got.n, 1));
	cr_assert(eq(int, got.status, status));
	cr_assert(eq(str, got.message, (char *)(uintptr_t)message));
}

/* ---- a function ---- */

static char *sources[] = {(char *)"route.request.header.Auth",
			  (char *)"route.request.querystring.q"};

static void use_function(size_t n_sources)
{
	static struct config_authorizer config;

	config = (struct config_authorizer){.name = (char *)"a",
					    .sort = CONFIG_REQUEST,
					    .identity = sources,
					    .n_identity = n_sources};
	authorizer_close(authorizer);
	authorizer = authorizer_open(loop, &config, &function);
	cr_assert(authorizer != NULL);
}

Test(authorizer, without_all_of_its_sources_in_the_request_refuses_and_invokes_nothing)
{
	static const char *const heads[] = {"GET /dev\n", "GET /dev\nAuth: x\n",
					    "GET /dev?q=1\n"};

	use_function(2);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		ask(heads[i]);
		expect(401, "Unauthorized");
	}
	ask("GET /dev?q=1\nAuth: x\n");
	cr_assert(eq(sz, got.n, 0));
	cr_assert(eq(int, fake_function_form(), EVENT_AUTHORIZER));
	cr_assert(fake_function_invocation() == in);
}

Test(authorizer, refuses_a_request_that_cannot_be_read)
{
	struct sample s = {.kind = CONNECT, .head = "GET /dev\n"};

	use_function(0);
	in = sample_invocation(&s);
	in->request = span_str("\x0a\x7fG");
	authorizer_ask(authorizer, in, on_permission, NULL);
	expect(401, "Unauthorized");
}

#define POLICY(effect, resource)                                                         \
	"{\"principalId\":\"me\",\"policyDocument\":{\"Statement\":[{\"Action\":"        \
	"\"execute-api:Invoke\",\"Effect\":\"" effect "\",\"Resource\":\"" resource      \
	"\"}]}}"

static const struct answer_row {
	struct result result;
	const char *payload;
	int status;
	const char *message;
} answers[] = {
	{{.kind = RESULT_OK, .status = 200}, POLICY("Allow", "*"), 200, ""},
	{{.kind = RESULT_OK, .status = 200},
	 POLICY("Allow",
		"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/$connect"),
	 200,
	 ""},
	{{.kind = RESULT_OK, .status = 200},
	 POLICY("Allow", "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/*"),
	 403,
	 "Forbidden"},
	{{.kind = RESULT_OK, .status = 200}, POLICY("Deny", "*"), 403, "Forbidden"},
	{{.kind = RESULT_OK, .status = 200}, "nonsense", 500, "Internal server error"},
	{{.kind = RESULT_OK, .status = 401}, "", 401, "Unauthorized"},
	{{.kind = RESULT_OK, .status = 403}, "", 403, "Forbidden"},
	{{.kind = RESULT_FAILED, .why = "Unauthorized"}, "", 401, "Unauthorized"},
	{{.kind = RESULT_FAILED, .why = "x"},
	 "{\"errorMessage\":\"Unauthorized\"}",
	 401,
	 "Unauthorized"},
	{{.kind = RESULT_FAILED, .why = "x"}, "", 500, "Internal server error"},
	{{.kind = RESULT_TIMEOUT, .why = "x"}, "", 500, "Internal server error"},
	{{.kind = RESULT_THROTTLED, .why = "x"}, "", 500, "Internal server error"},
	{{.kind = RESULT_UNREACHABLE, .why = "x"}, "", 500, "Internal server error"},
};

Test(authorizer, allows_or_refuses_by_the_result_of_its_function)
{
	use_function(0);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct result r = answers[i].result;

		ask("GET /dev\n");
		r.payload = span_str(answers[i].payload);
		fake_function_end(&r);
		expect(answers[i].status, answers[i].message);
	}
}

Test(authorizer, has_how_long_its_function_took_in_the_context)
{
	use_function(0);
	ask("GET /dev\n");
	fake_loop_run(loop, 77);
	fake_function_end(&(struct result){.kind = RESULT_OK,
					   .status = 200,
					   .payload = span_str(POLICY("Allow", "*"))});
	cr_assert(strstr(got.context, "\"integrationLatency\":77") != NULL, "%s",
		  got.context);
	cr_assert(eq(i64, got.expires_ms, 0));
	cr_assert(not(got.bearer));
}

Test(authorizer, answers_each_of_many_questions_by_its_own_result)
{
	struct invocation copy;

	use_function(0);
	ask("GET /dev\n");
	copy = *in;
	authorizer_ask(authorizer, &copy, on_permission, NULL);
	fake_function_return(401);
	expect(401, "Unauthorized");
	got.n = 0;
	fake_function_return(403);
	expect(403, "Forbidden");
}

/* The leak sanitizer sees to it. */
Test(authorizer, forgets_its_questions_when_it_is_closed)
{
	use_function(0);
	ask("GET /dev\n");
	authorizer_close(authorizer);
	authorizer = NULL;
	cr_assert(eq(sz, got.n, 0));
}

static void close_it(void *arg, const struct permission *p)
{
	(void)arg;
	got.status = p->status;
	authorizer_close(authorizer);
	authorizer = NULL;
}

/* The call that ends held the last reference to an old configuration. */
Test(authorizer, may_be_closed_from_inside_of_its_last_permission)
{
	static const char *const payloads[] = {POLICY("Allow", "*"), POLICY("Deny", "*"),
					       ""};
	static const int statuses[] = {200, 403, 500};

	for (size_t i = 0; i < 3; i++) {
		struct sample s = {.kind = CONNECT, .head = "GET /dev\n"};

		use_function(0);
		free(in);
		in = sample_invocation(&s);
		in->setting = &setting.setting;
		authorizer_ask(authorizer, in, close_it, NULL);
		fake_function_end(&(struct result){.kind = RESULT_OK,
						   .status = 200,
						   .payload = span_str(payloads[i])});
		cr_assert(eq(int, got.status, statuses[i]));
	}
}

Test(authorizer, is_not_opened_with_an_unknown_source)
{
	static char *unknown[] = {(char *)"route.request.body"};
	struct config_authorizer config = {.name = (char *)"a",
					   .sort = CONFIG_REQUEST,
					   .identity = unknown,
					   .n_identity = 1};

	cr_assert(authorizer_open(loop, &config, &function) == NULL);
}

/* ---- a token; the clock begins at 1000 s ---- */

/* HS256 of {"sub":"me","exp":2000} and {"sub":"me","exp":10}. */
#define HEAD "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
#define GOOD                                                                             \
	HEAD "eyJzdWIiOiJtZSIsImV4cCI6MjAwMH0.A5Aj_CLXkkzPCvKuDCjK9TV0iTvsdjfM3X1kcK_"   \
	     "wh5g"
#define OVER                                                                             \
	HEAD "eyJzdWIiOiJtZSIsImV4cCI6MTB9.STg5mi9l-TWolPM5mTVU2_foAb4TSGgddjv7y28VU70"

static void use_token(void)
{
	static char *from[] = {(char *)"route.request.header.Authorization",
			       (char *)"route.request.subprotocol"};
	static struct config_authorizer config = {
		.name = (char *)"jwt",
		.sort = CONFIG_JWT,
		.identity = from,
		.n_identity = 2,
		.algorithm = (char *)"HS256",
		.key = (char *)"0123456789abcdef0123456789abcdef"};

	authorizer = authorizer_open(loop, &config, NULL);
	cr_assert(authorizer != NULL);
}

Test(authorizer, allows_a_good_token_until_it_expires_with_its_claims)
{
	use_token();
	ask("GET /dev\nAuthorization: Bearer " GOOD "\n");
	expect(200, "");
	cr_assert(eq(i64, got.expires_ms, 2060000));
	cr_assert(strstr(got.context, "\"principalId\":\"me\"") != NULL);
	cr_assert(strstr(got.context, "\"claims\":{") != NULL);
	cr_assert(not(got.bearer));
}

Test(authorizer, reports_that_the_token_came_as_a_subprotocol)
{
	use_token();
	ask("GET /dev\nSec-WebSocket-Protocol: bearer, " GOOD "\n");
	expect(200, "");
	cr_assert(got.bearer);
}

Test(authorizer, refuses_a_request_without_a_good_token)
{
	static const char *const heads[] = {
		"GET /dev\n", "GET /dev\nAuthorization: Bearer " OVER "\n",
		"GET /dev\nAuthorization: Bearer x\n",
		"GET /dev\nSec-WebSocket-Protocol: bearer, " OVER "\n"};

	use_token();
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		ask(heads[i]);
		expect(401, "Unauthorized");
		cr_assert(not(got.bearer));
	}
}
