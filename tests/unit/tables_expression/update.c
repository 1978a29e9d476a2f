#include "tables/expression/update.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char names[] = "{'#s':'status','#dot':'a.b','#n':'n'}";

static const char values[] =
	"{':a':{'S':'a'},':b':{'S':'b'},':1':{'N':'1'},':2':{'N':'2'},':m':{'M':{}},"
	"':l':{'L':[{'N':'8'},{'N':'9'}]},':none':{'L':[]},':ss':{'SS':['b','c']},"
	"':ab':{'SS':['a','b']},':ns':{'NS':['1','2']},':bs':{'BS':['YQ==']},"
	"':true':{'BOOL':true},':null':{'NULL':true},':bin':{'B':'YQ=='},"
	"':large':{'N':'9.9e125'},':max':{'N':'9e125'}}";

static const char item[] = "{'k':{'S':'key'},'n':{'N':'5'},'s':{'S':'x'},"
			   "'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]},"
			   "'m':{'M':{'x':{'N':'1'},'y':{'M':{'z':{'S':'z'}}}}},"
			   "'ss':{'SS':['a','b']}}";

struct result {
	enum err e;
	struct update *update;
	struct value_map out;
	struct refusal no;
};

static struct result run(struct arena *a, const char *text, const char *of)
{
	struct result r = {0};

	r.e = update_parse(a, span_str(text), fixture_placeholders(a, names, values),
			   &r.update, &r.no);
	if (r.e == OK)
		r.e = update_apply(a, r.update, fixture_item(a, of), &r.out, &r.no);
	return r;
}

struct row {
	const char *text, *item, *after;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct result r = run(a, rows[i].text, rows[i].item);

		cr_expect(eq(int, r.e, OK), "%s: %s", rows[i].text, r.no.message);
		if (r.e == OK)
			cr_expect(eq(str, fixture_written(a, &r.out),
				     (char *)rows[i].after),
				  "%s", rows[i].text);
		arena_free(a);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

/* Specification 6: set and term. */
Test(update, set)
{
	static const struct row rows[] = {
		{"SET a = :a", "{}", "{'a':{'S':'a'}}"},
		{"set a = :a, b=:b", "{'a':{'N':'1'}}", "{'a':{'S':'a'},'b':{'S':'b'}}"},
		{"SET #s = :a", "{}", "{'status':{'S':'a'}}"},
		{"SET #dot = :a", "{}", "{'a.b':{'S':'a'}}"},
		{"SET a = n", "{'n':{'N':'5'}}", "{'a':{'N':'5'},'n':{'N':'5'}}"},
		{"SET n = n + :1", "{'n':{'N':'5'}}", "{'n':{'N':'6'}}"},
		{"SET n = :1 - #n", "{'n':{'N':'5'}}", "{'n':{'N':'-4'}}"},
		{"SET n = (n) + (:1)", "{'n':{'N':'5'}}", "{'n':{'N':'6'}}"},
		{"SET n = (:1)", "{}", "{'n':{'N':'1'}}"},
		{"SET n = n - n", "{'n':{'N':'5.25'}}", "{'n':{'N':'0'}}"},
		{"SET n = if_not_exists(n, :1)", "{}", "{'n':{'N':'1'}}"},
		{"SET n = if_not_exists(n, :1)", "{'n':{'S':'y'}}", "{'n':{'S':'y'}}"},
		{"SET n = if_not_exists(n, :1) + :2", "{}", "{'n':{'N':'3'}}"},
		{"SET n = :2 + if_not_exists(n, :1)", "{'n':{'N':'5'}}",
		 "{'n':{'N':'7'}}"},
		{"SET a = if_not_exists(b, if_not_exists(c, :1))", "{'c':{'N':'3'}}",
		 "{'a':{'N':'3'},'c':{'N':'3'}}"},
		{"SET l = list_append(l, :l)", "{'l':{'L':[{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'1'},{'N':'8'},{'N':'9'}]}}"},
		{"SET l = list_append(:l, l)", "{'l':{'L':[{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'8'},{'N':'9'},{'N':'1'}]}}"},
		{"SET l = list_append(l, l)", "{'l':{'L':[{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'1'},{'N':'1'}]}}"},
		{"SET l = list_append(if_not_exists(l, :none), list_append(:none, :l))",
		 "{}", "{'l':{'L':[{'N':'8'},{'N':'9'}]}}"},
		{"SET l = list_append(if_not_exists(l, list_append(:l, :l)), :none)",
		 "{}", "{'l':{'L':[{'N':'8'},{'N':'9'},{'N':'8'},{'N':'9'}]}}"},
		{"SET m.x = :a", "{'m':{'M':{'y':{'N':'1'}}}}",
		 "{'m':{'M':{'x':{'S':'a'},'y':{'N':'1'}}}}"},
		{"SET m.x.y = :a, m.x.z = :b", "{'m':{'M':{'x':{'M':{}}}}}",
		 "{'m':{'M':{'x':{'M':{'y':{'S':'a'},'z':{'S':'b'}}}}}}"},
		{"SET l[0].x = :a", "{'l':{'L':[{'M':{}},{'N':'1'}]}}",
		 "{'l':{'L':[{'M':{'x':{'S':'a'}}},{'N':'1'}]}}"},
		{"SET m = :m", "{'m':{'M':{'y':{'N':'1'}}}}", "{'m':{'M':{}}}"},
	};

	CHECK(rows);
}

/* Specification 6: SET reads the item as it was before the update. */
Test(update, right_sides_see_the_item_as_it_was)
{
	static const struct row rows[] = {
		{"SET a = b, b = a", "{'a':{'N':'1'},'b':{'N':'2'}}",
		 "{'a':{'N':'2'},'b':{'N':'1'}}"},
		{"REMOVE a SET b = a", "{'a':{'N':'1'}}", "{'b':{'N':'1'}}"},
		{"SET a = :1, b = a", "{'a':{'N':'7'}}", "{'a':{'N':'1'},'b':{'N':'7'}}"},
		{"SET a = if_not_exists(b, :1), b = if_not_exists(a, :2)", "{}",
		 "{'a':{'N':'1'},'b':{'N':'2'}}"},
		{"SET l[0] = l[1], l[1] = l[0]", "{'l':{'L':[{'N':'0'},{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'1'},{'N':'0'}]}}"},
		{"ADD n :1 SET a = n", "{'n':{'N':'1'}}",
		 "{'a':{'N':'1'},'n':{'N':'2'}}"},
	};

	CHECK(rows);
}

/* Specification 6: elements beyond the end, and positions of removed ones. */
Test(update, elements_of_lists)
{
	static const struct row rows[] = {
		{"SET l[1] = :a", "{'l':{'L':[{'N':'0'},{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'0'},{'S':'a'}]}}"},
		{"SET l[99] = :a", "{'l':{'L':[{'N':'0'}]}}",
		 "{'l':{'L':[{'N':'0'},{'S':'a'}]}}"},
		{"SET l[2000000000] = :a", "{'l':{'L':[]}}", "{'l':{'L':[{'S':'a'}]}}"},
		{"SET l[4294967294] = :a", "{'l':{'L':[]}}", "{'l':{'L':[{'S':'a'}]}}"},
		{"SET l[20] = :a, l[5] = :b, l[100] = :1", "{'l':{'L':[{'N':'0'}]}}",
		 "{'l':{'L':[{'N':'0'},{'S':'b'},{'S':'a'},{'N':'1'}]}}"},
		{"REMOVE l[0], l[2]",
		 "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'N':'3'}]}}",
		 "{'l':{'L':[{'N':'1'},{'N':'3'}]}}"},
		{"REMOVE l[0] SET l[1] = :a",
		 "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]}}",
		 "{'l':{'L':[{'S':'a'},{'N':'2'}]}}"},
		{"REMOVE l[0] SET l[9] = :a", "{'l':{'L':[{'N':'0'},{'N':'1'}]}}",
		 "{'l':{'L':[{'N':'1'},{'S':'a'}]}}"},
		{"REMOVE l[7]", "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[{'N':'0'}]}}"},
		{"REMOVE l[0]", "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[]}}"},
		{"REMOVE l[1].x", "{'l':{'L':[{'N':'0'},{'M':{'x':{'N':'1'}}}]}}",
		 "{'l':{'L':[{'N':'0'},{'M':{}}]}}"},
		{"ADD l[0] :1, l[7] :2", "{'l':{'L':[{'N':'5'}]}}",
		 "{'l':{'L':[{'N':'6'},{'N':'2'}]}}"},
	};

	CHECK(rows);
}

/* Specification 6: REMOVE, ADD, DELETE. */
Test(update, remove_add_delete)
{
	static const struct row rows[] = {
		{"REMOVE a", "{'a':{'N':'1'},'b':{'N':'2'}}", "{'b':{'N':'2'}}"},
		{"remove a, x, b", "{'a':{'N':'1'},'b':{'N':'2'}}", "{}"},
		{"REMOVE m.x, m.y", "{'m':{'M':{'x':{'N':'1'}}}}", "{'m':{'M':{}}}"},
		{"ADD n :1", "{'n':{'N':'5'}}", "{'n':{'N':'6'}}"},
		{"ADD n :1", "{}", "{'n':{'N':'1'}}"},
		{"ADD m.n :1", "{'m':{'M':{}}}", "{'m':{'M':{'n':{'N':'1'}}}}"},
		{"ADD ss :ss", "{'ss':{'SS':['a','b']}}", "{'ss':{'SS':['a','b','c']}}"},
		{"ADD ss :ss", "{}", "{'ss':{'SS':['b','c']}}"},
		{"ADD ns :ns", "{'ns':{'NS':['1.0','7']}}",
		 "{'ns':{'NS':['1','2','7']}}"},
		{"ADD bs :bs", "{'bs':{'BS':['Yg==']}}", "{'bs':{'BS':['YQ==','Yg==']}}"},
		{"DELETE ss :ss", "{'ss':{'SS':['a','b']}}", "{'ss':{'SS':['a']}}"},
		{"DELETE ss :ss", "{'ss':{'SS':['x']}}", "{'ss':{'SS':['x']}}"},
		{"DELETE ss :ab", "{'ss':{'SS':['a','b']}}", "{}"}, /* the last ones */
		{"DELETE m.ss :ab", "{'m':{'M':{'ss':{'SS':['a']}}}}", "{'m':{'M':{}}}"},
		{"DELETE ss :ss", "{}", "{}"},
		{"SET a = :a REMOVE b ADD n :1 DELETE ss :ss",
		 "{'b':{'N':'1'},'ss':{'SS':['c','d']}}",
		 "{'a':{'S':'a'},'n':{'N':'1'},'ss':{'SS':['d']}}"},
		{"DELETE ss :ss ADD n :1 REMOVE b SET a = :a", "{}",
		 "{'a':{'S':'a'},'n':{'N':'1'}}"},
	};

	CHECK(rows);
}

struct wrong {
	const char *text, *message;
};

static void check_wrong(const struct wrong *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct result r = run(a, rows[i].text, item);

		cr_expect(eq(int, r.e, ERR_MALFORMED), "%s", rows[i].text);
		if (r.e != OK)
			cr_expect(eq(str, (char *)r.no.message, (char *)rows[i].message),
				  "%s", rows[i].text);
		arena_free(a);
	}
}

#define PATH "The document path provided in the update expression is invalid for update"
#define ABSENT                                                                           \
	"The provided expression refers to an attribute that does not exist in the item"
#define OPERAND "An operand in the update expression has an incorrect data type"

/* Section 3: what depends on the item. */
Test(update, what_does_not_fit_the_item_is_named)
{
	static const struct wrong rows[] = {
		{"SET x.y = :a", PATH},
		{"SET s.y = :a", PATH},
		{"SET x[0] = :a", PATH},
		{"SET m[0] = :a", PATH},
		{"SET l.x = :a", PATH},
		{"SET l[9].x = :a", PATH},
		{"SET m.y.q.r = :a", PATH},
		{"REMOVE x.y", PATH},
		{"REMOVE s[0]", PATH},
		{"ADD x.n :1", PATH},
		{"DELETE x.n :ss", PATH},
		{"SET a = x", ABSENT},
		{"SET a = n + x", ABSENT},
		{"SET a = list_append(x, :l)", ABSENT},
		{"SET a = l[3]", ABSENT},
		{"SET a = if_not_exists(x, y)", ABSENT},
		{"SET a = s + :1", OPERAND},
		{"SET a = :1 - l", OPERAND},
		{"SET a = list_append(s, :l)", OPERAND},
		{"SET a = list_append(:l, n)", OPERAND},
		{"SET a = list_append(if_not_exists(n, :l), :l)", OPERAND},
		{"ADD s :1", OPERAND},
		{"ADD n :ss", OPERAND},
		{"ADD ss :1", OPERAND},
		{"ADD ss :ns", OPERAND},
		{"DELETE ss :ns", OPERAND},
		{"DELETE n :ss", OPERAND},
		{"SET a = :large + :max", "Number overflow. Attempting to store a number "
					  "with magnitude larger than "
					  "supported range"},
	};

	check_wrong(rows, sizeof rows / sizeof *rows);
}

#define INVALID "Invalid UpdateExpression: "
#define OPERAND_TYPE                                                                     \
	INVALID "Incorrect operand type for operator or function; operator or "          \
		"function: "
#define CLAUSE INVALID "Incorrect operand type for operator or function; operator: "
#define CLASH  " with each other; must remove or rewrite one of these paths; path one: "

/* Sections 3 and 6: what is refused before any item is read. */
Test(update, what_is_wrong_is_named)
{
	static const struct wrong rows[] = {
		{"", INVALID "The expression can not be empty;"},
		{"a = :a", INVALID "Syntax error; token: \"a\", near: \"a =\""},
		{"SET", INVALID "Syntax error; token: \"<EOF>\", near: \"SET\""},
		{"SET a", INVALID "Syntax error; token: \"<EOF>\", near: \"a\""},
		{"SET a =", INVALID "Syntax error; token: \"<EOF>\", near: \"=\""},
		{"SET a = :a,", INVALID "Syntax error; token: \"<EOF>\", near: \",\""},
		{"SET a = :a b = :b",
		 INVALID "Syntax error; token: \"b\", near: \":a b =\""},
		{"SET a = :a, REMOVE b",
		 INVALID "Syntax error; token: \"REMOVE\", near: \", REMOVE b\""},
		{"SET REMOVE a",
		 INVALID "Syntax error; token: \"REMOVE\", near: \"SET REMOVE a\""},
		{"SET n = n + n + n",
		 INVALID "Syntax error; token: \"+\", near: \"n + n\""},
		{"SET n = (n + :1)",
		 INVALID "Syntax error; token: \"+\", near: \"n + :1\""},
		{"SET n = n * :1",
		 INVALID "Syntax error; token: \"*\", near: \"n * :1\""},
		{"SET n = -:1", INVALID "Syntax error; token: \"-\", near: \"= -:1\""},
		{"SET n = (:1", INVALID "Syntax error; token: \"<EOF>\", near: \":1\""},
		{"SET n = :1)", INVALID "Syntax error; token: \")\", near: \":1)\""},
		{"SET :1 = n", INVALID "Syntax error; token: \":1\", near: \"SET :1 =\""},
		{"ADD n 1", INVALID "Syntax error; token: \"1\", near: \"n 1\""},
		{"ADD n n", INVALID "Syntax error; token: \"n\", near: \"n n\""},
		{"ADD n = :1", INVALID "Syntax error; token: \"=\", near: \"n = :1\""},
		{"DELETE ss", INVALID "Syntax error; token: \"<EOF>\", near: \"ss\""},
		{"REMOVE a = :a", INVALID "Syntax error; token: \"=\", near: \"a = :a\""},
		{"SET n = ((:1))", INVALID "The expression has redundant parentheses;"},
		{"SET a = :a SET b = :b", INVALID
		 "The \"SET\" section can only be used once in an update expression;"},
		{"REMOVE a remove b", INVALID
		 "The \"REMOVE\" section can only be used once in an update expression;"},
		{"SET a = f(:a)", INVALID "Invalid function name; function: f"},
		{"SET a = List_append(:l, :l)",
		 INVALID "Invalid function name; function: List_append"},
		{"SET a = size(n)", INVALID
		 "The function is not allowed in an update expression; function: size"},
		{"SET status = :a", INVALID
		 "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET a = m.name",
		 INVALID "Attribute name is a reserved keyword; reserved keyword: name"},
		{"SET #q = :a",
		 INVALID "An expression attribute name used in the document path is "
			 "not defined; attribute name: #q"},
		{"SET a = :q",
		 INVALID "An expression attribute value used in expression is not "
			 "defined; attribute value: :q"},
		{"SET a = if_not_exists(n, :q)", INVALID
		 "An expression attribute value used in expression is not defined; "
		 "attribute value: :q"},
		{"SET a = :a, a = :b",
		 INVALID "Two document paths overlap" CLASH "[a], path two: [a]"},
		{"SET #n = :a REMOVE n",
		 INVALID "Two document paths overlap" CLASH "[n], path two: [n]"},
		{"SET m.x = :a, m = :m",
		 INVALID "Two document paths overlap" CLASH "[m, x], path two: [m]"},
		{"SET l[1] = :a ADD l[1].x :1", INVALID
		 "Two document paths overlap" CLASH "[l, [1]], path two: [l, [1], x]"},
		{"SET m.x = :a, m[0] = :a", INVALID "Two document paths conflict" CLASH
						    "[m, x], path two: [m, [0]]"},
		{"SET a = if_not_exists(n)", INVALID
		 "Incorrect number of operands for operator or function; operator or "
		 "function: if_not_exists, number of operands: 1"},
		{"SET a = list_append(:l, :l, :l)", INVALID
		 "Incorrect number of operands for operator or function; operator or "
		 "function: list_append, number of operands: 3"},
		{"SET a = if_not_exists(:a, n)",
		 INVALID "Operator or function requires a document "
			 "path; operator or function: if_not_exists"},
		{"SET a = :a + :1", OPERAND_TYPE "+, operand type: S"},
		{"SET a = n - :l", OPERAND_TYPE "-, operand type: L"},
		{"SET a = list_append(:l, :l) + :1", OPERAND_TYPE "+, operand type: L"},
		{"SET a = list_append(n, :a)",
		 OPERAND_TYPE "list_append, operand type: S"},
		{"SET a = if_not_exists(n, list_append(:1, :l))",
		 OPERAND_TYPE "list_append, operand type: N"},
		{"ADD n :a",
		 CLAUSE "ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"ADD n :l",
		 CLAUSE "ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"ADD n :true",
		 CLAUSE "ADD, operand type: BOOL, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"DELETE ss :a",
		 CLAUSE "DELETE, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"DELETE ss :1",
		 CLAUSE "DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"SET l[4294967295] = :a", INVALID
		 "List index is not within the allowable range; index: [4294967295]"},
	};

	check_wrong(rows, sizeof rows / sizeof *rows);
}

/* Section 5: UPDATED_OLD and UPDATED_NEW, nested parts as nested. */
Test(update, touched_paths_stay_nested)
{
	static const struct {
		const char *text, *before, *after; /* NULL: Attributes is absent */
	} rows[] = {
		{"SET s = :a", "{'s':{'S':'x'}}", "{'s':{'S':'a'}}"},
		{"SET a = :a", NULL, "{'a':{'S':'a'}}"},
		{"SET m.y.z = :a", "{'m':{'M':{'y':{'M':{'z':{'S':'z'}}}}}}",
		 "{'m':{'M':{'y':{'M':{'z':{'S':'a'}}}}}}"},
		{"SET l[2] = :a, l[0] = :b", "{'l':{'L':[{'N':'0'},{'N':'2'}]}}",
		 "{'l':{'L':[{'S':'b'},{'S':'a'}]}}"},
		{"SET l[9] = :a", NULL, NULL},
		{"REMOVE n", "{'n':{'N':'5'}}", NULL},
		{"REMOVE l[1]", "{'l':{'L':[{'N':'1'}]}}", "{'l':{'L':[{'N':'2'}]}}"},
		{"ADD n :1 REMOVE x", "{'n':{'N':'5'}}", "{'n':{'N':'6'}}"},
		{"DELETE ss :ab", "{'ss':{'SS':['a','b']}}", NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct result r = run(a, rows[i].text, item);
		struct value_map before, after;
		bool was, is;

		cr_assert(eq(int, r.e, OK), "%s: %s", rows[i].text, r.no.message);
		was = update_touched(a, r.update, fixture_item(a, item), &before);
		is = update_touched(a, r.update, &r.out, &after);
		cr_expect(eq(int, was, rows[i].before != NULL), "%s", rows[i].text);
		cr_expect(eq(int, is, rows[i].after != NULL), "%s", rows[i].text);
		if (was && rows[i].before)
			cr_expect(eq(str, fixture_written(a, &before),
				     (char *)rows[i].before));
		if (is && rows[i].after)
			cr_expect(eq(str, fixture_written(a, &after),
				     (char *)rows[i].after));
		cr_expect(not(update_touched(a, r.update, NULL, &before)));
		arena_free(a);
	}
}

Test(update, it_knows_what_it_touches_and_whether_it_makes_an_item)
{
	struct arena *a = arena_new();
	struct result r = run(a, "SET m.x = :a REMOVE l[0]", item);

	cr_expect(update_touches(r.update, span_str("m")));
	cr_expect(update_touches(r.update, span_str("l")));
	cr_expect(not(update_touches(r.update, span_str("x"))));
	cr_expect(not(update_touches(r.update, span_str("k"))));
	cr_expect(update_creates(r.update));
	cr_expect(update_creates(run(a, "ADD n :1", item).update));
	cr_expect(not(update_creates(run(a, "REMOVE n", item).update)));
	cr_expect(not(update_creates(run(a, "DELETE ss :ss REMOVE n", item).update)));
	arena_free(a);
}

/* Section 4: nesting of 32 levels. */
Test(update, nesting_is_bounded)
{
	struct arena *a = arena_new();
	char *deep = arena_printf(a, "{'m':%s{'N':'1'}%s}",
				  fixture_repeat(a, "{'M':{'a':", 30),
				  fixture_repeat(a, "}}", 30));
	char *path = arena_printf(a, "SET m%s", fixture_repeat(a, ".a", 29));

	cr_expect(eq(int, run(a, arena_printf(a, "%s.b = :m", path), deep).e, OK));
	cr_expect(eq(int, run(a, arena_printf(a, "%s.b = :l", path), deep).e, OK));
	struct result r = run(a, arena_printf(a, "%s.b = m", path), deep);
	cr_expect(eq(int, r.e, ERR_MALFORMED));
	cr_expect(ne(ptr, strstr(r.no.message, "Nesting Levels have exceeded"), NULL));
	arena_free(a);
}

/* Pitfall 15: memory and stack do not grow with the text's depth. */
Test(update, what_grows_is_bounded)
{
	static const char *const again[] = {
		"(", "list_append(", "f(", "if_not_exists(n,", "list_append(l,", "l[1],"};
	struct arena *a = arena_new();
	struct result r;
	char *list, *text;

	for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
		text = arena_printf(
			a, "SET a = %s",
			fixture_repeat(a, again[i],
				       (EXPRESSION_MOST - 8) / strlen(again[i])));
		cr_expect(eq(int, run(a, text, item).e, ERR_MALFORMED), "%s", again[i]);
	}
	/* 50,000 elements, appended to themselves 128 times */
	list = arena_printf(a, "{'l':{'L':[%s{'N':'1'}]}}",
			    fixture_repeat(a, "{'N':'1'},", 50000));
	text = arena_printf(a, "SET a = %sl%s", fixture_repeat(a, "list_append(l,", 128),
			    fixture_repeat(a, ")", 128));
	r = run(a, text, list);
	cr_expect(eq(int, r.e, ERR_MALFORMED));
	cr_expect(eq(str, (char *)r.no.message,
		     "Item size to update has exceeded the maximum allowed size"));
	cr_expect(lt(u64, arena_bytes(a), 64 << 20));
	arena_free(a);
}

/* Every beginning of a right expression is applied, or is refused with a sentence. */
Test(update, prefixes_are_applied_or_refused)
{
	static const char *const texts[] = {
		"SET #s = if_not_exists(n, :1) + (:2), l[99] = list_append(:l, l) "
		"REMOVE m.x, l[0] ADD q :1 DELETE ss :ab",
		"delete ss :ss remove m.y.z set m.x = n - :1, a = :m add n :2",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			struct arena *a = arena_new();
			struct result r =
				run(a, (char *)arena_printf(a, "%.*s", (int)n, texts[i]),
				    item);

			if (r.e != OK)
				cr_expect(ne(ptr, (void *)r.no.message, NULL));
			cr_expect(n < strlen(texts[i]) || r.e == OK, "%s", r.no.message);
			arena_free(a);
		}
	}
}
