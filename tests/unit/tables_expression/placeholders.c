#include "tables/expression/placeholders.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Section 6: keys of the two maps. */
Test(placeholders, keys_are_checked)
{
	static const struct {
		const char *names, *values, *message;
	} rows[] = {
		{NULL, NULL, NULL},
		{"{'#a':{'S':'x'}}", "{':v':{'N':'1'}}", NULL},
		{"{'#1':{'S':'x'},'#_':{'S':'y z'}}", NULL, NULL},
		{"{}", NULL, "ExpressionAttributeNames must not be empty"},
		{NULL, "{}", "ExpressionAttributeValues must not be empty"},
		{"{'a':{'S':'x'}}", NULL,
		 "ExpressionAttributeNames contains invalid key: Syntax error; key: "
		 "\"a\""},
		{"{'#':{'S':'x'}}", NULL,
		 "ExpressionAttributeNames contains invalid key: Syntax error; key: "
		 "\"#\""},
		{"{'#a-b':{'S':'x'}}", NULL,
		 "ExpressionAttributeNames contains invalid key: Syntax error; key: "
		 "\"#a-b\""},
		{NULL, "{'v':{'S':'x'}}",
		 "ExpressionAttributeValues contains invalid key: Syntax error; key: "
		 "\"v\""},
		{NULL, "{'#v':{'S':'x'}}",
		 "ExpressionAttributeValues contains invalid key: Syntax error; key: "
		 "\"#v\""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct placeholders *p;
		struct refusal no = {0};
		enum err e = placeholders_new(a, fixture_item(a, rows[i].names),
					      fixture_item(a, rows[i].values), &p, &no);

		cr_expect(eq(int, e, rows[i].message ? ERR_MALFORMED : OK), "%zu", i);
		if (e != OK)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}

/* Section 3: unused ones; section 6: also what is short-circuited counts as used. */
Test(placeholders, unused_ones_are_named)
{
	static const struct {
		const char *names, *values, *condition, *message;
	} rows[] = {
		{"{'#a':'a'}", "{':v':{'N':'1'}}", "#a = :v", NULL},
		{"{'#a':'a'}", "{':v':{'N':'1'}}", "b = :v OR #a = :v", NULL},
		{NULL, NULL, "attribute_exists(a)", NULL},
		{NULL, NULL, NULL, NULL},
		{"{'#a':'a','#b':'b','#c':'c'}", NULL, "attribute_exists(#b)",
		 "Value provided in ExpressionAttributeNames unused in expressions: "
		 "keys: "
		 "{#a, #c}"},
		{NULL, "{':v':{'N':'1'},':w':{'N':'1'}}", "a = :v",
		 "Value provided in ExpressionAttributeValues unused in expressions: "
		 "keys: "
		 "{:w}"},
		{"{'#a':'a'}", NULL, NULL,
		 "ExpressionAttributeNames can only be specified when using expressions"},
		{NULL, "{':v':{'N':'1'}}", NULL,
		 "ExpressionAttributeValues can only be specified when using "
		 "expressions"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct placeholders *p =
			fixture_placeholders(a, rows[i].names, rows[i].values);
		struct refusal no = {0};
		struct condition *c;
		enum err e = OK;

		if (rows[i].condition)
			e = condition_parse(a, "ConditionExpression",
					    span_str(rows[i].condition), p, &c, &no);
		cr_expect(eq(int, e, OK), "%zu: %s", i, no.message);
		e = placeholders_check(a, p, &no);
		cr_expect(eq(int, e, rows[i].message ? ERR_MALFORMED : OK), "%zu", i);
		if (e != OK)
			cr_expect(eq(str, (char *)no.message, (char *)rows[i].message));
		arena_free(a);
	}
}
