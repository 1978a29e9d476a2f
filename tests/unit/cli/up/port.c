#include "cli/up/port.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <unistd.h>

static struct address parsed(const char *text)
{
	struct address a;

	cr_assert(address_parse(text, &a) == OK, "%s", text);
	return a;
}

static void text_is(const struct address *a, const char *wanted)
{
	char text[ADDRESS_TEXT];

	cr_assert(eq(str, (char *)address_text((const struct sockaddr *)&a->sa, text),
		     (char *)wanted));
}

Test(port, a_reserved_port_can_be_listened_on_by_several_of_ours)
{
	struct address at;
	int kept = port_reserve("127.0.0.1:0", "--listen", &at);
	int one = address_listen(&at, true, NULL);
	int two = address_listen(&at, true, NULL);

	cr_assert(kept >= 0 && one >= 0 && two >= 0);
	close(kept);
	close(one);
	close(two);
}

Test(port, a_reserved_port_is_not_given_to_a_second_one, .init = cr_redirect_stderr)
{
	struct address at, again;
	char text[ADDRESS_TEXT];
	int kept = port_reserve("127.0.0.1:0", "--listen", &at);

	cr_assert(kept >= 0);
	address_text((const struct sockaddr *)&at.sa, text);
	cr_assert(eq(int, port_reserve(text, "--listen", &again), -1));
	close(kept);
}

Test(port, a_port_that_somebody_listens_on_is_not_taken, .init = cr_redirect_stderr)
{
	struct address any = parsed("127.0.0.1:0"), at, again;
	char text[ADDRESS_TEXT];
	int listener = address_listen(&any, true, &at);

	cr_assert(listener >= 0);
	address_text((const struct sockaddr *)&at.sa, text);
	cr_assert(eq(int, port_reserve(text, "--listen", &again), -1));
	close(listener);
}

Test(port, the_next_ones_follow_the_first_unless_it_is_0)
{
	struct address first = parsed("127.0.0.1:65534"), any = parsed("[::1]:0"), a;

	cr_assert(port_next(&first, 0, &a) == OK);
	text_is(&a, "127.0.0.1:65534");
	cr_assert(port_next(&first, 1, &a) == OK);
	text_is(&a, "127.0.0.1:65535");
	cr_assert(eq(int, port_next(&first, 2, &a), ERR_TOOBIG));
	cr_assert(port_next(&any, 2, &a) == OK);
	text_is(&a, "[::1]:0");
}

Test(port, every_address_is_reached_on_loopback)
{
	struct address v4 = parsed("0.0.0.0:80"), v6 = parsed("[::]:80"),
		       one = parsed("127.0.0.2:80");

	v4 = port_reach(&v4);
	v6 = port_reach(&v6);
	one = port_reach(&one);
	text_is(&v4, "127.0.0.1:80");
	text_is(&v6, "[::1]:80");
	text_is(&one, "127.0.0.2:80");
}
