#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ParameterizedTestParameters(yaml, refuses)
{
	static struct fixture_row rows[] = {
		{"a bracket is not closed", "functions: [1, 2\n",
		 "2:1: no YAML: flow sequence without a closing bracket\n"},
		{"a tab indents",
		 "functions:\n"
		 "	f: 1\n",
		 "2:1: no YAML: tab character may not be used as indentation\n"},
		{"a key stands twice",
		 "service: a\n"
		 "service: b\n",
		 "2:1: the key \"service\" is in this mapping twice: first in line 1\n"},
		{"a key stands twice deep inside of what does not concern us",
		 "resources:\n"
		 "  a:\n"
		 "    b: 1\n"
		 "    c: 2\n"
		 "    b: 3\n",
		 "5:5: the key \"b\" is in this mapping twice: first in line 3\n"},
		{"an alias without its anchor", "functions: *none\n",
		 "1:13: *none: no anchor of this name stands before it\n"},
		{"an alias inside of what it names",
		 "functions: &f\n"
		 "  a: [ *f ]\n",
		 "2:9: *f: it stands inside of what it names\n"},
		{"two documents",
		 "service: a\n"
		 "---\n"
		 "service: b\n",
		 "2:1: a second document begins here; allowed: one\n"},
		{"an empty file", "", "gatepost.yml: there is nothing in it\n"},
		{"only a comment", "# nothing\n",
		 "gatepost.yml: there is nothing in it\n"},
		{"a list as the whole",
		 "- a\n"
		 "- b\n",
		 "1:1: this is a list; allowed: a mapping with functions\n"},
		{"a text as the whole", "hello\n",
		 "1:1: this is a text; allowed: a mapping with functions\n"},
		{"a list as a key",
		 "? [a, b]\n"
		 ": c\n",
		 "1:3: the key is a list; allowed: a text\n"},
		{"a zero byte by escape", "service: \"a\\0b\"\n",
		 "1:11: a text with a zero byte: \"a\"…\n"},
		{"<< takes a text",
		 "x:\n"
		 "  <<: text\n",
		 "2:7: << takes a mapping or a list of mappings; this is a text\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, yaml, refuses)
{
	fixture_check(row);
}

Test(yaml, refuses_what_is_not_utf8_with_its_line)
{
	struct fixture b = {0};

	fixture_read(&b, "service: a\n# \xff\n");
	cr_assert(eq(str, b.errors, "2:1: is not UTF-8 text\n"));
	fixture_close(&b);
}

Test(yaml, reads_json)
{
	struct fixture b = {0};

	fixture_read(
		&b,
		"{\"service\": \"\\u00e9t\\u00e9\", \"functions\": {\"f\": {\"handler\": "
		"\"builtin:echo\", \"events\": [{\"websocket\": \"say\"}]}}}");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(str, b.config->service, "été"));
	cr_assert(ne(ptr, (void *)fixture_route(&b, "say"), NULL));
	fixture_close(&b);
}

Test(yaml, merges_mappings_under_the_keys_that_are_there)
{
	struct fixture b = {0};

	fixture_read(&b, "x-a: &a { timeout: 3, memorySize: 256 }\n"
			 "x-b: &b { timeout: 4, handler: builtin:ping }\n"
			 "functions:\n"
			 "  f:\n"
			 "    memorySize: 512\n"
			 "    <<: [ *a, *b ]\n"
			 "    events: [ { websocket: say } ]\n");
	cr_assert(eq(str, b.errors, ""));
	const struct config_function *f = fixture_function(&b, "f");
	cr_assert(eq(i64, f->memory_mb, 512), "its own pair wins");
	cr_assert(eq(i64, f->timeout_ms, 3000), "then the first of the list");
	cr_assert(eq(str, f->handler, "builtin:ping"), "then the second");
	fixture_close(&b);
}

Test(yaml, takes_the_anchor_that_came_last)
{
	struct fixture b = {0};

	fixture_read(&b, "x-a: &a one\nx-b: &a two\nservice: *a\n" FIXTURE_ANY);
	cr_assert(eq(str, b.config->service, "two"));
	fixture_close(&b);
}

/* Aliases of aliases: nine lists of nine make 387 million values when they are copied. */
Test(yaml, does_not_copy_what_aliases_name)
{
	char text[2048] = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n";
	struct fixture b = {0};

	for (int i = 1; i < 9; i++)
		sprintf(text + strlen(text),
			"x%d: &x%d [*x%d, *x%d, *x%d, *x%d, *x%d, *x%d, *x%d, *x%d, "
			"*x%d]\n",
			i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
			i - 1);
	strcat(text, FIXTURE_ANY);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""));
	fixture_close(&b);
}

/* Each mapping merges the one before it twice as large: 2^20 pairs, were they not counted. */
Test(yaml, refuses_mappings_that_merge_into_too_many_pairs)
{
	enum { PAIRS = 1000, MAPS = 600 };
	char *text = malloc(1 << 20), *end = text;
	struct fixture b = {0};

	end += sprintf(end, "x0: &x0 {");
	for (int i = 0; i < PAIRS; i++)
		end += sprintf(end, "k%d: v, ", i);
	end += sprintf(end, "}\n");
	for (int i = 0; i < MAPS; i++)
		end += sprintf(end, "y%d: { <<: *x0 }\n", i);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, "gatepost.yml: more than 250,000 values\n"));
	fixture_close(&b);
	free(text);
}

Test(yaml, refuses_what_is_nested_too_deep)
{
	char text[200] = "a: ";
	struct fixture b = {0};

	memset(text + 3, '[', 100);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, "1:67: nested more than 64 levels deep\n"));
	fixture_close(&b);
}

Test(yaml, refuses_a_file_over_4_MiB)
{
	size_t n = 4 * 1024 * 1024 + 1;
	char *text = malloc(n + 1);
	struct fixture b = {0};

	memset(text, '#', n);
	text[n] = '\0';
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, "gatepost.yml: is larger than 4 MiB\n"));
	fixture_close(&b);
	free(text);
}
