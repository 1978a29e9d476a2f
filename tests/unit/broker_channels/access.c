#include "broker/channels/client/access.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jwt.h>
#include <stdlib.h>

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const int64_t now_ms = 1700000000000;

static struct config_authorizer config = {
	.name = (char *)"tokens",
	.sort = CONFIG_JWT,
	.algorithm = (char *)"HS256",
	.key = (char *)secret,
	.endless = true,
};
static struct authorizer *tokens;

static void start(void)
{
	tokens = authorizer_open(NULL, &config, NULL);
	cr_assert(tokens != NULL);
}

static void stop(void)
{
	authorizer_close(tokens);
}

TestSuite(access, .init = start, .fini = stop);

/* A signed token with these claims, freed by the caller. */
static char *token_of(const char *claims)
{
	jwt_t *jwt;
	char *text;

	cr_assert(eq(int, jwt_new(&jwt), 0));
	cr_assert(eq(int, jwt_add_grants_json(jwt, claims), 0));
	cr_assert(eq(int,
		     jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret,
				 (int)strlen(secret)),
		     0));
	text = jwt_encode_str(jwt);
	jwt_free(jwt);
	return text;
}

/* May it? Frees what is found. */
static bool may(struct access_request q)
{
	struct access a;

	q.now_ms = now_ms;
	access_check(&q, &a);
	free(a.info);
	cr_assert(ne(int, (int)a.verdict, ACCESS_ASK));
	if (a.verdict == ACCESS_REFUSED) {
		cr_assert(strcmp(a.failure.code, "forbidden") == 0);
		cr_assert(a.failure.message[0] != '\0' && !a.failure.retryable);
	}
	return a.verdict == ACCESS_ALLOWED;
}

static bool may_by(enum channel_rule rule, const char *channel, const char *user)
{
	struct channel_access r = {.rule = rule};

	return may((struct access_request){
		.rule = &r, .channel = span_str(channel), .user = span_str(user)});
}

Test(access, anyone_is_everybody)
{
	cr_assert(may_by(CHANNEL_ANYONE, "room:1", ""));
	cr_assert(may_by(CHANNEL_ANYONE, "room:1", "u"));
}

Test(access, authenticated_is_who_has_a_user)
{
	cr_assert(not(may_by(CHANNEL_AUTHENTICATED, "room:1", "")));
	cr_assert(may_by(CHANNEL_AUTHENTICATED, "room:1", "u"));
}

Test(access, nobody_is_no_client)
{
	cr_assert(not(may_by(CHANNEL_NOBODY, "room:1", "u")));
}

Test(access, a_function_is_to_be_asked)
{
	struct channel_access r = {.rule = CHANNEL_FUNCTION};
	struct access a;

	access_check(&(struct access_request){.rule = &r, .channel = span_str("a")}, &a);
	cr_assert(eq(int, (int)a.verdict, ACCESS_ASK));
	access_check(&(struct access_request){.rule = &r, .channel = span_str("a#7")},
		     &a);
	cr_assert(eq(int, (int)a.verdict, ACCESS_REFUSED));
}

struct listed {
	char channel[20], user[12];
	bool may;
};

ParameterizedTestParameters(access, a_list_of_users_holds_in_addition_to_the_rule)
{
	static struct listed rows[] = {
		{"user:#7", "7", true}, {"user:#7", "8", false}, {"user:#7", "", false},
		{"user:#", "", false},  {"user:#", "7", false},  {"x#7,9", "9", true},
		{"x#7,9", "7", true},   {"x#7,9", "7,9", false}, {"x#7,9", "", false},
		{"x#,", "", false},     {"x#7, 9", "9", false},  {"x#77", "7", false},
		{"x#7#8", "7", false},  {"x#7#8", "7#8", true},  {"x#*", "7", false},
		{"x#a,", "a", true},
	};

	return cr_make_param_array(struct listed, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct listed *row, access,
		  a_list_of_users_holds_in_addition_to_the_rule)
{
	cr_assert(row->may == may_by(CHANNEL_ANYONE, row->channel, row->user),
		  "%s for %s", row->channel, row->user);
	cr_assert(not(may_by(CHANNEL_NOBODY, row->channel, row->user)));
}

struct allowed {
	char context[100], channel[12];
	bool may;
};

ParameterizedTestParameters(access, the_authorizer_s_context_has_a_list_of_channels)
{
	static struct allowed rows[] = {
		{"{\"rooms\":\"1\"}", "room:1", true},
		{"{\"rooms\":\"1,2\"}", "room:2", true},
		{"{\"rooms\":\"1, 2\"}", "room:2", true},
		{"{\"rooms\":\"1,2\"}", "room:1,2", false},
		{"{\"rooms\":\"11\"}", "room:1", false},
		{"{\"rooms\":\"*\"}", "room:1", true},
		{"{\"rooms\":\"3,*\"}", "room:1", true},
		{"{\"rooms\":\"\"}", "room:", false},
		{"{\"rooms\":\",\"}", "room:", false},
		{"{\"rooms\":\"a:b\"}", "room:a:b", true},
		{"{\"rooms\":\"a\"}", "a", true},
		{"{\"rooms\":\"\\u0031\"}", "room:1", true},
		{"{\"rooms\":1}", "room:1", true},
		{"{\"rooms\":null}", "room:1", false},
		{"{\"rooms\":{\"1\":1}}", "room:1", false},
		{"{\"rooms\":[\"2\",\"1\"]}", "room:1", true},
		{"{\"rooms\":[\"2\",3]}", "room:3", false},
		{"{\"other\":\"1\"}", "room:1", false},
		{"{}", "room:1", false},
		{"", "room:1", false},
		{"{\"principalId\":\"u\",\"claims\":{\"rooms\":\"1\"}}", "room:1", true},
		{"{\"rooms\":\"2\",\"claims\":{\"rooms\":\"1\"}}", "room:1", false},
	};

	return cr_make_param_array(struct allowed, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct allowed *row, access,
		  the_authorizer_s_context_has_a_list_of_channels)
{
	struct channel_access r = {.rule = CHANNEL_CONTEXT, .name = (char *)"rooms"};
	struct access_request q = {.rule = &r,
				   .channel = span_str(row->channel),
				   .authorizer = span_str(row->context)};

	cr_assert(row->may == may(q), "%s for %s", row->context, row->channel);
}

struct tokened {
	char claims[100];
	bool may;
};

ParameterizedTestParameters(access, a_token_names_channels)
{
	static struct tokened rows[] = {
		{"{\"channel\":\"room:1\"}", true},
		{"{\"channels\":[\"a\",\"room:1\"]}", true},
		{"{\"channel\":\"a\",\"channels\":[\"room:1\"]}", true},
		{"{\"channel\":\"room:2\"}", false},
		{"{\"channels\":\"room:1\"}", false},
		{"{\"channels\":[[\"room:1\"]]}", false},
		{"{\"channel\":[\"room:1\"]}", false},
		{"{\"sub\":\"room:1\"}", false},
		{"{\"channel\":\"room:1\",\"exp\":1700000000}", true},
		{"{\"channel\":\"room:1\",\"exp\":1699999941}", true},
		{"{\"channel\":\"room:1\",\"exp\":1699999940}", false},
		{"{\"channel\":\"room:1\",\"exp\":\"never\"}", false},
		{"{\"channel\":\"room:1\",\"nbf\":1700000100}", false},
	};

	return cr_make_param_array(struct tokened, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct tokened *row, access, a_token_names_channels)
{
	struct channel_access r = {.rule = CHANNEL_TOKEN};
	char *text = token_of(row->claims);
	struct access_request q = {.rule = &r,
				   .channel = span_str("room:1"),
				   .tokens = tokens,
				   .token = span_str(text)};

	cr_assert(row->may == may(q), "%s", row->claims);
	free(text);
}

Test(access, without_a_right_token_there_is_none)
{
	struct channel_access r = {.rule = CHANNEL_TOKEN};
	struct access_request q = {.rule = &r, .channel = span_str("room:1")};

	q.token = span_str("x");
	cr_assert(not(may(q)), "the namespace has no key");
	q.tokens = tokens;
	cr_assert(not(may(q)), "no token");
	q.token = span_str("");
	cr_assert(not(may(q)), "an empty token");
}

Test(access, a_token_says_when_it_ends_and_who_it_is)
{
	struct channel_access r = {.rule = CHANNEL_TOKEN};
	char *text = token_of(
		"{\"channel\":\"room:1\",\"exp\":1700000100,\"info\":{\"n\":1}}");
	struct access a;

	access_check(&(struct access_request){.rule = &r,
					      .channel = span_str("room:1"),
					      .tokens = tokens,
					      .token = span_str(text),
					      .now_ms = now_ms},
		     &a);
	cr_assert(eq(int, (int)a.verdict, ACCESS_ALLOWED));
	cr_assert(eq(i64, a.expires_ms, 1700000160000));
	cr_assert(strcmp(a.info, "{\"n\":1}") == 0);
	free(a.info);
	free(text);
}
