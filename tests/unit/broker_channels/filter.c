#include "broker/channels/client/filter.h"

#include "base/mem.h"
#include "proto/batch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

static struct proto_arena arena;

static void start(void)
{
	proto_arena_init(&arena);
}

static void stop(void)
{
	proto_arena_close(&arena);
}

TestSuite(filter, .init = start, .fini = stop);

static const char *const ops[] = {"",   "and", "or",     "not",    "eq",   "ne",
				  "in", "nin", "exists", "starts", "ends", "contains",
				  "gt", "gte", "lt",     "lte"};

/* The list as text: "and/2 eq(city=Bonn) lt(level=3)" */
static char *list_of(const struct filter *f)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < f->n; i++) {
		const Gatepost__FilterNode *node = f->nodes[i];
		char *more;

		if (node->operands > 0) {
			more = xasprintf("%s%s%s/%u", text, i > 0 ? " " : "",
					 ops[node->op], node->operands);
		} else {
			more = xasprintf("%s%s%s(%.*s=", text, i > 0 ? " " : "",
					 ops[node->op], (int)node->tag.len,
					 node->tag.data);
			for (size_t k = 0; k < node->n_values; k++) {
				char *with = xasprintf("%s%s%.*s", more, k > 0 ? "," : "",
						       (int)node->values[k].len,
						       node->values[k].data);

				free(more);
				more = with;
			}
			more = xrealloc(more, strlen(more) + 2);
			strcat(more, ")");
		}
		free(text);
		text = more;
	}
	return text;
}

struct good {
	char text[160];
	char list[120];
};

ParameterizedTestParameters(filter, a_filter_is_a_list_with_operands_behind)
{
	static struct good rows[] = {
		{"{\"tag\":\"a\",\"eq\":\"b\"}", "eq(a=b)"},
		{"{\"eq\":\"b\",\"tag\":\"a\"}", "eq(a=b)"},
		{"{\"tag\":\"a\",\"ne\":\"\"}", "ne(a=)"},
		{"{\"tag\":\"a\",\"eq\":5.0}", "eq(a=5.0)"},
		{"{\"tag\":\"a\",\"in\":[\"x\",2]}", "in(a=x,2)"},
		{"{\"tag\":\"a\",\"nin\":[]}", "nin(a=)"},
		{"{\"tag\":\"a\",\"exists\":true}", "exists(a=true)"},
		{"{\"tag\":\"a\",\"exists\":false}", "exists(a=false)"},
		{"{\"tag\":\"\\u0061\",\"starts\":\"\\u0062\"}", "starts(a=b)"},
		{"{\"tag\":\"a\",\"ends\":\"z\"}", "ends(a=z)"},
		{"{\"tag\":\"a\",\"contains\":\"z\"}", "contains(a=z)"},
		{"{\"tag\":\"a\",\"gt\":1}", "gt(a=1)"},
		{"{\"tag\":\"a\",\"gte\":\"1\"}", "gte(a=1)"},
		{"{\"tag\":\"a\",\"lt\":-1e3}", "lt(a=-1e3)"},
		{"{\"tag\":\"a\",\"lte\":\"x\"}", "lte(a=x)"},
		{"{\"not\":{\"tag\":\"a\",\"eq\":\"b\"}}", "not/1 eq(a=b)"},
		{"{\"and\":[{\"or\":[{\"tag\":\"a\",\"eq\":\"b\"},{\"tag\":\"c\",\"lt\":"
		 "3}]},"
		 "{\"not\":{\"tag\":\"d\",\"eq\":\"e\"}}]}",
		 "and/2 or/2 eq(a=b) lt(c=3) not/1 eq(d=e)"},
	};

	return cr_make_param_array(struct good, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct good *row, filter, a_filter_is_a_list_with_operands_behind)
{
	struct filter f;
	const char *why = filter_read(span_str(row->text), &arena, &f);
	char *list;

	cr_assert(why == NULL, "%s: %s", row->text, why);
	list = list_of(&f);
	cr_assert(strcmp(list, row->list) == 0, "%s", list);
	free(list);
}

struct bad {
	char text[120];
	char why[60]; /* is a part of the sentence */
};

ParameterizedTestParameters(filter, what_is_wrong_is_said)
{
	static struct bad rows[] = {
		{"{}", "no operator"},
		{"[]", "is an object"},
		{"{\"and\":[1]}", "is an object"},
		{"{\"tag\":\"a\"}", "no operator"},
		{"{\"eq\":\"b\"}", "no tag"},
		{"{\"tag\":1,\"eq\":\"b\"}", "not a string"},
		{"{\"tag\":\"a\",\"equals\":\"b\"}", "nothing else"},
		{"{\"tag\":\"a\",\"eq\":\"b\",\"x\":1}", "nothing else"},
		{"{\"tag\":\"a\",\"eq\":\"b\",\"ne\":\"c\"}", "two operators"},
		{"{\"and\":[{\"tag\":\"a\",\"eq\":\"b\"}],\"tag\":\"a\"}",
		 "no tag belongs"},
		{"{\"and\":[]}", "empty"},
		{"{\"or\":{}}", "list of filters"},
		{"{\"not\":[]}", "is an object"},
		{"{\"tag\":\"a\",\"in\":\"b\"}", "list of values"},
		{"{\"tag\":\"a\",\"in\":[null]}", "not a string or a number"},
		{"{\"tag\":\"a\",\"eq\":true}", "not a string or a number"},
		{"{\"tag\":\"a\",\"eq\":[\"b\"]}", "not a string or a number"},
		{"{\"tag\":\"a\",\"exists\":1}", "true or false"},
		{"{\"tag\":\"a\",\"eq\":\"\\ud800\"}", "surrogate"},
		{"{\"tag\":\"\\ud800\",\"eq\":\"a\"}", "surrogate"},
	};

	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *row, filter, what_is_wrong_is_said)
{
	struct filter f;
	const char *why = filter_read(span_str(row->text), &arena, &f);

	cr_assert(why != NULL, "%s is accepted", row->text);
	cr_assert(strstr(why, row->why) != NULL, "%s: %s", row->text, why);
}

/* {"not":{"not":…{"tag":"a","eq":"b"}}} of n parts */
static char *nested(size_t n)
{
	char *text = xmalloc(n * 8 + 40);

	*text = '\0';
	for (size_t i = 1; i < n; i++)
		strcat(text, "{\"not\":");
	strcat(text, "{\"tag\":\"a\",\"eq\":\"b\"}");
	for (size_t i = 1; i < n; i++)
		strcat(text, "}");
	return text;
}

/* {"or":[…]} of n parts */
static char *wide(size_t n)
{
	char *text = xmalloc(n * 24 + 40);

	strcpy(text, "{\"or\":[");
	for (size_t i = 1; i < n; i++)
		strcat(text,
		       i > 1 ? ",{\"tag\":\"a\",\"eq\":1}" : "{\"tag\":\"a\",\"eq\":1}");
	return strcat(text, "]}");
}

Test(filter, it_has_at_most_32_parts)
{
	char *(*const makers[])(size_t) = {nested, wide};
	struct filter f;

	for (size_t i = 0; i < 2; i++) {
		char *good = makers[i](32), *bad = makers[i](33);

		cr_assert(filter_read(span_str(good), &arena, &f) == NULL, "%s", good);
		cr_assert(eq(sz, f.n, 32));
		cr_assert(filter_read(span_str(bad), &arena, &f) != NULL, "%s", bad);
		free(good);
		free(bad);
	}
}

static char *of_text(size_t tag, size_t value)
{
	char a[400], b[400];

	memset(a, 'a', sizeof a);
	memset(b, 'b', sizeof b);
	return xasprintf("{\"tag\":\"%.*s\",\"eq\":\"%.*s\"}", (int)tag, a, (int)value,
			 b);
}

Test(filter, texts_have_at_most_256_bytes)
{
	static const struct {
		size_t tag, value;
		bool good;
	} rows[] = {{256, 256, true}, {257, 1, false}, {1, 257, false}};
	struct filter f;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = of_text(rows[i].tag, rows[i].value);

		cr_assert(rows[i].good ==
				  (filter_read(span_str(text), &arena, &f) == NULL),
			  "%zu, %zu", rows[i].tag, rows[i].value);
		free(text);
	}
}

static char *of_values(size_t n)
{
	char *text = xmalloc(n * 4 + 40);

	strcpy(text, "{\"tag\":\"a\",\"in\":[");
	for (size_t i = 0; i < n; i++)
		strcat(text, i > 0 ? ",1" : "1");
	return strcat(text, "]}");
}

Test(filter, a_list_has_at_most_100_values)
{
	char *good = of_values(100), *bad = of_values(101);
	struct filter f;

	cr_assert(filter_read(span_str(good), &arena, &f) == NULL);
	cr_assert(eq(sz, f.nodes[0]->n_values, 100));
	cr_assert(filter_read(span_str(bad), &arena, &f) != NULL);
	free(good);
	free(bad);
}

Test(filter, every_prefix_is_refused)
{
	static const char text[] = "{\"and\":[{\"tag\":\"a\",\"in\":[\"b\",2]},{\"not\":"
				   "{\"tag\":\"\\u0063\",\"exists\":true}}]}";
	struct filter f;

	for (size_t n = 0; n < sizeof text - 1; n++) {
		uint8_t *copy = xmalloc(n + 1);

		memcpy(copy, text, n);
		cr_assert(filter_read(span_of(copy, n), &arena, &f) != NULL,
			  "the first %zu bytes", n);
		free(copy);
	}
	cr_assert(filter_read(span_str(text), &arena, &f) == NULL);
}
