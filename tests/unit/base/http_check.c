#include "base/http_check.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(http_check, knows_loopback_and_the_names_it_was_given_with_any_port)
{
	static const char names[] = "gateway.internal,10.0.0.7:9000,[fd00::1]:80";
	static const char *const known[] = {
		"localhost", "LOCALHOST:8081",     "127.0.0.1", "127.8.8.8:80",
		"[::1]",     "[::1]:80",           "10.0.0.7",  "gateway.internal",
		"[fd00::1]", "Gateway.Internal:1",
	};
	static const char *const unknown[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"128.0.0.1",
		"127.1",
		"[::2]",
		"[::1",
		"gateway",
		"0.0.0.0",
		"10.0.0.8:9000",
		":80",
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		cr_assert(http_host_is_known(known[i], names), "%s", known[i]);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		cr_assert(not(http_host_is_known(unknown[i], names)), "%s", unknown[i]);
	cr_assert(not(http_host_is_known("", "")));
}
