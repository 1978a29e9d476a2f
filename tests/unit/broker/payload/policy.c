#include "broker/payload/event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

static const char arn[] =
	"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/$connect";

struct policy {
	char statement[220];
	char want; /* A: allowed, D: denied, M: malformed */
};

#define ANY   "\"Action\":\"execute-api:Invoke\",\"Resource\":\"*\""
#define ALLOW "{\"Effect\":\"Allow\"," ANY "}"
#define RESOURCE(r)                                                                      \
	"{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\"Resource\":" r "}"
#define ACTION(a) "{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":" a "}"

/* IAM: "Policy evaluation logic"; section 2.2. */
ParameterizedTestParameters(event_grant, policy)
{
	static struct policy rows[] = {
		{ALLOW, 'A'},
		{"[" ALLOW "]", 'A'},
		{"[]", 'D'},
		{"{\"Effect\":\"Deny\"," ANY "}", 'D'},
		{"[" ALLOW ",{\"Effect\":\"Deny\"," ANY "}]", 'D'},
		{"[{\"Effect\":\"Deny\"," ANY "}," ALLOW "]", 'D'},
		{"[" ALLOW
		 ",{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]",
		 'A'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/"
			  "$connect\""),
		 'A'},
		{RESOURCE("\"arn:aws:execute-api:*:*:*/dev/$connect\""), 'A'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/*\""),
		 'A'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/de?/"
			  "$connect\""),
		 'A'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/d?/"
			  "$connect\""),
		 'D'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/"
			  "*\""),
		 'D'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/DEV/"
			  "*\""),
		 'D'},
		{RESOURCE("\"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/"
			  "$connect?\""),
		 'D'},
		{RESOURCE("\"*connect*\""), 'A'},
		{RESOURCE("\"*a*b*c*nope\""), 'D'},
		{RESOURCE("\"\""), 'D'},
		{RESOURCE("[\"nope\",\"*\"]"), 'A'},
		{RESOURCE("[]"), 'D'},
		{RESOURCE("7"), 'M'},
		{RESOURCE("[\"*\",7]"), 'M'},
		{RESOURCE("null"), 'M'},
		{ACTION("\"*\""), 'A'},
		{ACTION("\"execute-api:*\""), 'A'},
		{ACTION("\"EXECUTE-API:invoke\""), 'A'},
		{ACTION("[\"s3:GetObject\",\"execute-api:Inv*\"]"), 'A'},
		{ACTION("\"execute-api:ManageConnections\""), 'D'},
		{ACTION("\"execute-api\\u003aInvoke\""), 'A'},
		{"{\"Effect\":\"Allow\",\"NotAction\":\"s3:*\",\"Resource\":\"*\"}", 'A'},
		{"{\"Effect\":\"Allow\",\"NotAction\":\"*\",\"Resource\":\"*\"}", 'D'},
		{"{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":\"*/prod/*\"}",
		 'A'},
		{"{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":\"*/dev/*\"}",
		 'D'},
		{"{\"Effect\":\"Allow\",\"Action\":\"*\"}", 'M'},
		{"{\"Effect\":\"Allow\",\"Resource\":\"*\"}", 'M'},
		{"{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\","
		 "\"Resource\":\"*\"}",
		 'M'},
		{"{" ANY "}", 'M'},
		{"{\"Effect\":\"allow\"," ANY "}", 'M'},
		{"{\"Effect\":\"Allow\",\"Condition\":{}," ANY "}", 'A'},
		{"{\"Effect\":\"Allow\",\"Condition\":{\"IpAddress\":{}}," ANY "}", 'M'},
		{"[" ALLOW ",7]", 'M'},
		{"\"Allow\"", 'M'},
		{"null", 'M'},
	};

	return cr_make_param_array(struct policy, rows, sizeof rows / sizeof *rows);
}

static char outcome(enum err e, const struct event_grant *g)
{
	cr_assert(eq(int, g->allow, g->context != NULL));
	return e != OK ? 'M' : g->allow ? 'A' : 'D';
}

static char outcome_of(const char *payload)
{
	struct event_grant g;
	enum err e = event_grant_parse(span_str(payload), arn, 5, &g);
	char got = outcome(e, &g);

	free(g.context);
	return got;
}

ParameterizedTest(struct policy *r, event_grant, policy)
{
	char payload[400];

	snprintf(payload, sizeof payload,
		 "{\"principalId\":\"u\",\"policyDocument\":{\"Version\":\"2012-10-17\","
		 "\"Statement\":%s}}",
		 r->statement);
	cr_assert(eq(chr, outcome_of(payload), r->want), "%s", r->statement);
}

struct context {
	char members[240], want[160]; /* want is empty: malformed */
};

#define POLICY "\"policyDocument\":{\"Statement\":" ALLOW "}"
#define TAIL   "\"principalId\":\"u\",\"integrationLatency\":5}"

ParameterizedTestParameters(event_grant, context)
{
	static struct context rows[] = {
		{"\"principalId\":\"u\"," POLICY, "{" TAIL},
		{"\"principalId\":\"u\",\"context\":null," POLICY, "{" TAIL},
		{"\"principalId\":\"u\",\"context\":{}," POLICY, "{" TAIL},
		{"\"principalId\":\"u\",\"context\":{\"s\":\"\\u00e9\\\"\",\"n\":1.5,"
		 "\"b\":true}," POLICY,
		 "{\"s\":\"\\u00e9\\\"\",\"n\":\"1.5\",\"b\":\"true\"," TAIL},
		{"\"principalId\":\"u\",\"context\":{\"none\":null,\"a\":\"1\",\"a\":"
		 "\"2\"}," POLICY,
		 "{\"a\":\"2\"," TAIL},
		{"\"principalId\":\"u\",\"context\":{\"principalId\":\"x\","
		 "\"integrationLatency\":9}," POLICY,
		 "{" TAIL},
		{"\"principalId\":\"u\",\"context\":{\"s\":\"a\\ud800\\n\",\"\\udc00\":1}"
		 "," POLICY,
		 "{\"s\":\"a\xef\xbf\xbd\\n\",\"\xef\xbf\xbd\":\"1\"," TAIL},
		{"\"principalId\":\"u\",\"context\":{\"s\":\"a\xff\nb\",\"n\":NaN}"
		 "," POLICY,
		 "{\"s\":\"a\xef\xbf\xbd\\nb\",\"n\":\"NaN\"," TAIL},
		{"\"x\":[-Infinity],\"principalId\":\"u\"," POLICY, "{" TAIL},
		{"\"principalId\":\"u\",\"context\":{\"o\":{}}," POLICY, ""},
		{"\"principalId\":\"u\",\"context\":{\"l\":[1]}," POLICY, ""},
		{"\"principalId\":\"u\",\"context\":\"x\"," POLICY, ""},
		{"\"principalId\":7," POLICY, ""},
		{POLICY, ""},
		{"\"principalId\":\"u\"", ""},
		{"\"principalId\":\"u\",\"policyDocument\":\"Allow\"", ""},
		{"\"principalId\":\"u\",\"policyDocument\":{}", ""},
	};

	return cr_make_param_array(struct context, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct context *r, event_grant, context)
{
	char payload[400];
	struct event_grant g;
	enum err e;

	snprintf(payload, sizeof payload, "{%s}", r->members);
	e = event_grant_parse(span_str(payload), arn, 5, &g);
	cr_assert(eq(chr, outcome(e, &g), r->want[0] ? 'A' : 'M'), "%s", payload);
	if (g.allow)
		cr_assert(eq(str, g.context, r->want));
	free(g.context);
}

Test(event_grant, half_of_a_surrogate_pair_in_a_policy_is_not_repaired)
{
	cr_assert(eq(
		chr,
		outcome_of(
			"{\"principalId\":\"u\",\"policyDocument\":{\"Statement\":[" ALLOW
			",{\"Effect\":\"Deny\",\"Action\":\"*\","
			"\"Resource\":\"*\\ud800\"}]}}"),
		'M'));
}

static void says(const char *payload, const char *want)
{
	struct event_grant g;

	cr_assert(
		eq(int, event_grant_parse(span_str(payload), arn, 5, &g), ERR_MALFORMED));
	cr_assert(strstr(g.why, want) != NULL, "%s: %s", payload, g.why);
}

Test(event_grant, says_what_is_malformed)
{
	says("{\"a\":1 2}", "not JSON: at byte 7 a comma or } was expected");
	says("[]", "not an object");
	says("{}", "principalId");
	says("{\"principalId\":\"u\"}", "policyDocument");
	says("{\"principalId\":\"u\",\"policyDocument\":{}}", "Statement");
	says("{\"principalId\":\"u\"," POLICY ",\"context\":7}", "context");
}

Test(event_grant, what_is_no_object_is_malformed)
{
	cr_assert(eq(chr, outcome_of(""), 'M'));
	cr_assert(eq(chr, outcome_of("null"), 'M'));
	cr_assert(eq(chr, outcome_of("[]"), 'M'));
	cr_assert(eq(chr, outcome_of("{"), 'M'));
}

/* AWS's quota: every later event would carry it. */
Test(event_grant, more_than_8_KiB_is_malformed)
{
	static const char form[] =
		"{\"principalId\":\"u\"," POLICY ",\"context\":{\"a\":\"%0*d\"}}";
	char payload[9000];

	snprintf(payload, sizeof payload, form, 8000, 0);
	cr_assert(eq(chr, outcome_of(payload), 'A'));
	snprintf(payload, sizeof payload, form, 8192, 0);
	cr_assert(eq(chr, outcome_of(payload), 'M'));
}
