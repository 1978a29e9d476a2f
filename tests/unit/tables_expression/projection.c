#include "tables/expression/projection.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char names[] = "{'#s':'status','#a':'a','#dot':'a.b'}";

static const char item[] =
	"{'a':{'S':'x'},'a.b':{'S':'dot'},'status':{'S':'on'},"
	"'l':{'L':[{'N':'0'},{'M':{'x':{'N':'1'},'y':{'N':'2'}}},{'L':[{'S':'q'}]}]},"
	"'m':{'M':{'x':{'N':'1'},'y':{'M':{'z':{'S':'z'}}}}}}";

static enum err parse(struct arena *a, const char *text, struct projection **out,
		      struct refusal *no)
{
	return projection_parse(a, span_str(text), fixture_placeholders(a, names, NULL),
				out, no);
}

/* Specification 6: projection. */
Test(projection, paths_that_are_there)
{
	static const struct {
		const char *text, *out;
	} rows[] = {
		{"a", "{'a':{'S':'x'}}"},
		{"#s, a", "{'a':{'S':'x'},'status':{'S':'on'}}"},
		{"#dot", "{'a.b':{'S':'dot'}}"},
		{"x", "{}"},
		{"x, a", "{'a':{'S':'x'}}"},
		{"m", "{'m':{'M':{'x':{'N':'1'},'y':{'M':{'z':{'S':'z'}}}}}}"},
		{"m.y.z", "{'m':{'M':{'y':{'M':{'z':{'S':'z'}}}}}}"},
		{"m.q, m.y.q", "{}"},
		{"l[0]", "{'l':{'L':[{'N':'0'}]}}"},
		{"l[2], l[0]", "{'l':{'L':[{'N':'0'},{'L':[{'S':'q'}]}]}}"},
		{"l[2][0]", "{'l':{'L':[{'L':[{'S':'q'}]}]}}"},
		{"l[1].y , l[1].x", "{'l':{'L':[{'M':{'x':{'N':'1'},'y':{'N':'2'}}}]}}"},
		{"l[1].q, l[9], l[0]", "{'l':{'L':[{'N':'0'}]}}"},
		{"a.x, a[0], l.x", NULL}, /* a is no map and no list at once */
		{"l.x", "{}"},
		{"m[0]", "{}"},
		{"l[4294967294]", "{}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct projection *p;
		struct refusal no = {0};
		enum err e = parse(a, rows[i].text, &p, &no);
		struct value_map out;

		cr_expect(eq(int, e, rows[i].out ? OK : ERR_MALFORMED), "%s: %s",
			  rows[i].text, no.message);
		if (e == OK) {
			projection_apply(a, p, fixture_item(a, item), &out);
			cr_expect(eq(str, fixture_written(a, &out), (char *)rows[i].out),
				  "%s", rows[i].text);
		}
		arena_free(a);
	}
}

#define INVALID "Invalid ProjectionExpression: "
#define CLASH   " with each other; must remove or rewrite one of these paths; path one: "

/* Sections 3 and 6 */
Test(projection, what_is_wrong_is_named)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", INVALID "The expression can not be empty;"},
		{"a,", INVALID "Syntax error; token: \"<EOF>\", near: \",\""},
		{"a b", INVALID "Syntax error; token: \"b\", near: \"a b\""},
		{",a", INVALID "Syntax error; token: \",\", near: \",a\""},
		{"a,:v", INVALID "Syntax error; token: \":v\", near: \",:v\""},
		{"(a)", INVALID "Syntax error; token: \"(\", near: \"(a\""},
		{"a..b", INVALID "Syntax error; token: \".\", near: \"..b\""},
		{"[0]", INVALID "Syntax error; token: \"[\", near: \"[0\""},
		{"a, status", INVALID
		 "Attribute name is a reserved keyword; reserved keyword: status"},
		{"#x",
		 INVALID "An expression attribute name used in the document path is not "
			 "defined; attribute name: #x"},
		{"a, b, a",
		 INVALID "Two document paths overlap" CLASH "[a], path two: [a]"},
		{"a, #a",
		 INVALID "Two document paths overlap" CLASH "[a], path two: [a]"},
		{"m.x, m",
		 INVALID "Two document paths overlap" CLASH "[m, x], path two: [m]"},
		{"l[1], l[1].x", INVALID "Two document paths overlap" CLASH
					 "[l, [1]], path two: [l, [1], x]"},
		{"l[1], l.x", INVALID "Two document paths conflict" CLASH
				      "[l, [1]], path two: [l, x]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct projection *p;
		struct refusal no = {0};
		enum err e = parse(a, rows[i].text, &p, &no);

		cr_expect(eq(int, e, ERR_MALFORMED), "%s", rows[i].text);
		if (e != OK)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}

Test(projection, names_of_attributes_are_known)
{
	struct arena *a = arena_new();
	struct projection *p;
	struct refusal no;
	const struct span *attributes;
	size_t n;

	cr_assert(eq(int, parse(a, "m.x, l[1], #s, m.y, l[0]", &p, &no), OK));
	attributes = projection_attributes(p, &n);
	cr_assert(eq(sz, n, 3));
	cr_expect(span_is(attributes[0], "l"));
	cr_expect(span_is(attributes[1], "m"));
	cr_expect(span_is(attributes[2], "status"));
	arena_free(a);
}
