#include "tables/expression/lexer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Kinds as letters: n name, # : placeholders, d digits, w wrong, e end, and the signs themselves. */
static const char letters[] = "n#:d()[],.=!<l>g+-we";

static void check(const char *text, const char *kinds)
{
	struct arena *a = arena_new();
	struct span bytes = arena_copy(a, span_str(text));
	const struct token *tokens = lexer_read(a, bytes);
	const uint8_t *end = bytes.p;

	for (size_t i = 0; kinds[i]; i++) {
		cr_assert(eq(chr, letters[tokens[i].kind], kinds[i]), "%s, token %zu",
			  text, i);
		cr_assert(ge(ptr, (void *)tokens[i].text.p, (void *)end));
		end = tokens[i].text.p + tokens[i].text.n;
	}
	cr_expect(eq(ptr, (void *)end, (void *)(bytes.p + bytes.n)));
	arena_free(a);
}

/* Specification 6: names, values, words, blanks. */
Test(lexer, tokens)
{
	static const char *const rows[][2] = {
		{"", "e"},
		{"   ", "e"},
		{"a", "ne"},
		{"a1_B", "ne"},
		{"#a :b", "#:e"},
		{"#1 :1 #_ :_x", "#:#:e"},
		{"#a.b", "#.ne"},
		{"a[0][12]", "n[d][d]e"},
		{"a=b<>c<=d>=e<f>g", "n=n!nlngn<n>ne"},
		{"< > <> ><", "<>!><e"},
		{"a+b-c", "n+n-ne"},
		{"(a,b)", "(n,n)e"},
		{"_a", "we"},
		{"1a", "we"},
		{"12", "de"},
		{"# : ##a", "www#e"},
		{"a\tb\r\nc", "nnne"},
		{"a\vb", "nwne"},
		{"'a'", "wnwe"},
		{"é€", "wwe"},
		{"\xff\x80\x80", "we"},
		{"a-b", "n-ne"},
		{"#a-b", "#-ne"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(rows[i][0], rows[i][1]);
}
