#include "tables/expression/legacy.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static const char item[] = "{'k':{'S':'key'},'n':{'N':'5'},'s':{'S':'abc'},"
			   "'l':{'L':[{'N':'0'}]},'ss':{'SS':['a','b']},'a.b':{'N':'1'}}";

/* AttributeUpdates: sections 2 and 5. */
Test(legacy, attribute_updates)
{
	static const struct {
		const char *updates, *item, *after, *message; /* after or message */
	} rows[] = {
		{"{}", "{'k':{'N':'1'}}", "{'k':{'N':'1'}}", NULL},
		{"{'a':{'Action':'PUT','Value':{'S':'x'}}}", "{}", "{'a':{'S':'x'}}",
		 NULL},
		{"{'a':{'Value':{'S':'x'}}}", "{'a':{'N':'1'}}", "{'a':{'S':'x'}}", NULL},
		{"{'status':{'Value':{'S':'x'}},'a.b':{'Value':{'N':'01.0'}}}", "{}",
		 "{'a.b':{'N':'1'},'status':{'S':'x'}}", NULL},
		{"{'a':{'Action':'DELETE'},'b':{'Action':'DELETE'}}", "{'a':{'N':'1'}}",
		 "{}", NULL},
		{"{'a':{'Action':'DELETE','Value':null}}", "{'a':{'N':'1'}}", "{}", NULL},
		{"{'ss':{'Action':'DELETE','Value':{'SS':['a']}}}",
		 "{'ss':{'SS':['a','b']}}", "{'ss':{'SS':['b']}}", NULL},
		{"{'ss':{'Action':'ADD','Value':{'SS':['c']}}}", "{'ss':{'SS':['a']}}",
		 "{'ss':{'SS':['a','c']}}", NULL},
		{"{'n':{'Action':'ADD','Value':{'N':'2'}}}", "{'n':{'N':'1'}}",
		 "{'n':{'N':'3'}}", NULL},
		{"{'n':{'Action':'ADD','Value':{'N':'2'}}}", "{}", "{'n':{'N':'2'}}",
		 NULL},
		{"{'l':{'Action':'ADD','Value':{'L':[{'N':'2'}]}}}",
		 "{'l':{'L':[{'N':'1'}]}}", "{'l':{'L':[{'N':'1'},{'N':'2'}]}}", NULL},
		{"{'l':{'Action':'ADD','Value':{'L':[{'N':'2'}]}}}", "{}",
		 "{'l':{'L':[{'N':'2'}]}}", NULL},
		{"{'z':{'Value':{'N':'1'}},'a':{'Value':{'N':'2'}},'k':{'Action':'DELETE'"
		 "}}",
		 "{'k':{'N':'1'}}", "{'a':{'N':'2'},'z':{'N':'1'}}", NULL},
		{"{'a':{'Action':'PUT'}}", "{}", NULL,
		 "One or more parameter values were invalid: Only DELETE action is "
		 "allowed when "
		 "no attribute value is specified"},
		{"{'a':{'Action':'ADD','Value':{'S':'x'}}}", "{}", NULL,
		 "One or more parameter values were invalid: ADD action is not supported "
		 "for the "
		 "type S"},
		{"{'a':{'Action':'DELETE','Value':{'N':'1'}}}", "{}", NULL,
		 "One or more parameter values were invalid: DELETE action with value is "
		 "not "
		 "supported for the type N"},
		{"{'a':{'Action':'add','Value':{'N':'1'}}}", "{}", NULL,
		 "1 validation error detected: Value 'add' at "
		 "'attributeUpdates.member.action' "
		 "failed to satisfy constraint: Member must satisfy enum value set: "
		 "[ADD, PUT, "
		 "DELETE]"},
		{"{'n':{'Action':'ADD','Value':{'N':'2'}}}", "{'n':{'S':'1'}}", NULL,
		 "An operand in the update expression has an incorrect data type"},
		{"{'a':{'Action':1}}", "{}", NULL, "Unexpected value type in payload"},
		{"{'a':'x'}", "{}", NULL, "Unexpected value type in payload"},
		{"[]", "{}", NULL, "Unexpected value type in payload"},
		{"{'a':{'Action':'DELETE'},'\\u0061':{'Action':'DELETE'}}", "{}", NULL,
		 "One or more parameter values were invalid: Duplicate value in "
		 "attribute name: "
		 "a"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct json_value v = fixture_json(a, rows[i].updates);
		struct update *u;
		struct value_map out;
		struct refusal no = {0};
		enum err e = legacy_updates(a, &v, &u, &no);

		if (e == OK)
			e = update_apply(a, u, fixture_item(a, rows[i].item), &out, &no);
		cr_expect(eq(int, e, rows[i].after ? OK : ERR_MALFORMED), "%s: %s",
			  rows[i].updates, no.message);
		if (e == OK && rows[i].after)
			cr_expect(
				eq(str, fixture_written(a, &out), (char *)rows[i].after));
		if (e != OK && rows[i].message)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}

/* Section 5: an update by legacy DELETE only does not create an item. */
Test(legacy, deletes_make_no_item)
{
	struct arena *a = arena_new();
	struct json_value v = fixture_json(a, "{'a':{'Action':'DELETE'}}");
	struct json_value none = fixture_json(a, "{}");
	struct update *u;
	struct refusal no;

	cr_assert(eq(int, legacy_updates(a, &v, &u, &no), OK));
	cr_expect(not(update_creates(u)));
	cr_assert(eq(int, legacy_updates(a, &none, &u, &no), OK));
	cr_expect(update_creates(u));
	arena_free(a);
}

struct row {
	const char *text, *connective;
	bool holds;
};

#define ONE(operator_, values)                                                           \
	"{'n':{'ComparisonOperator':'" operator_ "','AttributeValueList':[" values "]}}"

/* Expected and filters: sections 2 and 6. */
Test(legacy, comparisons)
{
	static const struct row rows[] = {
		{ONE("EQ", "{'N':'5.0'}"), "", true},
		{ONE("EQ", "{'S':'5'}"), "", false},
		{ONE("NE", "{'N':'5'}"), "", false},
		{ONE("NE", "{'S':'5'}"), "", true},
		{ONE("LT", "{'N':'10'}"), "", true},
		{ONE("LE", "{'N':'5'}"), "", true},
		{ONE("GT", "{'N':'5'}"), "", false},
		{ONE("GE", "{'N':'5'}"), "", true},
		{ONE("BETWEEN", "{'N':'1'},{'N':'10'}"), "", true},
		{ONE("IN", "{'S':'x'},{'N':'5'}"), "", true},
		{ONE("IN", "{'N':'6'}"), "", false},
		{"{'n':{'ComparisonOperator':'NOT_NULL'}}", "", true},
		{"{'n':{'ComparisonOperator':'NULL'}}", "", false},
		{"{'x':{'ComparisonOperator':'NULL'}}", "", true},
		{"{'x':{'ComparisonOperator':'NE','AttributeValueList':[{'N':'1'}]}}", "",
		 true},
		{"{'s':{'ComparisonOperator':'BEGINS_WITH','AttributeValueList':[{'S':'"
		 "ab'}]}}",
		 "", true},
		{"{'s':{'ComparisonOperator':'CONTAINS','AttributeValueList':[{'S':'bc'}]"
		 "}}",
		 "", true},
		{"{'ss':{'ComparisonOperator':'CONTAINS','AttributeValueList':[{'S':'a'}]"
		 "}}",
		 "", true},
		{"{'ss':{'ComparisonOperator':'NOT_CONTAINS','AttributeValueList':[{'S':'"
		 "x'}]}}",
		 "", true},
		{"{'a.b':{'ComparisonOperator':'EQ','AttributeValueList':[{'N':'1'}]}}",
		 "", true},
		{"{'n':{'ComparisonOperator':'NULL'},'s':{'ComparisonOperator':'NOT_NULL'"
		 "}}",
		 "", false},
		{"{'n':{'ComparisonOperator':'NULL'},'s':{'ComparisonOperator':'NOT_NULL'"
		 "}}",
		 "AND", false},
		{"{'n':{'ComparisonOperator':'NULL'},'s':{'ComparisonOperator':'NOT_NULL'"
		 "}}",
		 "OR", true},
	};
	static const struct row expected[] = {
		{"{'n':{'Value':{'N':'5'}}}", "", true},
		{"{'n':{'Value':{'N':'5'},'Exists':true}}", "", true},
		{"{'n':{'Value':{'N':'6'}}}", "", false},
		{"{'x':{'Value':{'N':'5'}}}", "", false},
		{"{'x':{'Exists':false}}", "", true},
		{"{'n':{'Exists':false}}", "", false},
		{"{'n':{'ComparisonOperator':'LT','Value':{'N':'6'}}}", "", true},
		{"{'n':{'Value':{'N':'6'}},'x':{'Exists':false}}", "OR", true},
	};
	enum {
		ROWS = sizeof rows / sizeof *rows,
		EXPECTED = sizeof expected / sizeof *rows
	};

	for (size_t i = 0; i < ROWS + EXPECTED; i++) {
		const struct row *r = i < ROWS ? &rows[i] : &expected[i - ROWS];

		for (int filter = 0; filter < (i < ROWS ? 2 : 1); filter++) {
			struct arena *a = arena_new();
			struct json_value v = fixture_json(a, r->text);
			struct span connective = span_str(r->connective);
			struct condition *c = NULL;
			struct refusal no = {0};
			enum err e = filter ? legacy_filter(a, &v, connective, &c, &no)
					    : legacy_expected(a, &v, connective, &c, &no);

			cr_assert(eq(int, e, OK), "%s: %s", r->text, no.message);
			cr_expect(eq(int, condition_holds(c, fixture_item(a, item)),
				     r->holds),
				  "%s", r->text);
			arena_free(a);
		}
	}
}

#define INVALID "One or more parameter values were invalid: "

Test(legacy, what_is_wrong_with_a_condition_is_named)
{
	static const struct {
		const char *text, *connective, *message;
		bool expected;
	} rows[] = {
		{ONE("EQ", ""), "",
		 INVALID "Invalid number of argument(s) for the EQ ComparisonOperator",
		 false},
		{ONE("BETWEEN", "{'N':'1'}"), "",
		 INVALID
		 "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
		 false},
		{ONE("NULL", "{'N':'1'}"), "",
		 INVALID "Invalid number of argument(s) for the NULL ComparisonOperator",
		 false},
		{ONE("LT", "{'BOOL':true}"), "",
		 INVALID
		 "ComparisonOperator LT is not valid for BOOL AttributeValue type",
		 false},
		{ONE("BEGINS_WITH", "{'N':'1'}"), "",
		 INVALID
		 "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
		 false},
		{ONE("CONTAINS", "{'SS':['1']}"), "",
		 INVALID
		 "ComparisonOperator CONTAINS is not valid for SS AttributeValue type",
		 false},
		{ONE("BETWEEN", "{'N':'1'},{'S':'2'}"), "",
		 INVALID "AttributeValues inside AttributeValueList must be of same type",
		 false},
		{ONE("BETWEEN", "{'N':'10'},{'N':'2'}"), "",
		 INVALID
		 "The BETWEEN condition was provided a range where the lower bound is "
		 "greater than the upper bound",
		 false},
		{ONE("eq", "{'N':'1'}"), "",
		 "1 validation error detected: Value 'eq' at 'comparisonOperator' failed "
		 "to "
		 "satisfy constraint: Member must satisfy enum value set: [IN, NULL, "
		 "BETWEEN, "
		 "LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
		 false},
		{ONE("EQ", "{'N':'1'}"), "XOR",
		 "1 validation error detected: Value 'XOR' at 'conditionalOperator' "
		 "failed to "
		 "satisfy constraint: Member must satisfy enum value set: [OR, AND]",
		 false},
		{ONE("EQ", "{'N':'1'}"), "OR",
		 INVALID
		 "ConditionalOperator can only be used when Filter or Expected has two "
		 "or more elements",
		 false},
		{"{'':{'ComparisonOperator':'NULL'}}", "",
		 INVALID "an attribute name has 1 to 65535 bytes, not 0", false},
		{"{'a':[]}", "", "Unexpected value type in payload", false},
		{"[]", "", "Unexpected value type in payload", false},
		{"{'a':{}}", "",
		 INVALID "Value must be provided when Exists is null for Attribute: a",
		 true},
		{"{'a':{'Exists':true}}", "",
		 INVALID "Value must be provided when Exists is true for Attribute: a",
		 true},
		{"{'a':{'Exists':false,'Value':{'N':'1'}}}", "",
		 INVALID "Value cannot be used when Exists is false for Attribute: a",
		 true},
		{"{'a':{'Exists':true,'ComparisonOperator':'NULL'}}", "",
		 INVALID
		 "Exists and ComparisonOperator cannot be used together for Attribute: a",
		 true},
		{"{'a':{'AttributeValueList':[]}}", "",
		 INVALID
		 "AttributeValueList can only be used with a ComparisonOperator for "
		 "Attribute: a",
		 true},
		{"{'a':{'Value':{'N':'1'},'AttributeValueList':[]}}", "",
		 INVALID
		 "Value and AttributeValueList cannot be used together for Attribute: a",
		 true},
		{"{'a':{'ComparisonOperator':'LT'}}", "",
		 INVALID
		 "Value or AttributeValueList must be used with ComparisonOperator: LT "
		 "for Attribute: a",
		 true},
		{"{'a':{'Exists':'true'}}", "", "Unexpected value type in payload", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct json_value v = fixture_json(a, rows[i].text);
		struct span connective = span_str(rows[i].connective);
		struct condition *c;
		struct refusal no = {0};
		enum err e = rows[i].expected
				     ? legacy_expected(a, &v, connective, &c, &no)
				     : legacy_filter(a, &v, connective, &c, &no);

		cr_expect(eq(int, e, ERR_MALFORMED), "%s", rows[i].text);
		if (e != OK)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}

Test(legacy, no_condition_at_all)
{
	struct arena *a = arena_new();
	struct json_value v = fixture_json(a, "{}");
	struct condition *c;
	struct refusal no;

	cr_expect(eq(int, legacy_expected(a, &v, span_of(NULL, 0), &c, &no), OK));
	cr_expect(eq(ptr, (void *)c, NULL));
	arena_free(a);
}

#define KEY "{'k':{'ComparisonOperator':'EQ','AttributeValueList':[{'S':'p'}]}"
#define SORT(operator_, values)                                                          \
	KEY ",'s':{'ComparisonOperator':'" operator_ "','AttributeValueList':[" values   \
	    "]}}"

/* KeyConditions: sections 2 and 5. */
Test(legacy, key_conditions)
{
	static const struct key_names names = {.partition = {(const uint8_t *)"k", 1},
					       .partition_type = VALUE_S,
					       .sort = {(const uint8_t *)"s", 1},
					       .sort_type = VALUE_S};
	static const struct {
		const char *text;
		enum sort_test test;
		const char *message;
	} rows[] = {
		{KEY "}", SORT_ANY, NULL},
		{SORT("EQ", "{'S':'a'}"), SORT_EQUAL, NULL},
		{SORT("LT", "{'S':'a'}"), SORT_LESS, NULL},
		{SORT("GE", "{'S':'a'}"), SORT_GREATER_EQUAL, NULL},
		{SORT("BETWEEN", "{'S':'a'},{'S':'b'}"), SORT_BETWEEN, NULL},
		{SORT("BEGINS_WITH", "{'S':'a'}"), SORT_BEGINS, NULL},
		{SORT("NE", "{'S':'a'}"), 0,
		 "Attempted conditional constraint is not an indexable operation"},
		{SORT("NOT_CONTAINS", "{'S':'a'}"), 0,
		 "Attempted conditional constraint is not an indexable operation"},
		{SORT("EQ", "{'N':'1'}"), 0,
		 "One or more parameter values were invalid: Condition parameter type "
		 "does not "
		 "match schema type"},
		{"{}", 0, "Conditions can be of length 1 or 2 only"},
		{"{'x':{'ComparisonOperator':'EQ','AttributeValueList':[{'S':'p'}]}}", 0,
		 "Query condition missed key schema element: k"},
		{"{'k':{'ComparisonOperator':'GT','AttributeValueList':[{'S':'p'}]}}", 0,
		 "Query key condition not supported"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct json_value v = fixture_json(a, rows[i].text);
		struct key_condition c;
		struct refusal no = {0};
		enum err e = legacy_key_conditions(a, &v, &names, &c, &no);

		cr_expect(eq(int, e, rows[i].message ? ERR_MALFORMED : OK), "%s: %s",
			  rows[i].text, no.message);
		if (e == OK)
			cr_expect(eq(int, c.test, rows[i].test));
		else if (rows[i].message)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}

/* AttributesToGet: section 2. */
Test(legacy, attributes_to_get)
{
	static const struct {
		const char *text, *out, *message;
	} rows[] = {
		{"['s','n']", "{'n':{'N':'5'},'s':{'S':'abc'}}", NULL},
		{"['a.b','x']", "{'a.b':{'N':'1'}}", NULL},
		{"['l[0]']", "{}", NULL},
		{"[]", NULL,
		 "1 validation error detected: Value '[]' at 'attributesToGet' failed to "
		 "satisfy "
		 "constraint: Member must have length greater than or equal to 1"},
		{"['a','b','a']", NULL,
		 "One or more parameter values were invalid: Duplicate value in "
		 "attribute name: "
		 "a"},
		{"[1]", NULL, "Unexpected value type in payload"},
		{"{}", NULL, "Unexpected value type in payload"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct json_value v = fixture_json(a, rows[i].text);
		struct projection *p;
		struct value_map out;
		struct refusal no = {0};
		enum err e = legacy_attributes(a, &v, &p, &no);

		cr_expect(eq(int, e, rows[i].out ? OK : ERR_MALFORMED), "%s: %s",
			  rows[i].text, no.message);
		if (e == OK && rows[i].out) {
			projection_apply(a, p, fixture_item(a, item), &out);
			cr_expect(eq(str, fixture_written(a, &out), (char *)rows[i].out));
		} else if (rows[i].message) {
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		}
		arena_free(a);
	}
}

/* Pitfall 15: 50,000 updates in falling order take no time to speak of. */
Test(legacy, many_updates_in_any_order, .timeout = 20)
{
	struct arena *a = arena_new();
	size_t most = 50000, n = 1;
	char *text = arena_alloc(a, most * 40);
	struct json_value v;
	struct update *u;
	struct refusal no;

	text[0] = '{';
	for (size_t i = most; i > 0; i--)
		n += (size_t)sprintf(text + n, "%s'a%05zu':{'Action':'DELETE'}",
				     i < most ? "," : "", i);
	memcpy(text + n, "}", 2);
	v = fixture_json(a, text);
	cr_expect(eq(int, legacy_updates(a, &v, &u, &no), OK));
	cr_expect(update_touches(u, span_str("a00001")));
	arena_free(a);
}
