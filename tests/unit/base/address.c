#include "base/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void expect(const char *text, const char *want)
{
	struct address a;
	char got[ADDRESS_TEXT];

	cr_assert(eq(int, address_parse(text, &a), OK), "%s", text);
	address_text((const struct sockaddr *)&a.sa, got);
	cr_assert(eq(str, got, (char *)want), "%s", text);
}

Test(address, what_people_write_is_read)
{
	expect("127.0.0.1:8080", "127.0.0.1:8080");
	expect("[::1]:8080", "[::1]:8080");
	expect(":8080", "0.0.0.0:8080");
	expect("*:8080", "0.0.0.0:8080");
	expect("localhost:0", "127.0.0.1:0");
	expect("127.0.0.1:65535", "127.0.0.1:65535");
}

Test(address, what_is_no_address_is_refused)
{
	static const char *const bad[] = {"",           "8080",           "127.0.0.1",
					  "127.0.0.1:", "a:65536",        "a:-1",
					  "a:+1",       "a:80x",          "::1:8080",
					  "[::1]",      "[127.0.0.1]:80", "a: 80",
					  "[::1:80",    "a:000080"};
	struct address a;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert(eq(int, address_parse(bad[i], &a), ERR_MALFORMED), "%s",
			  bad[i]);
}

Test(address, a_host_that_does_not_exist_is_not_found)
{
	struct address a;

	cr_assert(eq(int, address_parse("no-such-host.invalid:80", &a), ERR_NOTFOUND));
}

Test(address, an_ipv4_client_of_an_ipv6_socket_is_shown_as_ipv4)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = htons(5)};
	char got[ADDRESS_TEXT];

	inet_pton(AF_INET6, "::ffff:10.0.0.7", &sa.sin6_addr);
	cr_assert(
		eq(str, (char *)address_text((struct sockaddr *)&sa, got), "10.0.0.7:5"));
	cr_assert(eq(str, (char *)address_host((struct sockaddr *)&sa, got), "10.0.0.7"));
}

Test(address, a_unix_socket_has_no_host)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char got[ADDRESS_TEXT];

	cr_assert(eq(str, (char *)address_text((struct sockaddr *)&sa, got), "unix"));
}

Test(address, the_listening_socket_does_not_block_and_says_its_port)
{
	struct address a, at;

	cr_assert(eq(int, address_parse("127.0.0.1:0", &a), OK));

	int fd = address_listen(&a, false, &at);
	char got[ADDRESS_TEXT];

	cr_assert(ne(int, fd, -1));
	cr_assert(ne(int, fcntl(fd, F_GETFL) & O_NONBLOCK, 0));
	cr_assert(ne(int, fcntl(fd, F_GETFD) & FD_CLOEXEC, 0));
	address_text((const struct sockaddr *)&at.sa, got);
	cr_assert(ne(str, got, "127.0.0.1:0"));
	close(fd);
}

Test(address, a_port_is_shared_only_when_both_say_so)
{
	struct address a, at;

	cr_assert(eq(int, address_parse("127.0.0.1:0", &a), OK));

	int first = address_listen(&a, true, &at);
	int second = address_listen(&at, true, NULL);
	int third = address_listen(&at, false, NULL);

	cr_assert(ne(int, first, -1));
	cr_assert(ne(int, second, -1));
	cr_assert(eq(int, third, -1));
	cr_assert(eq(int, errno, EADDRINUSE));
	close(first);
	close(second);
}

Test(address, listening_at_a_text_gives_the_port_or_why_not)
{
	struct address at, again;
	char text[ADDRESS_TEXT];
	const char *why = NULL;
	int fd = address_listen_at("127.0.0.1:0", false, &at, &why);

	cr_assert(fd >= 0);
	cr_assert(why == NULL);
	address_text((struct sockaddr *)&at.sa, text);
	cr_assert(eq(int, address_listen_at(text, false, &again, &why), -1));
	cr_assert(eq(str, (char *)why, "Address already in use"));
	cr_assert(eq(int, address_listen_at("127.0.0.1", false, &again, &why), -1));
	cr_assert(eq(str, (char *)why, "not HOST:PORT, or no such host"));
	close(fd);
}
