#include "broker/auth/identity.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

/* What source finds in a request with this query, and a header of that name. */
static void expect(const char *source, const char *query, const char *name,
		   const char *value, const char *want)
{
	Gatepost__Request q = GATEPOST__REQUEST__INIT;
	Gatepost__Request__Header h = GATEPOST__REQUEST__HEADER__INIT, *list[] = {&h};
	char *got;

	q.query = data(query);
	h.name = data(name);
	h.value = data(value);
	q.headers = list;
	q.n_headers = 1;
	got = identity_find(&q, source);
	cr_assert(eq(str, got ? got : (char *)"nothing",
		     (char *)(uintptr_t)(want ? want : "nothing")),
		  "%s ?%s %s: %s", source, query, name, value);
	free(got);
}

static void expect_header(const char *name, const char *value, const char *want)
{
	expect("route.request.header.Authorization", "", name, value, want);
}

Test(identity, a_header_is_found_in_any_case_and_bearer_is_no_part_of_it)
{
	expect_header("Authorization", "abc", "abc");
	expect_header("AUTHORIZATION", "Bearer abc", "abc");
	expect_header("authorization", "bearer  abc ", "abc");
	expect_header("Authorization", "Basic abc", "Basic abc");
	expect_header("Authorization", "", NULL);
	expect_header("Authorization2", "abc", NULL);
	expect("route.request.header.X-Key", "", "x-key", "Bearer abc", "Bearer abc");
}

static void expect_query(const char *query, const char *want)
{
	expect("route.request.querystring.token", query, "A", "b", want);
}

Test(identity, a_query_is_decoded)
{
	expect_query("token=abc", "abc");
	expect_query("a=b&token=abc&token=x", "abc");
	expect_query("token=a%2Bb%3D", "a+b=");
	expect_query("token=a=b", "a=b");
	expect_query("token=", NULL);
	expect_query("token", NULL);
	expect_query("", NULL);
	expect_query("&&=&", NULL);
	expect_query("Token=abc", NULL);
	expect_query("tokens=abc", NULL);
	expect_query("token=%zz", NULL);
	expect_query("token=a%", NULL);
}

static void expect_cookie(const char *cookie, const char *want)
{
	expect("route.request.cookie.sid", "", "cookie", cookie, want);
}

Test(identity, a_cookie_is_found_among_others)
{
	expect_cookie("sid=abc", "abc");
	expect_cookie("a=b; sid=abc; c=d", "abc");
	expect_cookie("a=b;sid=abc==", "abc==");
	expect_cookie("xsid=1; sid=abc", "abc");
	expect_cookie("sid=", NULL);
	expect_cookie("sid", NULL);
	expect_cookie("; ;=;", NULL);
	expect_cookie("SID=abc", NULL);
}

static void expect_subprotocol(const char *offer, const char *want)
{
	expect("route.request.subprotocol", "", "Sec-WebSocket-Protocol", offer, want);
}

Test(identity, a_subprotocol_is_the_one_behind_bearer)
{
	expect_subprotocol("bearer, abc", "abc");
	expect_subprotocol("chat,bearer,abc,x", "abc");
	expect_subprotocol("Bearer , abc", "abc");
	expect_subprotocol("bearer", NULL);
	expect_subprotocol("bearer,", NULL);
	expect_subprotocol("abc", NULL);
	expect_subprotocol("bearers, abc", NULL);
	expect_subprotocol("", NULL);
}

Test(identity, a_source_is_one_of_four_forms)
{
	cr_assert(identity_is_source("route.request.header.X"));
	cr_assert(identity_is_source("route.request.querystring.x"));
	cr_assert(identity_is_source("route.request.cookie.x"));
	cr_assert(identity_is_source("route.request.subprotocol"));
	cr_assert(not(identity_is_source("route.request.header.")));
	cr_assert(not(identity_is_source("route.request.subprotocol.x")));
	cr_assert(
		not(identity_is_source("$request.header.X"))); /* the form of HTTP APIs */
	cr_assert(not(identity_is_source("")));
}
