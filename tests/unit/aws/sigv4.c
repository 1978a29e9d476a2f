/*
 * Signatures of AWS's published test suite ("aws-sig-v4-test-suite"), and of requests as
 * SDKs send them, each computed by botocore. Key, day and host are the suite's.
 */
#include "aws/sigv4.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SCOPE  "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

enum { NOW = 1440938160, HEADERS = 8, MOST = 2048 };

/* A request that lives in one piece of memory, so that a test can change any byte of it. */
struct sample {
	char method[16], path[256], query[512], body[64];
	char names[HEADERS][40], values[HEADERS][520];
	size_t n;
};

static void add_header(struct sample *s, const char *name, const char *value)
{
	snprintf(s->names[s->n], sizeof s->names[0], "%s", name);
	snprintf(s->values[s->n++], sizeof s->values[0], "%s", value);
}

/* What a client would send with this signature. */
static struct sample sample_of(const char *method, const char *target, const char *body,
			       const char *signed_headers, const char *signature)
{
	struct sample s = {.n = 0};
	size_t path = strcspn(target, "?");
	char authorization[400];

	snprintf(s.method, sizeof s.method, "%s", method);
	snprintf(s.path, sizeof s.path, "%.*s", (int)path, target);
	snprintf(s.query, sizeof s.query, "%s", target + path + (target[path] == '?'));
	snprintf(s.body, sizeof s.body, "%s", body);
	snprintf(authorization, sizeof authorization,
		 "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=%s, Signature=%s",
		 signed_headers, signature);
	add_header(&s, "Host", "example.amazonaws.com");
	add_header(&s, "X-Amz-Date", "20150830T123600Z");
	add_header(&s, "Authorization", authorization);
	return s;
}

/* OK, ERR_DENIED, or what sigv4_read said. */
static enum err check(const struct sample *s, const char *secret)
{
	struct sigv4_header headers[HEADERS];
	struct sigv4_request r = {
		.method = span_str(s->method),
		.path = span_str(s->path),
		.query = span_str(s->query),
		.headers = headers,
		.n_headers = s->n,
		.body = span_str(s->body),
	};
	struct sigv4 read;
	const char *why;
	enum err e;

	for (size_t i = 0; i < s->n; i++)
		headers[i] = (struct sigv4_header){span_str(s->names[i]),
						   span_str(s->values[i])};
	e = sigv4_read(&r, &read, &why);
	return e == OK ? sigv4_check(&r, &read, secret) : e;
}

struct row {
	char name[40];
	char method[8];
	char target[128];
	char body[40];
	char extra[2][2][40]; /* headers */
	char signed_headers[64];
	char signature[SIGV4_HEX + 1];
};

#define UNRESERVED "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define FORM       "application/x-www-form-urlencoded"
#define PLAIN                                                                            \
	{                                                                                \
		{"", ""},                                                                \
		{                                                                        \
			"", ""                                                           \
		}                                                                        \
	}

static struct row rows[] = {
	{"get-vanilla", "GET", "/", "", PLAIN, "host;x-amz-date",
	 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "",
	 PLAIN, "host;x-amz-date",
	 "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	{"post-header-key-sort",
	 "POST",
	 "/",
	 "",
	 {{"My-Header1", "value1"}, {"", ""}},
	 "host;my-header1;x-amz-date",
	 "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
	{"get-header-value-trim",
	 "GET",
	 "/",
	 "",
	 {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\" "}},
	 "host;my-header1;my-header2;x-amz-date",
	 "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	{"post-x-www-form-urlencoded",
	 "POST",
	 "/",
	 "Param1=value1",
	 {{"Content-Type", FORM}, {"", ""}},
	 "content-type;host;x-amz-date",
	 "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	{"get-unreserved", "GET", UNRESERVED, "", PLAIN, "host;x-amz-date",
	 "98964e1079ce472101899439653197a4f6e602f30cd6aaf6c76d81b4fd9866fe"},
	{"get-relative", "GET", "/example/..", "", PLAIN, "host;x-amz-date",
	 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{"get-slashes", "GET", "//example//", "", PLAIN, "host;x-amz-date",
	 "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
	{"get-slash-dot-slash", "GET", "/./", "", PLAIN, "host;x-amz-date",
	 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{"an id as SDKs send it", "POST", "/prod/@connections/JC1dgf9yoAMCK-g%3D",
	 "hello", PLAIN, "host;x-amz-date",
	 "ea81703c7bcf2fdf283f2bd7c8981e734d34dcef77385177b075c0725afacccf"},
	{"an id as it is, below %40", "GET", "/prod/%40connections/JC1dgf9yoAMCK-g=", "",
	 PLAIN, "host;x-amz-date",
	 "6cab7b6911d0d6433467c66333fe3244eac1faac1403b969f8839502b3c3a12e"},
	{"a session token",
	 "POST",
	 "/prod/@connections/A%3D",
	 "hi",
	 {{"X-Amz-Security-Token", "tok/en="}, {"", ""}},
	 "host;x-amz-date;x-amz-security-token",
	 "a39535cd84dd01ac91e44f6527aae9266b39280616224b7da276d2e71ba93e33"},
};

static struct sample sample_of_row(const struct row *r)
{
	struct sample s =
		sample_of(r->method, r->target, r->body, r->signed_headers, r->signature);

	for (size_t i = 0; i < 2; i++)
		if (r->extra[i][0][0] != '\0')
			add_header(&s, r->extra[i][0], r->extra[i][1]);
	return s;
}

ParameterizedTestParameters(sigv4, the_suite)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, sigv4, the_suite)
{
	struct sample s = sample_of_row(r);

	cr_assert(eq(int, check(&s, SECRET), OK), "%s", r->name);
	cr_assert(eq(int, check(&s, SECRET "x"), ERR_DENIED), "%s", r->name);
}

/* Each byte of a text, changed one after the other; the number of changes that went unnoticed. */
static size_t unnoticed(struct sample *s, char *text)
{
	size_t n = 0;

	for (char *c = text; *c != '\0'; c++) {
		char was = *c;

		for (int bit = 0; bit < 7; bit++) {
			*c = (char)(was ^ 1 << bit);
			if (*c != '\0')
				n += check(s, SECRET) == OK;
		}
		*c = was;
	}
	return n;
}

Test(sigv4, a_change_of_any_byte_that_is_signed_is_noticed)
{
	struct sample s = sample_of_row(&rows[9]);
	char *host = s.values[0], *date = s.values[1], *authorization = s.values[2];

	cr_assert(eq(sz, unnoticed(&s, s.method), 0));
	cr_assert(eq(sz, unnoticed(&s, s.path), 0));
	cr_assert(eq(sz, unnoticed(&s, s.body), 0));
	cr_assert(eq(sz, unnoticed(&s, host), 0));
	cr_assert(eq(sz, unnoticed(&s, date), 0));
	/* The key's id is what the secret is looked up by; what separates its parts may be wider. */
	cr_assert(eq(sz, unnoticed(&s, strstr(authorization, "/20150830")), 0));
}

Test(sigv4, a_parameter_more_or_less_is_noticed)
{
	struct sample s = sample_of_row(&rows[1]);

	snprintf(s.query, sizeof s.query, "Param1=value1&Param2=value2");
	cr_assert(eq(int, check(&s, SECRET), OK), "their order does not count");
	snprintf(s.query, sizeof s.query, "Param1=v%%61lue1&Param2=value2");
	cr_assert(eq(int, check(&s, SECRET), OK), "nor how they are encoded");
	snprintf(s.query, sizeof s.query, "Param1=value1");
	cr_assert(eq(int, check(&s, SECRET), ERR_DENIED));
	snprintf(s.query, sizeof s.query,
		 "Param1=value1&Param2=value2&X-Amz-Signature=1");
	cr_assert(eq(int, check(&s, SECRET), ERR_DENIED));
}

/* What AWS's Go client, curl and proxies do to a header. */
Test(sigv4, names_of_headers_in_any_case_and_blanks_around_values_do_not_count)
{
	struct sample s = sample_of_row(&rows[3]);

	snprintf(s.names[0], sizeof s.names[0], "HOST");
	snprintf(s.names[3], sizeof s.names[3], "my-header1");
	snprintf(s.values[4], sizeof s.values[4], "\"a b \t c\"");
	cr_assert(eq(int, check(&s, SECRET), OK));
	add_header(&s, "User-Agent", "not signed");
	cr_assert(eq(int, check(&s, SECRET), OK));
	add_header(&s, "My-Header1", "again");
	cr_assert(eq(int, check(&s, SECRET), ERR_DENIED));
}

/* ---- the payload ---- */

static const char hash_of_hello[] =
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/* A request that is signed here, with this value of x-amz-content-sha256. */
static enum err check_with_payload(const char *payload, const char *body)
{
	struct sigv4_header headers[3] = {
		{span_str("host"), span_str("h")},
		{span_str("x-amz-date"), span_str("20150830T123600Z")},
		{span_str("authorization"), span_str("")},
	};
	struct sigv4_request r = {.method = span_str("POST"),
				  .path = span_str("/"),
				  .headers = headers,
				  .n_headers = 2,
				  .body = span_str("hello")};
	struct sigv4_key key = {"AKIDEXAMPLE", SECRET, "us-east-1", "service"};
	char authorization[SIGV4_AUTHORIZATION];
	struct sample s;

	cr_assert(eq(int, sigv4_sign(&r, &key, "20150830T123600Z", authorization), OK));
	s = sample_of("POST", "/", body, "", "");
	snprintf(s.values[0], sizeof s.values[0], "h");
	snprintf(s.values[2], sizeof s.values[2], "%s", authorization);
	if (payload != NULL)
		add_header(&s, "X-Amz-Content-Sha256", payload);
	return check(&s, SECRET);
}

Test(sigv4, what_sigv4_sign_makes_is_accepted)
{
	cr_assert(eq(int, check_with_payload(NULL, "hello"), OK));
	cr_assert(eq(int, check_with_payload(NULL, "hellO"), ERR_DENIED));
}

Test(sigv4, the_hash_in_the_header_is_that_of_the_body)
{
	cr_assert(eq(int, check_with_payload(hash_of_hello, "hello"), OK));
	cr_assert(eq(int, check_with_payload(hash_of_hello, "other"), ERR_DENIED));
	cr_assert(eq(int,
		     check_with_payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "hello"),
		     ERR_MALFORMED));
	cr_assert(eq(int, check_with_payload("UNSIGNED-PAYLOAD", "hello"), ERR_DENIED),
		  "it was signed with the body's hash");
}

/* botocore with Config(signature_version="v4") and payload signing off. */
Test(sigv4, an_unsigned_payload_may_be_anything_when_it_is_signed_to_be_so)
{
	struct sample s = sample_of(
		"POST", "/", "whatever", "host;x-amz-content-sha256;x-amz-date",
		"05e1b307416f2cbcf15dd86269efd55537182ee4416101af58762e96bba470bb");

	add_header(&s, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
	cr_assert(eq(int, check(&s, SECRET), OK));
}

/* ---- in the query ---- */

#define PRESIGNED                                                                        \
	"Param1=value1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%"   \
	"2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z"    \
	"&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature="                  \
	"49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de"

static struct sample presigned(void)
{
	struct sample s = {.n = 0};

	snprintf(s.method, sizeof s.method, "GET");
	snprintf(s.path, sizeof s.path, "/");
	snprintf(s.query, sizeof s.query, "%s", PRESIGNED);
	add_header(&s, "Host", "example.amazonaws.com");
	return s;
}

Test(sigv4, a_presigned_request_is_accepted)
{
	struct sample s = presigned();

	cr_assert(eq(int, check(&s, SECRET), OK));
	cr_assert(eq(int, check(&s, "another"), ERR_DENIED));
}

Test(sigv4, a_change_of_any_value_of_a_presigned_query_is_noticed)
{
	static const char *const values[] = {"value1",     "AWS4-",     "20150830%2F",
					     "us-east-1",  "20150830T", "3600",
					     "host&X-Amz", "49096700"};
	struct sample s = presigned();

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char *at = strstr(s.query, values[i]);
		char was = *at;

		*at = was == '9' ? '8' : (char)(was + 1);
		cr_assert(ne(int, check(&s, SECRET), OK), "%s", values[i]);
		*at = was;
	}
}

Test(sigv4, a_presigned_request_lives_as_long_as_it_says)
{
	struct sigv4 s = {.time_s = NOW, .expires_s = 3600, .in_query = true};
	char why[200];

	cr_assert(eq(int, sigv4_age(&s, NOW + 3600, why, sizeof why), OK));
	cr_assert(eq(int, sigv4_age(&s, NOW + 3601, why, sizeof why), ERR_DENIED));
	cr_assert(eq(int, sigv4_age(&s, NOW - 900, why, sizeof why), OK));
	cr_assert(eq(int, sigv4_age(&s, NOW - 901, why, sizeof why), ERR_DENIED));
}

Test(sigv4, a_signature_is_refused_when_the_clocks_are_more_than_15_minutes_apart)
{
	struct sigv4 s = {.time_s = NOW, .time = span_str("20150830T123600Z")};
	char why[200];

	cr_assert(eq(int, sigv4_age(&s, NOW + 900, why, sizeof why), OK));
	cr_assert(eq(int, sigv4_age(&s, NOW - 900, why, sizeof why), OK));
	cr_assert(eq(int, sigv4_age(&s, NOW + 901, why, sizeof why), ERR_DENIED));
	cr_assert(not(eq(ptr, strstr(why, "Signature expired: 20150830T123600Z"), NULL)));
	cr_assert(eq(int, sigv4_age(&s, NOW - 901, why, sizeof why), ERR_DENIED));
	cr_assert(not(eq(ptr, strstr(why, "Signature not yet current"), NULL)));
}

/* ---- what is no signature ---- */

struct wrong {
	char why[40];
	char authorization[320];
	enum err want;
};

#define GOOD_SIGNATURE                                                                   \
	"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

ParameterizedTestParameters(sigv4, malformed)
{
	static struct wrong all[] = {
		{"nothing", "", ERR_NOTFOUND},
		{"another scheme", "Basic dTpw", ERR_NOTFOUND},
		{"the algorithm alone", "AWS4-HMAC-SHA256", ERR_MALFORMED},
		{"no credential",
		 "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, " GOOD_SIGNATURE,
		 ERR_MALFORMED},
		{"no key id",
		 "AWS4-HMAC-SHA256 Credential=/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=host;x-amz-date, " GOOD_SIGNATURE,
		 ERR_MALFORMED},
		{"another day than the date's",
		 "AWS4-HMAC-SHA256 Credential=A/20150831/us-east-1/service/aws4_request, "
		 "SignedHeaders=host;x-amz-date, " GOOD_SIGNATURE,
		 ERR_MALFORMED},
		{"another end of the scope",
		 "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/service/aws5_request, "
		 "SignedHeaders=host;x-amz-date, " GOOD_SIGNATURE,
		 ERR_MALFORMED},
		{"host is not signed",
		 "AWS4-HMAC-SHA256 Credential=" SCOPE
		 ", SignedHeaders=x-amz-date, " GOOD_SIGNATURE,
		 ERR_MALFORMED},
		{"a short signature",
		 "AWS4-HMAC-SHA256 Credential=" SCOPE
		 ", SignedHeaders=host;x-amz-date, Signature=5fa0",
		 ERR_MALFORMED},
		{"no signature",
		 "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host;x-amz-date",
		 ERR_MALFORMED},
	};
	return cr_make_param_array(struct wrong, all, sizeof all / sizeof *all);
}

ParameterizedTest(struct wrong *w, sigv4, malformed)
{
	struct sample s = sample_of("GET", "/", "", "", "");

	snprintf(s.values[2], sizeof s.values[2], "%s", w->authorization);
	cr_assert(eq(int, check(&s, SECRET), w->want), "%s", w->why);
}

Test(sigv4, a_date_that_is_none_is_malformed)
{
	static const char *const dates[] = {"",
					    "20150830",
					    "20150830T123600",
					    "20151330T123600Z",
					    "2015083OT123600Z",
					    "20150830T126000Z",
					    "Sun, 30 Aug 2015"};

	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		struct sample s = sample_of_row(&rows[0]);

		snprintf(s.values[1], sizeof s.values[1], "%s", dates[i]);
		cr_assert(eq(int, check(&s, SECRET), ERR_MALFORMED), "%s", dates[i]);
	}
}

/* Every prefix of both forms: none is accepted, none is read beyond its end. */
Test(sigv4, what_is_cut_short_is_not_accepted)
{
	struct sample whole = sample_of_row(&rows[0]);

	for (size_t n = 0; n < strlen(whole.values[2]); n++) {
		struct sample s = whole;

		s.values[2][n] = '\0';
		cr_assert(ne(int, check(&s, SECRET), OK));
	}
	for (size_t n = 0; n < strlen(PRESIGNED); n++) {
		struct sample s = presigned();

		s.query[n] = '\0';
		cr_assert(ne(int, check(&s, SECRET), OK));
	}
}
