#include "ws/client_handshake.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#define STATUS     "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* The key of RFC 6455 1.3. */
static const struct client_handshake sample = {"127.0.0.1:8080", "/dev", NULL,
					       "dGhlIHNhbXBsZSBub25jZQ=="};

static enum err response(const char *text, unsigned *status, size_t *used)
{
	return client_handshake_response(&sample, span_str(text), status, used);
}

Test(client_handshake, a_request_has_what_rfc_6455_4_1_asks_for)
{
	struct client_handshake h = sample;
	char *bare = client_handshake_request(&h);

	h.user_agent = "unit";
	char *named = client_handshake_request(&h);

	cr_assert(eq(str, bare,
		     "GET /dev HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n" UPGRADE CONNECTION
		     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		     "Sec-WebSocket-Version: 13\r\n\r\n"));
	cr_assert(strstr(named, "13\r\nUser-Agent: unit\r\n\r\n") != NULL);
	free(bare);
	free(named);
}

Test(client_handshake, a_right_response_is_accepted_whatever_the_case_of_its_headers)
{
	static const char text[] =
		STATUS "UPGRADE: WebSocket\r\nconnection:upgrade\r\n"
		       "SEC-websocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n";
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int, response(text, &status, &used), OK));
	cr_assert(eq(uint, status, 101));
	cr_assert(eq(sz, used, sizeof text - 1));
	for (size_t n = 0; n < sizeof text - 1; n++)
		cr_assert(eq(int,
			     client_handshake_response(&sample, span_of(text, n), &status,
						       &used),
			     ERR_AGAIN));
}

/* Connection is a list (RFC 9110 7.6.1); proxies add to it. */
Test(client_handshake, upgrade_may_be_one_of_several_connection_options)
{
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int,
		     response(STATUS UPGRADE "Connection: keep-alive , upgrade\r\n" ACCEPT
					     "\r\n",
			      &status, &used),
		     OK));
	cr_assert(eq(int,
		     response(STATUS UPGRADE "Connection: keep-alive,upgrades,\r\n" ACCEPT
					     "\r\n",
			      &status, &used),
		     ERR_MALFORMED));
}

Test(client_handshake, frames_behind_the_head_are_left)
{
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int,
		     response(STATUS UPGRADE CONNECTION ACCEPT "\r\n\x81\x02hi", &status,
			      &used),
		     OK));
	cr_assert(eq(sz, used, strlen(STATUS UPGRADE CONNECTION ACCEPT "\r\n")));
}

Test(client_handshake, a_101_that_lacks_or_changes_a_header_is_malformed)
{
	static const char *const rows[] = {
		STATUS "\r\n",
		STATUS CONNECTION ACCEPT "\r\n",
		STATUS UPGRADE ACCEPT "\r\n",
		STATUS UPGRADE CONNECTION "\r\n",
		STATUS UPGRADE CONNECTION
		"Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n",
		STATUS "Upgrade: h2c\r\n" CONNECTION ACCEPT "\r\n",
		STATUS UPGRADE "Connection: close\r\n" ACCEPT "\r\n",
		"\r\n\r\n",
		"HTTP/1.0 101 S\r\n" UPGRADE CONNECTION ACCEPT "\r\n",
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned status = 0;
		size_t used = 0;

		cr_assert(eq(int, response(rows[i], &status, &used), ERR_MALFORMED), "%s",
			  rows[i]);
	}
}

Test(client_handshake, another_status_is_reported)
{
	unsigned status = 0;
	size_t used = 0;

	cr_assert(eq(int, response("HTTP/1.1 503 Busy\r\n\r\n", &status, &used),
		     ERR_DENIED));
	cr_assert(eq(uint, status, 503));
}
