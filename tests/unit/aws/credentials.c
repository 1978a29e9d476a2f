#include "aws/credentials.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

static const char two[] = "# who may\n"
			  "\n"
			  "[ chat-functions ]\r\n"
			  "aws_access_key_id = GP1\r\n"
			  "  aws_secret_access_key=se=cret/+  \n"
			  "region = eu-central-1\n"
			  "; and the people\n"
			  "[operators]\n"
			  "token = let-me-in\n"
			  "aws_access_key_id = GP2\n"
			  "aws_secret_access_key = other";

static struct credentials *parsed(const char *text)
{
	struct credentials *c;
	char why[200];

	cr_assert(eq(int, credentials_parse(span_str(text), &c, why, sizeof why), OK),
		  "%s", why);
	return c;
}

Test(credentials, keys_and_tokens_are_found_with_their_callers)
{
	struct credentials *c = parsed(two);
	const struct credential *one = credentials_of_key(c, span_str("GP1"));

	cr_assert(eq(sz, credentials_count(c), 2));
	cr_assert(eq(str, one->name, (char *)"chat-functions"));
	cr_assert(eq(str, one->secret, (char *)"se=cret/+"));
	cr_assert(eq(str, credentials_of_key(c, span_str("GP2"))->name,
		     (char *)"operators"));
	cr_assert(eq(str, credentials_of_token(c, span_str("let-me-in"))->name,
		     (char *)"operators"));
	credentials_free(c);
}

Test(credentials, a_key_may_be_that_of_a_function)
{
	struct credentials *c = parsed("[a]\naws_access_key_id = A\n"
				       "aws_secret_access_key = x\nfunction = rooms\n"
				       "[b]\naws_access_key_id = B\n"
				       "aws_secret_access_key = y\n");

	cr_assert(
		eq(str, credentials_of_key(c, span_str("A"))->function, (char *)"rooms"));
	cr_assert(eq(ptr, credentials_of_key(c, span_str("B"))->function, NULL));
	credentials_free(c);
}

Test(credentials, what_nobody_has_is_not_found)
{
	struct credentials *c = parsed(two);

	cr_assert(eq(ptr, (void *)credentials_of_key(c, span_str("GP")), NULL));
	cr_assert(eq(ptr, (void *)credentials_of_key(c, span_str("GP11")), NULL));
	cr_assert(eq(ptr, (void *)credentials_of_key(c, span_str("")), NULL));
	cr_assert(eq(ptr, (void *)credentials_of_token(c, span_str("let-me-i")), NULL));
	cr_assert(eq(ptr, (void *)credentials_of_token(c, span_str("let-me-in ")), NULL));
	cr_assert(eq(ptr, (void *)credentials_of_token(c, span_str("")), NULL));
	credentials_free(c);
}

struct wrong {
	char text[120];
	char says[60];
};

ParameterizedTestParameters(credentials, refused)
{
	static struct wrong all[] = {
		{"", "no section"},
		{"# nothing\n", "no section"},
		{"token = x\n", "line 1: a setting before the first"},
		{"[a]\n", "neither a key pair nor a token"},
		{"[a]\n[b]\ntoken = x", "line 2: the section above has neither"},
		{"[a]\naws_access_key_id = X\n", "half of a key pair"},
		{"[a]\naws_secret_access_key = X\n", "half of a key pair"},
		{"[a]\ntoken =\n", "line 2: a value is of visible"},
		{"[a]\ntoken = se cret\n", "line 2: a value is of visible"},
		{"[a]\ntoken = \x01\n", "line 2: a value is of visible"},
		{"[a]\ntoken = x\ntoken = y\n", "line 3: the section has a token"},
		{"[a]\ntoken = x\n[b]\ntoken = x\n",
		 "line 4: a section above has the same"},
		{"[a]\ntoken = x\n[a]\ntoken = y\n", "line 3: a section of this name"},
		{"[a]\naws_access_key_id = X\naws_access_key_id = Y\n",
		 "line 3: the section"},
		{"[a]\naws_access_key_id = a/b\n", "line 2: an aws_access_key_id has no"},
		{"[a]\npassword = x\n", "line 2: no such setting"},
		{"[a]\ntoken = x\nfunction = f\n", "a function, but no key pair"},
		{"[a]\nfunction = f\nfunction = g\n", "line 3: the section has this"},
		{"[a]\nnonsense\n", "line 2: neither [name] nor"},
		{"[]\ntoken = x\n", "line 1: a section's name"},
	};
	return cr_make_param_array(struct wrong, all, sizeof all / sizeof *all);
}

ParameterizedTest(struct wrong *w, credentials, refused)
{
	struct credentials *c = (struct credentials *)w;
	char why[200];

	cr_assert(eq(int, credentials_parse(span_str(w->text), &c, why, sizeof why),
		     ERR_MALFORMED));
	cr_assert(eq(ptr, c, NULL));
	cr_assert(ne(ptr, strstr(why, w->says), NULL), "%s", why);
}

Test(credentials, no_complaint_shows_a_secret)
{
	static const char text[] = "[a]\naws_access_key_id = X\n"
				   "aws_secret_access_key = topsecret\n"
				   "aws_secret_access_key = topsecret\n";
	struct credentials *c;
	char why[200];

	cr_assert(eq(int, credentials_parse(span_str(text), &c, why, sizeof why),
		     ERR_MALFORMED));
	cr_assert(eq(ptr, strstr(why, "topsecret"), NULL), "%s", why);
}

/* Any bytes: no crash, no read beyond the end. */
Test(credentials, every_prefix_is_read_or_refused)
{
	for (size_t n = 0; n < strlen(two); n++) {
		struct credentials *c;
		char why[200];
		uint8_t *copy = malloc(n + 1);

		memcpy(copy, two, n);
		if (credentials_parse(span_of(copy, n), &c, why, sizeof why) == OK)
			credentials_free(c);
		free(copy);
	}
}
