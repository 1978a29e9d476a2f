#include "tables/store/schema.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define TABLE                                                                            \
	"{\"TableName\":\"rooms\",\"KeySchema\":[{\"AttributeName\":\"room\","           \
	"\"KeyType\":\"HASH\"},{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}],"       \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"room\",\"AttributeType\":"       \
	"\"S\"},{\"AttributeName\":\"at\",\"AttributeType\":\"N\"},{\"AttributeName\":"  \
	"\"user\",\"AttributeType\":\"B\"}],\"GlobalSecondaryIndexes\":[{"               \
	"\"IndexName\":\"by-user\",\"KeySchema\":[{\"AttributeName\":\"user\","          \
	"\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"INCLUDE\","         \
	"\"NonKeyAttributes\":[\"x\",\"y\"]},\"Number\":77}],\"Id\":\"stolenid\"}"

static struct table *read_table(struct arena *a, const char *text, struct refusal *no)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	struct fields *f = arena_alloc(a, sizeof *f);
	struct table *t = NULL;

	cr_assert(json_find(span_str(text), &whole, &v) == OK);
	if (fields_read(a, &v, f, no) == OK)
		(void)!schema_read(f, &t, no);
	return t;
}

static char *written(struct arena *a, const struct table *t)
{
	struct blob *b = schema_write(t);
	char *text = arena_printf(a, "%.*s", (int)b->n, (char *)b->p);

	blob_unref(b);
	return text;
}

Test(schema, table_is_written_and_read_back_as_it_was)
{
	struct arena *a = arena_new();
	struct refusal no;
	struct table *t = read_table(a, TABLE, &no), *back;
	char *text;

	cr_assert(t != NULL);
	cr_assert(eq(int, t->keys.sort_type, VALUE_N));
	cr_assert(eq(sz, t->indexes[0].n_include, 2));
	cr_assert(eq(u32, t->indexes[0].number, 0)); /* not for clients to choose */
	cr_assert(ne(str, t->id, "stolenid"));
	t->ttl = span_str("ttl");
	t->indexes[0].state = INDEX_CREATING;
	text = written(a, t);
	back = schema_read_stored(span_str(text));
	cr_assert(back != NULL);
	cr_assert(eq(str, written(a, back), text));
	cr_assert(table_is_changing(back));
	table_unref(back);
	back = table_change(t);
	cr_assert(eq(u64, back->generation, t->generation + 1));
	table_unref(back);
	table_unref(t);
	arena_free(a);
}

Test(schema, stored_text_that_is_cut_off_anywhere_is_no_table)
{
	struct arena *a = arena_new();
	struct refusal no;
	struct table *t = read_table(a, TABLE, &no);
	char *text = written(a, t);

	for (size_t n = 0; n < strlen(text); n++)
		cr_assert(schema_read_stored(span_of(text, n)) == NULL);
	table_unref(t);
	arena_free(a);
}

struct name_row {
	char name[16];
	bool want;
};

Test(schema, names_have_some_characters_and_lengths)
{
	static const struct name_row rows[] = {{"abc", true},     {"ab", false},
					       {"a.b-c_9", true}, {"a b", false},
					       {"a/b", false},    {"äbc", false}};
	char longest[257];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert(eq(int, table_name_is_right(span_str(rows[i].name)),
			     rows[i].want),
			  "%s", rows[i].name);
	memset(longest, 'a', 256);
	longest[256] = '\0';
	cr_assert(not(table_name_is_right(span_str(longest))));
	cr_assert(table_name_is_right(span_of(longest, 255)));
}

Test(schema, arn_stands_for_the_name_in_it)
{
	struct span s = table_name_of(span_str("arn:aws:dynamodb:eu:1:table/rooms"));

	cr_assert(span_is(s, "rooms"));
	cr_assert(span_is(table_name_of(span_str("rooms")), "rooms"));
	cr_assert(span_is(table_name_of(span_str("arn:aws:sqs")), "arn:aws:sqs"));
}
