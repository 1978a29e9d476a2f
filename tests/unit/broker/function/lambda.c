#include "broker/function/lambda.h"

#include "base/mem.h"
#include "broker/runtime/runtime.h"
#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNTIMES = 4, WAITING = 8 };

/* ---- in place of broker/runtime: requests wait until the test ends them ---- */

struct runtime {
	char function[30], address[60];
	int64_t queue, wait_ms;
	bool is_open;
	size_t n;
	struct {
		char id[64], arn[200], event[2000];
		int64_t timeout_ms;
		bool again;
		runtime_fn *fn;
		void *arg;
	} waiting[WAITING];
};
static struct runtime runtimes[RUNTIMES];
static size_t n_runtimes;
static bool cannot_listen;

struct runtime *runtime_new(struct loop *l, struct metrics *m,
			    const struct runtime_conf *conf)
{
	struct runtime *r = &runtimes[n_runtimes++];

	(void)l;
	(void)m;
	if (cannot_listen)
		return NULL;
	snprintf(r->function, sizeof r->function, "%s", conf->function);
	snprintf(r->address, sizeof r->address, "%s", conf->address);
	r->queue = conf->queue;
	r->wait_ms = conf->wait_ms;
	r->is_open = true;
	return r;
}

void runtime_free(struct runtime *r)
{
	r->is_open = false;
	r->n = 0;
}

const char *runtime_address(const struct runtime *r)
{
	return r->address;
}

void runtime_invoke(struct runtime *r, const struct runtime_request *q, runtime_fn *fn,
		    void *arg)
{
	size_t i = r->n++;

	snprintf(r->waiting[i].id, sizeof r->waiting[i].id, "%s", q->id);
	snprintf(r->waiting[i].arn, sizeof r->waiting[i].arn, "%s", q->arn);
	snprintf(r->waiting[i].event, sizeof r->waiting[i].event, "%.*s",
		 SPAN_ARG(blob_span(q->event)));
	blob_unref(q->event);
	r->waiting[i].timeout_ms = q->timeout_ms;
	r->waiting[i].again = q->again;
	r->waiting[i].fn = fn;
	r->waiting[i].arg = arg;
}

static void end_first(struct runtime *r, const struct result *result)
{
	runtime_fn *fn = r->waiting[0].fn;
	void *arg = r->waiting[0].arg;

	cr_assert(gt(sz, r->n, 0));
	memmove(r->waiting, r->waiting + 1, --r->n * sizeof *r->waiting);
	fn(arg, result);
}

/* ---- the fixture ---- */

static struct loop *loop;
static struct lambdas *lambdas;
static struct integration integration;

static void use_address(const char *address)
{
	lambdas_free(lambdas);
	lambdas = lambdas_new(
		loop, NULL,
		&(struct lambdas_conf){.address = address, .queue = 5, .wait_ms = 77});
	integration = lambda_integration(lambdas);
}

static void start(void)
{
	loop = loop_new();
	use_address("127.0.0.1");
}

static void stop(void)
{
	lambdas_free(lambdas);
	loop_free(loop);
}

TestSuite(lambda, .init = start, .fini = stop);

static const struct config_function first = {.name = (char *)"a",
					     .handler = (char *)"h.a",
					     .timeout_ms = 1000},
				    second = {.name = (char *)"b",
					      .handler = (char *)"h.b",
					      .timeout_ms = 2000};

static void *open_one(const struct config_function *f)
{
	return integration.open(integration.arg, f);
}

static const struct event_setting setting = {.stage = "dev",
					     .api_id = "abcdef1234",
					     .account = "123456789012",
					     .region = "us-east-1"};
static const struct event_route route = {
	.key = "say", .resource = "/", .function = "a", .two_way = true};

static struct invocation invocation(Gatepost__Event__Kind kind)
{
	return (struct invocation){.setting = &setting,
				   .route = &route,
				   .id = id_make(1, 2, 3),
				   .kind = kind,
				   .seq = 9,
				   .path = "/",
				   .body = span_str("x")};
}

/* What came of the last invocation. */
static struct {
	size_t n;
	enum result_kind kind;
	bool has_body;
	char body[100], payload[300], why[100];
} got;

static void on_result(void *arg, const struct result *r)
{
	(void)arg;
	got.n++;
	got.kind = r->kind;
	got.has_body = r->has_body;
	snprintf(got.body, sizeof got.body, "%.*s", SPAN_ARG(r->body));
	snprintf(got.payload, sizeof got.payload, "%.*s", SPAN_ARG(r->payload));
	snprintf(got.why, sizeof got.why, "%s", r->why ? r->why : "");
}

static void expect_addresses(const char *want)
{
	char *text = lambdas_addresses(lambdas);

	cr_assert(eq(str, text, (char *)(uintptr_t)want));
	free(text);
}

/* ---- addresses ---- */

Test(lambda, has_an_address_for_each_function_in_their_order)
{
	void *a, *b;

	expect_addresses("");
	a = open_one(&first);
	b = open_one(&second);
	cr_assert(eq(i64, runtimes[0].queue, 5));
	cr_assert(eq(i64, runtimes[0].wait_ms, 77));
	expect_addresses("a=127.0.0.1:0,b=127.0.0.1:0");
	integration.close(a);
	expect_addresses("b=127.0.0.1:0");
	integration.close(b);
}

Test(lambda, has_the_ports_after_the_one_that_was_set)
{
	void *a, *b;

	use_address("127.0.0.1:9001");
	a = open_one(&first);
	b = open_one(&second);
	expect_addresses("a=127.0.0.1:9001,b=127.0.0.1:9002");
	integration.close(a);
	integration.close(b);
}

Test(lambda, has_the_port_that_the_configuration_gives_it_unless_that_is_to_be_any)
{
	struct config_function own = first;
	void *a, *b;

	own.port = 9100;
	use_address("127.0.0.1:9001");
	a = open_one(&own);
	b = open_one(&second);
	expect_addresses("a=127.0.0.1:9100,b=127.0.0.1:9001");
	integration.close(a);
	integration.close(b);
	use_address("127.0.0.1");
	a = open_one(&own);
	expect_addresses("a=127.0.0.1:9100");
	integration.close(a);
	use_address("127.0.0.1:0");
	a = open_one(&own);
	expect_addresses("a=127.0.0.1:0");
	integration.close(a);
}

Test(lambda, leaves_an_address_without_a_number_as_it_is_to_be_refused)
{
	use_address("127.0.0.1:x");
	integration.close(open_one(&first));
	cr_assert(eq(str, runtimes[0].address, "127.0.0.1:x"));
}

Test(lambda, that_cannot_listen_is_not_opened)
{
	cannot_listen = true;
	cr_assert(open_one(&first) == NULL);
	expect_addresses("");
}

/* Its workers go on. */
Test(lambda, of_a_new_configuration_keeps_its_address_until_both_are_closed)
{
	struct config_function other = first;
	void *old = open_one(&first), *new = open_one(&first), *changed;

	cr_assert(eq(sz, n_runtimes, 1));
	integration.close(old);
	cr_assert(runtimes[0].is_open);
	other.handler = (char *)"h.other";
	changed = open_one(&other);
	cr_assert(eq(sz, n_runtimes, 2));
	integration.close(new);
	cr_assert(not(runtimes[0].is_open));
	integration.close(changed);
}

/* ---- invocations ---- */

Test(lambda, is_invoked_with_the_event_an_id_and_the_timeout_of_its_configuration)
{
	struct config_function patient = first;
	struct invocation in = invocation(GATEPOST__EVENT__KIND__MESSAGE);
	void *a = open_one(&first);
	char id[ID_TEXT];

	patient.timeout_ms = 5000;
	integration.invoke(a, &patient, &in, EVENT_PROXY, on_result, NULL);
	cr_assert(eq(sz, got.n, 0));
	cr_assert(eq(i64, runtimes[0].waiting[0].timeout_ms, 5000));
	cr_assert(eq(str, runtimes[0].waiting[0].id, (char *)id_request(&in.id, 9, id)));
	cr_assert(eq(str, runtimes[0].waiting[0].arn,
		     "arn:aws:lambda:us-east-1:123456789012:function:gatepost-dev-a"));
	cr_assert(strstr(runtimes[0].waiting[0].event, "\"body\":\"x\"") != NULL);
	end_first(&runtimes[0],
		  &(struct result){.kind = RESULT_OK,
				   .payload = span_str("{\"body\":\"hi\"}")});
	cr_assert(eq(str, got.body, "hi"));
	cr_assert(eq(str, got.payload, "{\"body\":\"hi\"}"));
	integration.close(a);
}

Test(lambda, gives_only_a_connect_or_a_disconnect_to_a_second_worker)
{
	static const struct {
		Gatepost__Event__Kind kind;
		bool again;
	} rows[] = {{GATEPOST__EVENT__KIND__DISCONNECT, true},
		    {GATEPOST__EVENT__KIND__CONNECT, true},
		    {GATEPOST__EVENT__KIND__MESSAGE, false},
		    {GATEPOST__EVENT__KIND__HTTP, false}};
	void *a = open_one(&first);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct invocation in = invocation(rows[i].kind);

		integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
		cr_assert(eq(int, runtimes[0].waiting[0].again, rows[i].again));
		end_first(&runtimes[0],
			  &(struct result){.kind = RESULT_FAILED, .why = "x"});
	}
	integration.close(a);
}

/* The numbers of a disconnect by its edge and by a broker differ: the function sees one id. */
Test(lambda, has_one_request_id_for_a_disconnect_whoever_reports_it)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__DISCONNECT);
	void *a = open_one(&first);

	integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
	in.seq = 10;
	integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
	cr_assert(eq(str, runtimes[0].waiting[0].id, runtimes[0].waiting[1].id));
	integration.close(a);
}

Test(lambda, passes_each_kind_of_failure_on_as_it_is)
{
	static const enum result_kind kinds[] = {RESULT_FAILED, RESULT_TIMEOUT,
						 RESULT_THROTTLED, RESULT_UNREACHABLE};
	struct invocation in = invocation(GATEPOST__EVENT__KIND__MESSAGE);
	void *a = open_one(&first);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
		end_first(&runtimes[0], &(struct result){.kind = kinds[i],
							 .why = "because",
							 .payload = span_str("{}")});
		cr_assert(eq(int, got.kind, kinds[i]));
		cr_assert(eq(str, got.why, "because"));
		cr_assert(eq(str, got.payload, "{}"));
	}
	cr_assert(eq(sz, got.n, 4));
	integration.close(a);
}

Test(lambda, fails_when_what_was_returned_is_no_result)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__HTTP);
	void *a = open_one(&first);

	integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
	end_first(&runtimes[0],
		  &(struct result){.kind = RESULT_OK, .payload = span_str("nonsense")});
	cr_assert(eq(int, got.kind, RESULT_FAILED));
	integration.close(a);
}

Test(lambda, leaves_what_an_authorizer_returned_unread)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__CONNECT);
	void *a = open_one(&first);

	integration.invoke(a, &first, &in, EVENT_AUTHORIZER, on_result, NULL);
	end_first(&runtimes[0],
		  &(struct result){.kind = RESULT_OK, .payload = span_str("nonsense")});
	cr_assert(eq(int, got.kind, RESULT_OK));
	cr_assert(eq(str, got.payload, "nonsense"));
	integration.close(a);
}

Test(lambda, fails_at_once_for_an_event_that_cannot_be_read)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__MESSAGE);
	void *a = open_one(&first);

	in.context = span_str("\x12\x7f");
	integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
	cr_assert(eq(int, got.kind, RESULT_FAILED));
	cr_assert(eq(sz, runtimes[0].n, 0));
	integration.close(a);
}

/* The leak sanitizer sees to it. */
Test(lambda, forgets_what_is_pending_when_it_is_closed)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__MESSAGE);
	void *a = open_one(&first);

	integration.invoke(a, &first, &in, EVENT_PROXY, on_result, NULL);
	integration.close(a);
	cr_assert(eq(sz, got.n, 0));
}

static void close_it(void *arg, const struct result *r)
{
	got.n++;
	cr_assert(eq(int, r->kind, RESULT_OK));
	integration.close(arg);
}

/* The call that ends held the last reference to an old configuration. */
Test(lambda, may_be_closed_from_inside_of_its_last_result)
{
	struct invocation in = invocation(GATEPOST__EVENT__KIND__MESSAGE);
	void *a = open_one(&first);

	integration.invoke(a, &first, &in, EVENT_PROXY, close_it, a);
	end_first(&runtimes[0],
		  &(struct result){.kind = RESULT_OK, .payload = span_str("{}")});
	cr_assert(eq(sz, got.n, 1));
	cr_assert(not(runtimes[0].is_open));
}
