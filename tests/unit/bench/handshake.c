#include "bench/handshake.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* RFC 6455 1.3 */

static enum err check(const char *answer, unsigned *status, size_t *used)
{
	return handshake_check(span_str(answer), key, status, used);
}

Test(handshake, the_accept_is_the_one_of_rfc_6455_1_3)
{
	char accept[HANDSHAKE_ACCEPT];

	handshake_accept(key, accept);
	cr_assert(eq(str, accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

Test(handshake, two_clients_never_have_the_same_key)
{
	char a[HANDSHAKE_KEY], b[HANDSHAKE_KEY];

	handshake_key(1, 7, a);
	handshake_key(2, 7, b);
	cr_assert(eq(sz, strlen(a), 24));
	cr_assert(ne(str, a, b));
}

Test(handshake, a_right_answer_is_taken_whatever_the_case_of_its_field)
{
	static const char answer[] =
		"HTTP/1.1 101 Switching Protocols\r\n"
		"SEC-websocket-Accept:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int, check(answer, &status, &used), OK));
	cr_assert(eq(sz, used, sizeof answer - 1));
	for (size_t n = 0; n < sizeof answer - 1; n++)
		cr_assert(eq(int,
			     handshake_check(span_of(answer, n), key, &status, &used),
			     ERR_AGAIN));
}

Test(handshake, an_accept_for_another_key_is_malformed)
{
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int,
		     check("HTTP/1.1 101 S\r\nSec-WebSocket-Accept: "
			   "HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n",
			   &status, &used),
		     ERR_MALFORMED));
	cr_assert(
		eq(int, check("HTTP/1.1 101 S\r\n\r\n", &status, &used), ERR_MALFORMED));
	cr_assert(eq(int, check("\r\n\r\n", &status, &used), ERR_MALFORMED));
}

Test(handshake, another_status_is_told)
{
	unsigned status = 0;
	size_t used = 0;

	cr_assert(
		eq(int, check("HTTP/1.1 503 Busy\r\n\r\n", &status, &used), ERR_DENIED));
	cr_assert(eq(uint, status, 503));
}
