#include "base/base64.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

struct vector {
	char text[10], code[13];
};

/* RFC 4648 10 */
ParameterizedTestParameters(base64, vectors)
{
	static struct vector rows[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff", "+/8="},
	};

	return cr_make_param_array(struct vector, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct vector *r, base64, vectors)
{
	char code[20];
	uint8_t text[20];
	size_t n = base64_encode(span_str(r->text), code), m;

	cr_assert(eq(sz, n, strlen(r->code)));
	cr_assert(eq(sz, base64_length(strlen(r->text)), n));
	cr_assert(memcmp(code, r->code, n) == 0);
	cr_assert(eq(int, base64_decode(span_str(r->code), text, &m), OK));
	cr_assert(span_is(span_of(text, m), r->text));
}

struct bad {
	char code[13];
};

ParameterizedTestParameters(base64, malformed)
{
	static struct bad rows[] = {
		{"Z"},    {"Zg"},    {"Zg="},  {"Zg==="},    {"===="},
		{"Z==="}, {"Zh=="},  {"Zm9="}, {"Zg==Zg=="}, {"Zm9v\n"},
		{"Zm-v"}, {"Zm 9v"}, {"=m9v"}, {"Z=9v"},     {"Zm=v"},
	};

	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, base64, malformed)
{
	uint8_t out[20];
	size_t n;

	cr_assert(eq(int, base64_decode(span_str(r->code), out, &n), ERR_MALFORMED), "%s",
		  r->code);
}
