#include "tables/expression/key_condition.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char values[] =
	"{':p':{'S':'p'},':a':{'S':'a'},':b':{'S':'b'},':1':{'N':'1'},"
	"':2':{'N':'2'},':empty':{'S':''},':true':{'BOOL':true}}";

static struct key_names keys(enum value_type sort)
{
	return (struct key_names){.partition = {(const uint8_t *)"pk", 2},
				  .partition_type = VALUE_S,
				  .sort = {(const uint8_t *)"sk", 2},
				  .sort_type = sort};
}

static enum err parse(struct arena *a, const char *text, struct key_names names,
		      struct key_condition *out, struct refusal *no)
{
	return key_condition_parse(
		a, span_str(text),
		fixture_placeholders(a, "{'#p':'pk','#x':'x'}", values), &names, out, no);
}

/* Sections 5 and 6: keycond, keycmp. */
Test(key_condition, a_partition_and_a_range)
{
	static const struct {
		const char *text;
		enum sort_test test;
		const char *low, *high;
	} rows[] = {
		{"pk = :p", SORT_ANY, NULL, NULL},
		{":p = #p", SORT_ANY, NULL, NULL},
		{"(pk = :p)", SORT_ANY, NULL, NULL},
		{"pk = :p AND sk = :a", SORT_EQUAL, "a", NULL},
		{"sk = :a and pk = :p", SORT_EQUAL, "a", NULL},
		{"pk = :p AND sk < :a", SORT_LESS, "a", NULL},
		{"pk = :p AND sk <= :a", SORT_LESS_EQUAL, "a", NULL},
		{"pk = :p AND sk > :a", SORT_GREATER, "a", NULL},
		{"pk = :p AND sk >= :a", SORT_GREATER_EQUAL, "a", NULL},
		{"pk = :p AND :a < sk", SORT_GREATER, "a", NULL},
		{"pk = :p AND :a <= sk", SORT_GREATER_EQUAL, "a", NULL},
		{":a > sk AND pk = :p", SORT_LESS, "a", NULL},
		{":a >= sk AND pk = :p", SORT_LESS_EQUAL, "a", NULL},
		{"pk = :p AND sk BETWEEN :a AND :b", SORT_BETWEEN, "a", "b"},
		{"sk BETWEEN :a AND :a AND pk = :p", SORT_BETWEEN, "a", "a"},
		{"pk = :p AND begins_with(sk, :a)", SORT_BEGINS, "a", NULL},
		{"(pk = :p) AND (sk = :a)", SORT_EQUAL, "a", NULL},
		{"(pk = :p AND sk = :a)", SORT_EQUAL, "a", NULL},
		{"((pk = :p) AND (begins_with(sk, :a)))", SORT_BEGINS, "a", NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct key_condition c;
		struct refusal no = {0};
		enum err e = parse(a, rows[i].text, keys(VALUE_S), &c, &no);

		cr_assert(eq(int, e, OK), "%s: %s", rows[i].text, no.message);
		cr_expect(span_is(c.partition->bytes, "p"));
		cr_expect(eq(int, c.test, rows[i].test), "%s", rows[i].text);
		cr_expect(eq(int, c.low == NULL, rows[i].low == NULL));
		cr_expect(eq(int, c.high == NULL, rows[i].high == NULL));
		cr_expect(eq(int, (!c.low || span_is(c.low->bytes, rows[i].low)), true));
		cr_expect(
			eq(int, (!c.high || span_is(c.high->bytes, rows[i].high)), true));
		arena_free(a);
	}
}

#define INVALID   "Invalid KeyConditionExpression: "
#define OPERATOR  "Invalid operator used in KeyConditionExpression: "
#define CONDITION "Invalid condition in KeyConditionExpression: "

/* Sections 3, 5 and 6. */
Test(key_condition, what_is_wrong_is_named)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", INVALID "The expression can not be empty;"},
		{"pk", INVALID "Syntax error; token: \"<EOF>\", near: \"pk\""},
		{"pk = :p AND", INVALID "Syntax error; token: \"<EOF>\", near: \"AND\""},
		{"((pk = :p))", INVALID "The expression has redundant parentheses;"},
		{"name = :p",
		 INVALID "Attribute name is a reserved keyword; reserved keyword: name"},
		{"#y = :p",
		 INVALID "An expression attribute name used in the document path is not "
			 "defined; attribute name: #y"},
		{"pk = :x", INVALID
		 "An expression attribute value used in expression is not defined; "
		 "attribute value: :x"},
		{"pk = :p OR sk = :a", OPERATOR "OR"},
		{"NOT pk = :p", OPERATOR "NOT"},
		{"pk <> :p", OPERATOR "<>"},
		{"pk IN (:p)", OPERATOR "IN"},
		{"pk = :p AND contains(sk, :a)", OPERATOR "contains"},
		{"attribute_exists(pk)", OPERATOR "attribute_exists"},
		{"size(pk) = :1", OPERATOR "size"},
		{"pk.x = :p",
		 INVALID "KeyConditionExpressions cannot have conditions on nested "
			 "attributes"},
		{":p = :a", CONDITION "No key attribute specified"},
		{"pk = sk", CONDITION "Multiple attribute names used in one condition"},
		{"pk = :p AND :a BETWEEN sk AND :b", CONDITION
		 "BETWEEN operator must have the key attribute as its first operand"},
		{"pk = :p AND begins_with(:a, sk)", CONDITION
		 "begins_with operator must have the key attribute as its first operand"},
		{"pk = :p AND pk = :a", INVALID
		 "KeyConditionExpressions must only contain one condition per key"},
		{"pk = :p AND sk > :a AND sk < :b",
		 "Conditions can be of length 1 or 2 only"},
		{"sk = :a", "Query condition missed key schema element: pk"},
		{"#x = :p", "Query condition missed key schema element: pk"},
		{"pk = :p AND #x = :a", "Query condition missed key schema element: sk"},
		{"pk > :p", "Query key condition not supported"},
		{"begins_with(pk, :p) AND sk = :a", "Query key condition not supported"},
		{"pk = :1",
		 "One or more parameter values were invalid: Condition parameter type "
		 "does not match schema type"},
		{"pk = :p AND sk = :1", "One or more parameter values were invalid: "
					"Condition parameter type does not "
					"match schema type"},
		{"pk = :empty",
		 "One or more parameter values are not valid. The AttributeValue for a "
		 "key "
		 "attribute cannot contain an empty string value. Key: pk"},
		{"pk = :p AND begins_with(sk, :1)", INVALID
		 "Incorrect operand type for operator or function; operator or function: "
		 "begins_with, operand type: N"},
		{"pk = :p AND sk BETWEEN :b AND :a", INVALID
		 "The BETWEEN operator requires upper bound to be greater than or equal "
		 "to "
		 "lower bound; lower bound operand: AttributeValue: {S:b}, upper bound "
		 "operand: AttributeValue: {S:a}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct key_condition c;
		struct refusal no = {0};
		enum err e = parse(a, rows[i].text, keys(VALUE_S), &c, &no);

		cr_expect(eq(int, e, ERR_MALFORMED), "%s", rows[i].text);
		if (e != OK)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message),
				  "%s", rows[i].text);
		arena_free(a);
	}
}

Test(key_condition, keys_of_other_kinds)
{
	struct arena *a = arena_new();
	struct key_names alone = keys(VALUE_S);
	struct key_condition c;
	struct refusal no;

	alone.sort = span_of(NULL, 0);
	cr_expect(eq(int, parse(a, "pk = :p", alone, &c, &no), OK));
	cr_expect(
		eq(int, parse(a, "pk = :p AND sk = :a", alone, &c, &no), ERR_MALFORMED));
	cr_expect(eq(str, (char *)no.message, "Query key condition not supported"));
	cr_expect(eq(int,
		     parse(a, "pk = :p AND sk BETWEEN :1 AND :2", keys(VALUE_N), &c, &no),
		     OK));
	cr_expect(eq(int,
		     parse(a, "pk = :p AND begins_with(sk, :a)", keys(VALUE_N), &c, &no),
		     ERR_MALFORMED));
	cr_expect(eq(str, (char *)no.message, "Query key condition not supported"));
	arena_free(a);
}
