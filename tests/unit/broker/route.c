#include "broker/route.h"

#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <unistd.h>

static struct routes *r;

static void start(void)
{
	struct broker_conf conf = {.selection = "$request.body.action"};

	r = routes_new(&conf);
}

static void end(void)
{
	routes_free(r);
}

TestSuite(route, .init = start, .fini = end);

static void expect(const char *body, bool binary, const char *name)
{
	const struct function *f = route_select(r, span_str(body), binary);

	cr_assert(f != NULL, "%s", body);
	cr_assert(eq(str, (char *)f->name, (char *)(uintptr_t)name), "%s", body);
}

Test(route, a_message_goes_where_its_action_says)
{
	expect("{\"action\":\"echo\",\"x\":1}", false, "echo");
	expect("{\"action\":\"ping\"}", false, "ping");
	expect("{\"action\":\"\\u0070ing\"}", false, "ping");
}

Test(route, what_no_route_takes_goes_to_default)
{
	expect("{\"action\":\"nope\"}", false, "reject");
	expect("{\"action\":\"Echo\"}", false, "reject");
	expect("{\"action\":\"\"}", false, "reject");
	expect("{\"action\":null}", false, "reject");
	expect("{\"action\":{\"echo\":1}}", false, "reject");
	expect("{}", false, "reject");
	expect("5", false, "reject");
	expect("hello", false, "reject");
	expect("", false, "reject");
}

Test(route, binary_messages_go_to_default_whatever_is_in_them)
{
	expect("{\"action\":\"echo\"}", true, "reject");
}

Test(route, no_client_chooses_a_route_of_ours)
{
	expect("{\"action\":\"$connect\"}", false, "reject");
	expect("{\"action\":\"$disconnect\"}", false, "reject");
	expect("{\"action\":\"$default\"}", false, "reject");
}

Test(route, a_key_longer_than_any_goes_to_default)
{
	char body[600] = "{\"action\":\"";

	memset(body + strlen(body), 'e', 500);
	strcat(body, "\"}");
	expect(body, false, "reject");
}

Test(route, the_default_route_can_be_echo)
{
	struct broker_conf conf = {.selection = "$request.body.type", .default_route = 1};

	routes_free(r);
	r = routes_new(&conf);
	expect("{\"action\":\"ping\"}", false, "echo");
	expect("{\"type\":\"ping\"}", false, "ping");
	expect("hello", true, "echo");
}

Test(route, connect_and_disconnect_have_their_functions)
{
	cr_assert(eq(str, (char *)route_find(r, "$connect")->name, "connect"));
	cr_assert(eq(str, (char *)route_find(r, "$disconnect")->name, "disconnect"));
}

static bool has_http(const char *method, const char *path)
{
	return route_http(r, span_str(method), span_str(path)) != NULL;
}

Test(route, ping_is_there_for_get_and_head_alone)
{
	cr_assert(has_http("GET", "/ping"));
	cr_assert(has_http("HEAD", "/ping"));
	cr_assert(not(has_http("POST", "/ping")));
	cr_assert(not(has_http("get", "/ping")));
	cr_assert(not(has_http("GET", "/ping/")));
	cr_assert(not(has_http("GET", "/")));
	cr_assert(not(has_http("GET", "/$connect")));
	cr_assert(eq(str, (char *)route_http(r, span_str("GET"), span_str("/ping"))->name,
		     "ping"));
}

Test(route, a_malformed_expression_is_refused_with_a_line_that_says_where)
{
	struct broker_conf conf = {.selection = "$request.nope"};
	struct capture *c = capture_start(STDERR_FILENO);
	struct routes *none = routes_new(&conf);
	char *said = capture_end(c);

	cr_assert(none == NULL);
	cr_assert(strstr(said, "route.selection.malformed") != NULL, "%s", said);
	cr_assert(strstr(said, "column 2") != NULL, "%s", said);
	free(said);
	routes_free(NULL);
}
