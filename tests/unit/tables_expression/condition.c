#include "tables/expression/condition.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char names[] = "{'#s':'status','#dot':'a.b','#a':'a','#m':'m'}";

static const char values[] =
	"{':a':{'S':'a'},':ab':{'S':'ab'},':b':{'S':'b'},':empty':{'S':''},"
	"':bin':{'B':'YQ=='},':1':{'N':'1'},':2':{'N':'2'},':3':{'N':'3'},"
	"':10':{'N':'10'},':one':{'N':'1.0'},':true':{'BOOL':true},':null':{'NULL':true},"
	"':l':{'L':[{'S':'a'},{'N':'1'}]},':m':{'M':{'x':{'N':'1'}}},"
	"':ss':{'SS':['b','a']},':ns':{'NS':['1','2']},':bs':{'BS':['YQ==']},"
	"':S':{'S':'S'},':N':{'S':'N'},':B':{'S':'B'},':SS':{'S':'SS'},':L':{'S':'L'},"
	"':M':{'S':'M'},':BOOL':{'S':'BOOL'},':NULL':{'S':'NULL'},':any':{'S':'ANY'}}";

static const char item[] =
	"{'a':{'S':'ab'},'a.b':{'S':'dot'},'status':{'S':'on'},'n':{'N':'2'},"
	"'negative':{'N':'-3.5'},'bin':{'B':'YWI='},'t':{'BOOL':true},'nil':{'NULL':true}"
	","
	"'l':{'L':[{'S':'a'},{'N':'1'},{'M':{'x':{'S':'deep'}}}]},"
	"'m':{'M':{'x':{'N':'1'},'status':{'S':'in'}}},'blank':{'S':''},"
	"'ss':{'SS':['a','b']},'ns':{'NS':['2','1']},'bs':{'BS':['YQ==']},"
	"'wide':{'S':'a€\\ud83d\\ude00'},'same':{'S':'ab'}}";

struct row {
	const char *text;
	bool holds;
};

static void check_rows(const struct row *rows, size_t n, const char *of)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct condition *c;
		struct refusal no = {0};
		enum err e =
			condition_parse(a, "ConditionExpression", span_str(rows[i].text),
					fixture_placeholders(a, names, values), &c, &no);

		cr_expect(eq(int, e, OK), "%s: %s", rows[i].text, no.message);
		if (e == OK)
			cr_expect(eq(int, condition_holds(c, fixture_item(a, of)),
				     rows[i].holds),
				  "%s", rows[i].text);
		arena_free(a);
	}
}

#define CHECK(rows, of) check_rows(rows, sizeof(rows) / sizeof *(rows), of)

/* Specification 6: operands and comparisons. */
Test(condition, comparisons_of_values_of_one_type)
{
	static const struct row rows[] = {
		{"a = :ab", true},
		{"a = :a", false},
		{":ab = a", true},
		{"a <> :a", true},
		{"a <> :ab", false},
		{"a < :b", true},
		{"a <= :ab", true},
		{"a > :a", true},
		{"a >= :b", false},
		{"n = :2", true},
		{"n < :10", true}, /* numbers, not texts */
		{"negative < n", true},
		{":1 = :one", true}, /* by value */
		{"bin > :bin", true},
		{"t = :true", true},
		{"nil = :null", true},
		{"l[0] = :a", true},
		{"ss = :ss", true}, /* sets in any order */
		{"ns = :ns", true},
		{"m.x = :1", true},
		{"a = same", true},
		{"a BETWEEN :a AND :b", true},
		{"n between :2 AnD :10", true},
		{"n BETWEEN :3 AND :10", false},
		{":2 BETWEEN n AND :3", true},
		{"n IN (:1, :2)", true},
		{"n in(:1)", false},
		{"a IN (:1, :ab, same)", true},
	};

	CHECK(rows, item);
}

/* Specification 6: absent attributes, and operands of different types. */
Test(condition, what_is_absent_or_of_another_type_differs_and_is_nothing_else)
{
	static const struct row rows[] = {
		{"x = :a", false},
		{"x < :a", false},
		{"x <= :a", false},
		{"x > :a", false},
		{"x >= :a", false},
		{"x BETWEEN :a AND :b", false},
		{"a BETWEEN x AND :b", false},
		{"x IN (:a)", false},
		{"x IN (y)", false},
		{"begins_with(x, :a)", false},
		{"contains(x, :a)", false},
		{"x <> :a", true},
		{"x <> y", true},
		{"x = y", false},
		{"NOT x = :a", true},
		{"a = :1", false},
		{"a <> :1", true},
		{"a < :1", false},
		{"n BETWEEN :a AND :b", false},
		{"bin = :a", false},
		{"t < nil", false},
		{"l < ss", false},
		{"t <= t2", false},
		{"ss < ns", false},
		{"m.x.y = :1", false},
		{"l[9] = :a", false},
		{"a[0] = :a", false},
		{"a.b = :a", false},
		{"l.a = :a", false},
	};

	CHECK(rows, item);
}

/* Specification 6: the grammar of or, and, not. */
Test(condition, connectives_bind_in_order)
{
	static const struct row rows[] = {
		{"n = :1 OR n = :2 AND a = :b", false},
		{"(n = :1 OR n = :2) AND a = :ab", true},
		{"n = :2 OR n = :1 AND a = :b", true},
		{"NOT n = :1 AND NOT a = :b", true},
		{"NOT (n = :2 AND a = :ab)", false},
		{"NOT NOT n = :2", true},
		{"not not not n = :2", false},
		{"NOT n = :1 OR n = :3", true},
		{"(n = :2)", true},
		{"((n = :1) OR (n = :2))", true},
		{"((n = :1 OR n = :2) AND a = :ab)", true},
		{"(NOT (n = :1))", true},
		{"n=:2 and(a=:ab)or(a=:b)", true},
		{"n = :1 AND n = :1 OR a = :ab AND a = same", true},
		{"\t(\r\nn\n=\n:2)", true},
	};

	CHECK(rows, item);
}

/* Specification 6: paths, and placeholders in them. */
Test(condition, paths_lead_into_maps_and_lists)
{
	static const struct row rows[] = {
		{"attribute_exists(l[2].x)", true},
		{"attribute_exists( l [ 2 ] . x )", true},
		{"attribute_exists(l[02])", true},
		{"attribute_exists(l[3])", false},
		{"attribute_exists(l[4294967294])", false},
		{"#s = :a", false},
		{"attribute_exists(#m.#s)", true},
		{"#m.#s = :a", false},
		{"attribute_exists(#dot)", true}, /* a dot inside a name */
		{"attribute_exists(#a.b)", false},
		{"attribute_exists(A)", false},
	};

	CHECK(rows, item);
}

/* Specification 6: functions. */
Test(condition, functions)
{
	static const struct row rows[] = {
		{"attribute_exists(a)", true},      {"attribute_exists(x)", false},
		{"attribute_not_exists(x)", true},  {"attribute_not_exists(nil)", false},
		{"attribute_type(a, :S)", true},    {"attribute_type(n, :N)", true},
		{"attribute_type(bin, :B)", true},  {"attribute_type(ss, :SS)", true},
		{"attribute_type(l, :L)", true},    {"attribute_type(m, :M)", true},
		{"attribute_type(t, :BOOL)", true}, {"attribute_type(nil, :NULL)", true},
		{"attribute_type(a, :N)", false},   {"attribute_type(x, :S)", false},
		{"begins_with(a, :a)", true},       {"begins_with(a, :empty)", true},
		{"begins_with(a, :b)", false},      {"begins_with(bin, :bin)", true},
		{"begins_with(bin, :a)", false},    {"begins_with(n, :a)", false},
		{"begins_with(:ab, l[0])", true},   {"contains(a, :b)", true},
		{"contains(a, :empty)", true},      {"contains(blank, :empty)", true},
		{"contains(blank, :a)", false},     {"contains(bin, :bin)", true},
		{"contains(a, :1)", false},         {"contains(ss, :a)", true},
		{"contains(ss, :ab)", false},       {"contains(ns, :one)", true},
		{"contains(ns, :3)", false},        {"contains(bs, :bin)", true},
		{"contains(l, :1)", true},          {"contains(l, :b)", false},
		{"contains(m, :a)", false},         {"contains(n, :2)", false},
		{"contains(:l, l[0])", true},       {"contains(ns, size(a))", true},
	};

	CHECK(rows, item);
}

/* Specification 6: size. */
Test(condition, sizes)
{
	static const struct row rows[] = {
		{"size(a) = :2", true},
		{"size(wide) = :3", false},
		{"size(wide) > :3 AND size(wide) < :10", true},
		{"size(blank) < :1", true},
		{"size(bin) = :2", true},
		{"size(ss) = :2", true},
		{"size(l) = :3", true},
		{"size(m) = :2", true},
		{"size(l) BETWEEN :2 AND :10", true},
		{"size(l) IN (:1, :3)", true},
		{":2 = size(a)", true},
		{"size(l) > size(a)", true},
		{"size(:ab) = :2", true},
		{"size(n) = :1", false},
		{"size(n) < :10", false},
		{"size(t) >= :1", false},
		{"size(nil) >= :1", false},
		{"size(x) < :1", false},
		{"size(x) <> :1", true},
	};

	CHECK(rows, item);
}

/* Specification 5: of an absent item every path is absent. */
Test(condition, of_an_absent_item_every_path_is_absent)
{
	static const struct row rows[] = {
		{"attribute_not_exists(a)", true},
		{"attribute_exists(a)", false},
		{"a = :a", false},
		{"a <> :a", true},
		{"NOT a = :a", true},
		{"size(a) < :1", false},
		{"attribute_type(a, :S)", false},
	};

	CHECK(rows, NULL);
}

struct wrong {
	const char *text, *message;
};

#define INVALID "Invalid ConditionExpression: "
#define PLACE                                                                            \
	INVALID "The function is not allowed to be used this way in an expression; "     \
		"function: "
#define OPERAND_TYPE                                                                     \
	INVALID "Incorrect operand type for operator or function; operator or "          \
		"function: "
#define DISTINCT                                                                         \
	INVALID "The first operand must be distinct from the remaining operands for "    \
		"this "                                                                  \
		"operator or function; operator: "
#define COUNT                                                                            \
	INVALID "Incorrect number of operands for operator or function; operator or "    \
		"function: "
#define RESERVED INVALID "Attribute name is a reserved keyword; reserved keyword: "

/* Sections 3 and 6: what is refused before any item is read, and how. */
Test(condition, what_is_wrong_is_named)
{
	static const struct wrong rows[] = {
		{"", INVALID "The expression can not be empty;"},
		{" \t\n", INVALID "The expression can not be empty;"},
		{"a", INVALID "Syntax error; token: \"<EOF>\", near: \"a\""},
		{":a", INVALID "Syntax error; token: \"<EOF>\", near: \":a\""},
		{"a =", INVALID "Syntax error; token: \"<EOF>\", near: \"=\""},
		{"a = = :a", INVALID "Syntax error; token: \"=\", near: \"= = :a\""},
		{"= :a", INVALID "Syntax error; token: \"=\", near: \"= :a\""},
		{"a = :a :b", INVALID "Syntax error; token: \":b\", near: \":a :b\""},
		{"a = :a = :b", INVALID "Syntax error; token: \"=\", near: \":a = :b\""},
		{"a = :a AND", INVALID "Syntax error; token: \"<EOF>\", near: \"AND\""},
		{"AND a = :a", INVALID "Syntax error; token: \"AND\", near: \"AND a\""},
		{"(a = :a", INVALID "Syntax error; token: \"<EOF>\", near: \":a\""},
		{"a = :a)", INVALID "Syntax error; token: \")\", near: \":a)\""},
		{"()", INVALID "Syntax error; token: \")\", near: \"()\""},
		{"(a) = :a", INVALID "Syntax error; token: \")\", near: \"a) =\""},
		{"_a = :a", INVALID "Syntax error; token: \"_a\", near: \"_a =\""},
		{"1a = :a", INVALID "Syntax error; token: \"1a\", near: \"1a =\""},
		{"a = 1", INVALID "Syntax error; token: \"1\", near: \"= 1\""},
		{"a = \"x\"", INVALID "Syntax error; token: \"\"\", near: \"= \"x\""},
		{"é = :a", INVALID "Syntax error; token: \"é\", near: \"é =\""},
		{"a. = :a", INVALID "Syntax error; token: \"=\", near: \". = :a\""},
		{"a[x] = :a", INVALID "Syntax error; token: \"x\", near: \"[x]\""},
		{"a[-1] = :a", INVALID "Syntax error; token: \"-\", near: \"[-1\""},
		{"a[:1] = :a", INVALID "Syntax error; token: \":1\", near: \"[:1]\""},
		{"a[1 = :a", INVALID "Syntax error; token: \"=\", near: \"1 = :a\""},
		{"# = :a", INVALID "Syntax error; token: \"#\", near: \"# =\""},
		{"a BETWEEN :a", INVALID "Syntax error; token: \"<EOF>\", near: \":a\""},
		{"a BETWEEN :a OR :b",
		 INVALID "Syntax error; token: \"OR\", near: \":a OR :b\""},
		{"a IN :a", INVALID "Syntax error; token: \":a\", near: \"IN :a\""},
		{"a IN ()", INVALID "Syntax error; token: \")\", near: \"()\""},
		{"a NOT IN (:a)",
		 INVALID "Syntax error; token: \"NOT\", near: \"a NOT IN\""},
		{"NOT", INVALID "Syntax error; token: \"<EOF>\", near: \"NOT\""},
		{"size()", INVALID "Syntax error; token: \")\", near: \"()\""},
		{"((a = :a))", INVALID "The expression has redundant parentheses;"},
		{"(((a = :a)))", INVALID "The expression has redundant parentheses;"},
		{"n = :1 AND ((a = :a))",
		 INVALID "The expression has redundant parentheses;"},
		{"((a = :a OR a = :b))",
		 INVALID "The expression has redundant parentheses;"},
		{"size(a)", PLACE "size"},
		{"NOT size(a)", PLACE "size"},
		{"attribute_exists(a) = :true", PLACE "attribute_exists"},
		{"a = contains(a, :b)", PLACE "contains"},
		{"contains(a, contains(a, :b))", PLACE "contains"},
		{"size(size(a)) = :1", PLACE "size"},
		{"a IN (contains(a, :b))", PLACE "contains"},
		{"Size(a) = :1", INVALID "Invalid function name; function: Size"},
		{"exists(a)", INVALID "Invalid function name; function: exists"},
		{"if_not_exists(a, :a) = :a", INVALID
		 "The function is not allowed in a condition expression; function: "
		 "if_not_exists"},
		{"status = :a", RESERVED "status"},
		{"Status = :a", RESERVED "Status"},
		{"a.name = :a", RESERVED "name"},
		{"set = :a", RESERVED "set"},
		{"n = :2 OR ttl = :1", RESERVED "ttl"},
		{"#x = :a", INVALID
		 "An expression attribute name used in the document path is not defined; "
		 "attribute name: #x"},
		{"a = :x",
		 INVALID "An expression attribute value used in expression is not "
			 "defined; attribute value: :x"},
		{"n = :2 OR a = :x", INVALID
		 "An expression attribute value used in expression is not defined; "
		 "attribute value: :x"},
		{"attribute_exists(a, n)",
		 COUNT "attribute_exists, number of operands: 2"},
		{"begins_with(a)", COUNT "begins_with, number of operands: 1"},
		{"contains(a, :a, :b)", COUNT "contains, number of operands: 3"},
		{"size(a, n) = :1", COUNT "size, number of operands: 2"},
		{"contains(a, a)", DISTINCT "contains, first operand: [a]"},
		{"contains(m.x[1], #m.x[1])",
		 DISTINCT "contains, first operand: [m, x, [1]]"},
		{"a = #a", DISTINCT "=, first operand: [a]"},
		{"attribute_exists(:a)",
		 INVALID "Operator or function requires a document path; "
			 "operator or function: attribute_exists"},
		{"attribute_type(a, :any)",
		 INVALID "Invalid attribute type name found; type: ANY, valid types: "
			 "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
		{"attribute_type(a, :1)", OPERAND_TYPE "attribute_type, operand type: N"},
		{"attribute_type(a, n)", OPERAND_TYPE
		 "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
		{"begins_with(a, :1)", OPERAND_TYPE "begins_with, operand type: N"},
		{"begins_with(:l, a)", OPERAND_TYPE "begins_with, operand type: L"},
		{"begins_with(a, size(l))", OPERAND_TYPE "begins_with, operand type: N"},
		{"contains(:1, a)", OPERAND_TYPE "contains, operand type: N"},
		{"size(:1) = :1", OPERAND_TYPE "size, operand type: N"},
		{"a < :true", OPERAND_TYPE "<, operand type: BOOL"},
		{"a <= :null", OPERAND_TYPE "<=, operand type: NULL"},
		{":l > a", OPERAND_TYPE ">, operand type: L"},
		{"a >= :m", OPERAND_TYPE ">=, operand type: M"},
		{"a < :ss", OPERAND_TYPE "<, operand type: SS"},
		{"a BETWEEN :ns AND :b", OPERAND_TYPE "BETWEEN, operand type: NS"},
		{"n = :2 OR x < :true", OPERAND_TYPE "<, operand type: BOOL"},
		{"n BETWEEN :10 AND :2", INVALID
		 "The BETWEEN operator requires upper bound to be greater than or equal "
		 "to lower bound; lower bound operand: AttributeValue: {N:10}, upper "
		 "bound operand: AttributeValue: {N:2}"},
		{"n BETWEEN :1 AND :b", INVALID
		 "The BETWEEN operator requires same data type for lower and upper "
		 "bounds; lower bound operand: AttributeValue: {N:1}, upper bound "
		 "operand: AttributeValue: {S:b}"},
		{"a[4294967295] = :a",
		 INVALID "List index is not within the allowable range; "
			 "index: [4294967295]"},
		{"a[99999999999999999999999999] = :a",
		 INVALID "List index is not within the allowable range; index: "
			 "[99999999999999999999999999]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct condition *c;
		struct refusal no = {0};
		enum err e =
			condition_parse(a, "ConditionExpression", span_str(rows[i].text),
					fixture_placeholders(a, names, values), &c, &no);

		cr_expect(eq(int, e, ERR_MALFORMED), "%s", rows[i].text);
		if (e != OK) {
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message),
				  "%s", rows[i].text);
			cr_expect(eq(str, (char *)no.type, "ValidationException"));
		}
		arena_free(a);
	}
}

static enum err parse(struct arena *a, const char *text, struct refusal *no)
{
	struct condition *c;

	return condition_parse(a, "FilterExpression", span_str(text),
			       fixture_placeholders(a, names, values), &c, no);
}

/* Section 6: length, operators, operands of IN. */
Test(condition, limits_are_exact)
{
	static const struct {
		const char *before, *again, *behind;
		size_t most;
		const char *message;
	} rows[] = {
		{"", "NOT ", "a = :a", 299, "too many operators"},
		{"a=:a", " OR a=:a", "", 149, "too many operators"},
		{"a IN (:a", ",:a", ")", 99,
		 "IN operator is provided with too many operands"},
		{"a=:a", " ", "", 4092, "exceeded the maximum allowed size"},
		{"a", ".b", "=:a", 31, "too many nesting elements"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (size_t over = 0; over < 2; over++) {
			struct arena *a = arena_new();
			struct refusal no = {0};
			char *text = arena_printf(
				a, "%s%s%s", rows[i].before,
				fixture_repeat(a, rows[i].again, rows[i].most + over),
				rows[i].behind);
			enum err e = parse(a, text, &no);

			cr_expect(eq(int, e, over ? ERR_MALFORMED : OK), "%zu: %s", i,
				  no.message);
			cr_expect(eq(int,
				     over == 0 || strstr(no.message, rows[i].message),
				     true),
				  "%s", no.message);
			arena_free(a);
		}
	}
}

/* Pitfall 15: depth costs no stack. */
Test(condition, depth_is_refused_or_read_without_recursion)
{
	static const char *const again[] = {"(",          "NOT ",      "NOT(",
					    "size(",      "contains(", "f(",
					    "((a=:a)AND", "a[1].",     "a IN ("};

	for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
		struct arena *a = arena_new();
		struct refusal no = {0};
		size_t n = EXPRESSION_MOST / strlen(again[i]);

		cr_expect(eq(int, parse(a, fixture_repeat(a, again[i], n), &no),
			     ERR_MALFORMED),
			  "%s", again[i]);
		arena_free(a);
	}
	struct arena *a = arena_new();
	struct refusal no = {0};
	char *deep = arena_printf(a, "%sa=:a%s", fixture_repeat(a, "(NOT ", 299),
				  fixture_repeat(a, ")", 299));

	cr_expect(eq(int, parse(a, deep, &no), OK), "%s", no.message);
	arena_free(a);
}

/* Every beginning of a right expression is right, or is refused with a sentence. */
Test(condition, prefixes_are_read_or_refused)
{
	static const char *const texts[] = {
		"(#a.b[12] = :a OR NOT size(m.x) BETWEEN :1 AND :10) AND n IN (:1, :2)",
		"attribute_type(#m.#s, :S) and contains(l[0], :a) or begins_with(a, :ab)",
		"attribute_exists(a) AND attribute_not_exists(#dot) AND n <= :1 AND a <> "
		":a",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			struct arena *a = arena_new();
			struct refusal no = {0};
			/* no zero behind it: ASan sees who reads on */
			struct span text = arena_copy(a, span_of(texts[i], n));
			struct condition *c;
			enum err e = condition_parse(
				a, "ConditionExpression", text,
				fixture_placeholders(a, names, values), &c, &no);

			if (e == OK)
				condition_holds(c, fixture_item(a, item));
			else
				cr_expect(ne(ptr, (void *)no.message, NULL));
			cr_expect(n < strlen(texts[i]) || e == OK, "%s", no.message);
			arena_free(a);
		}
	}
}

Test(condition, names_of_attributes_are_known)
{
	struct arena *a = arena_new();
	struct condition *c;
	struct refusal no;

	cr_assert(eq(int,
		     condition_parse(a, "FilterExpression",
				     span_str("#a.x = :a OR size(n) IN (:1, l[0])"),
				     fixture_placeholders(a, names, values), &c, &no),
		     OK));
	cr_expect(condition_names(c, span_str("a")));
	cr_expect(condition_names(c, span_str("n")));
	cr_expect(condition_names(c, span_str("l")));
	cr_expect(not(condition_names(c, span_str("x"))));
	cr_expect(not(condition_names(c, span_str("#a"))));
	arena_free(a);
}
