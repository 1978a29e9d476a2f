#include "ws/accept_key.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(accept_key, the_answer_is_the_one_of_rfc_6455_1_3)
{
	char accept[ACCEPT_KEY_ANSWER];

	accept_key_answer(span_str("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	cr_assert(eq(str, accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

Test(accept_key, the_key_of_a_nonce_is_its_base64_and_valid)
{
	static const uint8_t nonce[] = "the sample nonce"; /* RFC 6455 1.3 */
	char key[ACCEPT_KEY_REQUEST];

	accept_key_request(nonce, key);
	cr_assert(eq(str, key, "dGhlIHNhbXBsZSBub25jZQ=="));
	cr_assert(accept_key_is_valid(span_str(key)));
}

Test(accept_key, what_is_not_the_base64_of_16_bytes_is_not_valid)
{
	static const char *const rows[] = {
		"",
		"dGhlIHNhbXBsZSBub25jZQ=",   /* a character is missing */
		"dGhlIHNhbXBsZSBub25jZQ===", /* one too many */
		"dGhlIHNhbXBsZSBub25jZQA=",  /* 17 bytes */
		"dGhlIHNhbXBsZSBub25jZ===",  /* 15 bytes */
		"dGhlIHNhbXBsZSBub25j-Q==",  /* base64url */
		"dGhlIHNhbXBsZSB=b25jZQ==",  /* padding inside */
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert(not(accept_key_is_valid(span_str(rows[i]))), "%s", rows[i]);
}
