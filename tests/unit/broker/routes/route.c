#include "broker/routes/route.h"

#include "base/mem.h"
#include "broker/function/builtin.h"
#include "json/read.h"
#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <unistd.h>

static struct integration integrations[INTEGRATIONS];
static const struct routes_uses uses = {.integrations = integrations};
static struct routes *r;

static struct routes *builtin(const char *selection, const char *default_handler)
{
	return routes_new(&uses, config_builtin("dev", selection, default_handler));
}

static void start(void)
{
	integrations[CONFIG_BUILTIN] = builtin_integration();
	r = builtin(CONFIG_SELECTION, "builtin:reject");
}

static void end(void)
{
	routes_unref(r);
}

TestSuite(route, .init = start, .fini = end);

static const struct route *selected(const char *body, bool binary)
{
	bool too_big;
	const struct route *got = route_select(r, span_str(body), binary, &too_big);

	cr_assert(not(too_big), "%s", body);
	return got;
}

static void expect(const char *body, bool binary, const char *name)
{
	const struct route *got = selected(body, binary);

	cr_assert(got != NULL, "%s", body);
	cr_assert(eq(str, got->function->config->name, (char *)(uintptr_t)name), "%s",
		  body);
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

/* {"doc":[[[…]]],"action":"ping"} with this many levels in all. */
static char *deep(size_t levels)
{
	char *open = xcalloc(1, levels), *close = xcalloc(1, levels), *text;

	memset(open, '[', levels - 1);
	memset(close, ']', levels - 1);
	text = xasprintf("{\"doc\":%s%s,\"action\":\"ping\"}", open, close);
	free(open);
	free(close);
	return text;
}

Test(route,
     a_message_of_json_depth_levels_has_its_route_and_one_more_is_said_to_be_too_deep)
{
	char *fits = deep(JSON_DEPTH), *over = deep(JSON_DEPTH + 1), *why;
	bool too_big;

	expect(fits, false, "ping");
	cr_assert(eq(str,
		     (char *)(uintptr_t)route_select(r, span_str(over), false, &too_big)
			     ->function->config->name,
		     "reject"));
	cr_assert(too_big);
	why = route_explain(r, span_str(over), false);
	cr_assert(eq(str, why, "JSON with more than 512 levels, at byte 518"));
	free(why);
	free(fits);
	free(over);
}

static void explains(const char *body, bool binary, const char *want)
{
	char *why = route_explain(r, span_str(body), binary);

	cr_assert(eq(str, why, (char *)(uintptr_t)want), "%s", body);
	free(why);
}

Test(route, says_why_a_message_has_no_route_of_its_own)
{
	explains("{\"action\":\"nope\"}", false, "no route \"nope\"");
	explains("{}", false, "no route \"\"");
	explains("hello", false, "not JSON: at byte 0 a value was expected");
	explains("{\"action\":\"a\" 1}", false,
		 "not JSON: at byte 14 a comma or } was expected");
	explains("{}", true, "a binary message");
	explains("{\"action\":\"\\ud800\"}", false,
		 "a route key of more than 256 bytes, or with half of a surrogate pair");
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
	bool too_big;

	memset(body + strlen(body), 'e', 500);
	strcat(body, "\"}");
	cr_assert(eq(str,
		     (char *)(uintptr_t)route_select(r, span_str(body), false, &too_big)
			     ->function->config->name,
		     "reject"));
	cr_assert(too_big);
}

Test(route, the_default_route_can_be_echo)
{
	routes_unref(r);
	r = builtin("$request.body.type", "builtin:echo");
	expect("{\"action\":\"ping\"}", false, "echo");
	expect("{\"type\":\"ping\"}", false, "ping");
	expect("hello", true, "echo");
}

static char *name_of(const char *key)
{
	return route_find(r, span_str(key))->function->config->name;
}

Test(route, connect_and_disconnect_have_their_functions)
{
	cr_assert(eq(str, name_of("$connect"), "connect"));
	cr_assert(eq(str, name_of("$disconnect"), "disconnect"));
	cr_assert(route_find(r, span_str("nope")) == NULL);
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
	cr_assert(eq(str, route_http(r, span_str("GET"), span_str("/ping"))->key,
		     "GET /ping"));
}

Test(route, the_demo_is_outside_of_the_stage_alone)
{
	cr_assert(route_http_outside(r, span_str("GET"), span_str("/")) != NULL);
	cr_assert(route_http_outside(r, span_str("GET"), span_str("/ping")) == NULL);
	cr_assert(route_http_outside(r, span_str("POST"), span_str("/")) == NULL);
}

Test(route, a_malformed_expression_is_refused_with_a_line_that_says_where)
{
	struct capture *c = capture_start(STDERR_FILENO);
	struct routes *none = builtin("$request.nope", "builtin:reject");
	char *said = capture_end(c);

	cr_assert(none == NULL);
	cr_assert(strstr(said, "route.selection.malformed") != NULL, "%s", said);
	cr_assert(strstr(said, "column 2") != NULL, "%s", said);
	free(said);
	routes_unref(NULL);
}

/* ---- a configuration of the test's own ---- */

static struct config *empty(void)
{
	struct config *c = xcalloc(1, sizeof *c);

	c->stage = xstrdup("dev");
	c->selection = xstrdup(CONFIG_SELECTION);
	c->functions = xcalloc(1, sizeof *c->functions);
	c->functions[c->n_functions++] = (struct config_function){
		.name = xstrdup("f"),
		.handler = xstrdup("builtin:ping"),
		.sort = CONFIG_BUILTIN,
	};
	return c;
}

/* A configuration with these "METHOD /path", and all of one function. */
static void use_http(const char *const *keys, size_t n)
{
	struct config *c = empty();

	c->http = xcalloc(n, sizeof *c->http);
	for (c->n_http = 0; c->n_http < n; c->n_http++) {
		const char *key = keys[c->n_http], *path = strchr(key, ' ') + 1;

		c->http[c->n_http] = (struct config_http){
			.method = span_dup(span_of(key, (size_t)(path - 1 - key))),
			.path = xstrdup(path),
		};
	}
	routes_unref(r);
	r = routes_new(&uses, c);
}

static void expect_http(const char *method, const char *path, const char *key)
{
	const struct route_http *h = route_http(r, span_str(method), span_str(path));

	if (key == NULL)
		cr_assert(h == NULL, "%s %s", method, path);
	else
		cr_assert(eq(str, h ? h->key : (char *)"none", (char *)(uintptr_t)key),
			  "%s %s", method, path);
}

Test(route, of_the_paths_that_match_the_closest_one_is_taken)
{
	static const char *const keys[] = {
		"GET /{all+}",   "GET /users/{id}", "GET /users/me",
		"* /users/{id}", "POST /users",     "* /users/me/{rest+}",
	};

	use_http(keys, sizeof keys / sizeof *keys);
	expect_http("GET", "/users/me", "GET /users/me");
	expect_http("GET", "/users/7", "GET /users/{id}");
	expect_http("PUT", "/users/7", "* /users/{id}");
	expect_http("PUT", "/users/me", "* /users/{id}");
	expect_http("GET", "/users/me/a/b", "* /users/me/{rest+}");
	expect_http("GET", "/users", "GET /{all+}");
	expect_http("POST", "/users", "POST /users");
	expect_http("DELETE", "/users", NULL);
	expect_http("HEAD", "/users/7", "GET /users/{id}");
	expect_http("GET", "/", NULL);
}

/* Section 1.3: no route and no $default. */
Test(route, without_a_default_what_has_no_route_has_none)
{
	routes_unref(r);
	r = routes_new(&uses, empty());
	cr_assert(selected("{\"action\":\"echo\"}", false) == NULL);
	cr_assert(selected("hello", false) == NULL);
	cr_assert(selected("hello", true) == NULL);
}

Test(route, a_function_that_cannot_be_opened_refuses_the_whole_configuration)
{
	struct config *c = empty();
	struct capture *capture = capture_start(STDERR_FILENO);
	struct routes *none;
	char *said;

	c->functions[0].handler[strlen("builtin:")] = 'x';
	none = routes_new(&uses, c);
	said = capture_end(capture);
	cr_assert(none == NULL);
	cr_assert(strstr(said, "function.failed function=f") != NULL, "%s", said);
	free(said);
}

Test(route, an_array_takes_the_first_route_of_channels_among_its_elements)
{
	cr_assert(selected("{\"action\":\"publish\"}", false)->is_channels);
	cr_assert(not(selected("{\"action\":\"echo\"}", false)->is_channels));
	expect("[{\"action\":\"publish\"},{\"action\":\"subscribe\"}]", false,
	       "channels");
	cr_assert(strcmp(selected("[1,{},{\"action\":\"nope\"},{\"action\":\"echo\"},"
				  "{\"action\":\"history\"}]",
				  false)
				 ->event.key,
			 "history") == 0);
	expect(" \t\n[{\"action\":\"history\"}]", false, "channels");
}

Test(route, an_array_without_channels_goes_to_default)
{
	expect("[{\"action\":\"ping\"},{\"action\":\"echo\"}]", false, "reject");
	expect("[{\"action\":\"publish\"}]", true, "reject");
	expect("[]", false, "reject");
	expect("[{\"action\":\"nope\"},{\"action\":\"$connect\"}]", false, "reject");
	expect("[{\"action\":\"publish\"}", false, "reject");
	expect("[{action:\"publish\"}]", false, "reject");
	expect("[[{\"action\":\"publish\"}]]", false, "reject");
}
