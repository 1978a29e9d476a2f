#include "broker/routes/expression.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

struct row {
	char text[72];
	char body[96];
	enum err want;
	char key[48];
};

#define BODY                                                                             \
	"{\"service\":\"chat\",\"action\":\"join\",\"data\":{\"room\":\"r\",\"l\":["     \
	"\"a\",{\"b\":4}]}}"
#define KINDS                                                                            \
	"{\"n\":-4.20,\"t\":true,\"z\":null,\"a\":[1, 2],\"o\":{ \"b\":\"\\n\" "         \
	"},\"s\":\"\\u00e9\\n\"}"

ParameterizedTestParameters(expression, eval)
{
	static struct row rows[] = {
		{"$request.body.action", BODY, OK, "join"},
		{"${request.body.action}", BODY, OK, "join"},
		{"${request.body.service}/${request.body.action}", BODY, OK, "chat/join"},
		{"$request.body.service/$request.body.action", BODY, OK, "chat/join"},
		{"${request.body.action}-${request.body.nope}", BODY, OK, "join-"},
		{"action", BODY, OK, "action"},
		{"\\$default", BODY, OK, "$default"},
		{"a\\$b\\$", BODY, OK, "a$b$"},
		{"a\\b", BODY, OK, "a\\b"},
		{"$request.body.data.room", BODY, OK, "r"},
		{"$request.body.data.l[0]", BODY, OK, "a"},
		{"${request.body.data.l[1].b}!", BODY, OK, "4!"},
		{"$request.body['data'][\"room\"]", BODY, OK, "r"},
		{"$request.body.data.l[7]", BODY, OK, ""},
		{"$request.body.action.deeper", BODY, OK, ""},
		{"${request.body.with blank}", "{\"with blank\":1}", OK, "1"},
		{"$request.body['with.dot']", "{\"with.dot\":1}", OK, "1"},
		{"$request.body.message-type", "{\"message-type\":\"m\"}", OK, "m"},
		{"$request.body[1]", "[\"a\",\"b\"]", OK, "b"},
		{"$request.body.n", KINDS, OK, "-4.20"},
		{"$request.body.t", KINDS, OK, "true"},
		{"$request.body.z", KINDS, OK, ""},
		{"$request.body.a", KINDS, OK, "[1, 2]"},
		{"$request.body.o", KINDS, OK, "{ \"b\":\"\\n\" }"},
		{"x$request.body.s", KINDS, OK, "xé\n"},
		{"$request.body.action", "5", OK, ""},
		{"$request.body.action", "hello", ERR_MALFORMED, ""},
		{"$request.body.action", "", ERR_MALFORMED, ""},
		{"$request.body.action", "{\"action\":\"join\"", ERR_MALFORMED, ""},
		{"$request.body.action", "{\"action\":\"\\ud800\"}", ERR_MALFORMED, ""},
		{"action", "not looked at", OK, "action"},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, expression, eval)
{
	char why[128] = "", out[48];
	size_t n = 0;
	struct expression *x = expression_new(r->text, why, sizeof why);

	cr_assert(x != NULL, "%s: %s", r->text, why);
	cr_assert(eq(int, expression_eval(x, span_str(r->body), out, sizeof out, &n),
		     r->want),
		  "%s", r->text);
	if (r->want == OK)
		cr_assert(span_is(span_of(out, n), r->key), "%s: %.*s", r->text, (int)n,
			  out);
	expression_free(x);
}

struct bad {
	char text[40];
	char why[80];
};

ParameterizedTestParameters(expression, malformed)
{
	static struct bad rows[] = {
		{"", "column 1: the expression is empty"},
		{"$", "column 2: a variable begins with request.body; for a plain '$' "
		      "write \\$"},
		{"a$default", "column 3: a variable begins with request.body; for a "
			      "plain '$' write \\$"},
		{"$request.header.x", "column 2: a variable begins with request.body; "
				      "for a plain '$' write \\$"},
		{"$request.body",
		 "column 14: request.body must go on with '.' and a name"},
		{"${request.body}",
		 "column 15: request.body must go on with '.' and a name"},
		{"$request.bodyguard.x",
		 "column 14: request.body must go on with '.' and a name"},
		{"$request.body.", "column 15: after '.' comes a name"},
		{"$request.body..a", "column 15: after '.' comes a name"},
		{"$request.body.*", "column 15: after '.' comes a name"},
		{"${request.body.a",
		 "column 17: the variable must go on with '.', '[' or '}'"},
		{"${request.body.a{}",
		 "column 17: the variable must go on with '.', '[' or '}'"},
		{"$request.body.a[",
		 "column 17: in '[]' stands a number from 0 on, or a name in quotes"},
		{"$request.body.a[-1]",
		 "column 17: in '[]' stands a number from 0 on, or a name in quotes"},
		{"$request.body.a[*]",
		 "column 17: in '[]' stands a number from 0 on, or a name in quotes"},
		{"$request.body.a[1", "column 18: the '[' has no ']'"},
		{"$request.body.a['b]", "column 18: the name has no closing '"},
		{"$request.body.a[99999999999999999999]",
		 "column 26: the index is over 2147483647"},
	};

	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, expression, malformed)
{
	char why[128] = "";
	struct expression *x = expression_new(r->text, why, sizeof why);

	cr_assert(x == NULL, "%s", r->text);
	cr_assert(eq(str, why, r->why));
}

/* What a room of each size comes to, for a key of three characters, literal and variable. */
static enum err eval_in(const char *text, const char *body, size_t room)
{
	char why[64], out[8];
	size_t n;
	struct expression *x = expression_new(text, why, sizeof why);
	enum err e = expression_eval(x, span_str(body), out, room, &n);

	expression_free(x);
	return e;
}

Test(expression, a_key_that_fills_the_room_fits_and_a_longer_one_is_too_big)
{
	cr_assert(eq(int, eval_in("abc", "", 3), OK));
	cr_assert(eq(int, eval_in("abc", "", 2), ERR_TOOBIG));
	cr_assert(eq(int, eval_in("a$request.body.k", "{\"k\":\"bc\"}", 3), OK));
	cr_assert(eq(int, eval_in("a$request.body.k", "{\"k\":\"bc\"}", 2), ERR_TOOBIG));
	cr_assert(eq(int, eval_in("a$request.body.k", "{\"k\":\"\\n\\n\"}", 3), OK));
	cr_assert(eq(int, eval_in("a$request.body.k", "{\"k\":\"\\n\\n\"}", 2),
		     ERR_TOOBIG));
	cr_assert(eq(int, eval_in("a$request.body.k", "{\"k\":123}", 3), ERR_TOOBIG));
}

Test(expression, a_reason_is_cut_to_its_room)
{
	char why[8];

	cr_assert(expression_new("$", why, sizeof why) == NULL);
	cr_assert(lt(sz, strlen(why), sizeof why));
	expression_free(NULL);
}
