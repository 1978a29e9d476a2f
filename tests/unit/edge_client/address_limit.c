#include "edge/client/address_limit.h"

#include "base/address.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

enum { NOW = 1000000 };

static struct address_limit *l;

static void end(void)
{
	address_limit_free(l);
}

TestSuite(address_limit, .fini = end);

static enum err enter(const char *from, int64_t now, struct address_use **u)
{
	struct address a;

	cr_assert(eq(int, address_parse(from, &a), OK));
	return address_limit_enter(l, (struct sockaddr *)&a.sa, now, u);
}

/* n sockets of that address; how many were let in. */
static int let_in(const char *from, int64_t now, int n)
{
	struct address_use *u;
	int in = 0;

	for (int i = 0; i < n; i++)
		in += enter(from, now, &u) == OK;
	return in;
}

Test(address_limit, without_a_limit_there_is_none)
{
	l = address_limit_new(0, 0, 20);
	cr_assert(l == NULL);
}

Test(address_limit, an_address_has_so_many_sockets_and_another_one_has_its_own)
{
	l = address_limit_new(3, 0, 1);
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW, 10), 3));
	cr_assert(eq(int, let_in("10.0.0.2:1", NOW, 10), 3));
}

Test(address_limit, a_socket_that_has_gone_makes_room_for_another)
{
	struct address_use *first, *second, *third;

	l = address_limit_new(2, 0, 1);
	cr_assert(eq(int, enter("10.0.0.1:1", NOW, &first), OK));
	cr_assert(eq(int, enter("10.0.0.1:2", NOW, &second), OK));
	cr_assert(eq(int, enter("10.0.0.1:3", NOW, &third), ERR_BUSY));
	address_limit_leave(l, first, NOW);
	cr_assert(eq(int, enter("10.0.0.1:3", NOW, &third), OK));
}

Test(address_limit, the_port_counts_for_nothing_and_ipv4_is_the_same_inside_ipv6)
{
	l = address_limit_new(2, 0, 1);
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW, 1), 1));
	cr_assert(eq(int, let_in("[::ffff:10.0.0.1]:2", NOW, 5), 1));
}

Test(address_limit, a_64_of_ipv6_is_one_address)
{
	l = address_limit_new(2, 0, 1);
	cr_assert(eq(int, let_in("[2001:db8:1:2::1]:1", NOW, 2), 2));
	cr_assert(eq(int, let_in("[2001:db8:1:2:ffff::9]:1", NOW, 2), 0));
	cr_assert(eq(int, let_in("[2001:db8:1:3::1]:1", NOW, 2), 2));
}

Test(address_limit, a_burst_comes_at_once_and_then_the_rate_counts)
{
	l = address_limit_new(0, 10, 5);
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW, 100), 5));
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW + 99, 100), 0));
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW + 100, 100), 1));
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW + 400, 100), 3));
	cr_assert(eq(int, let_in("10.0.0.1:1", NOW + 60000, 100), 5));
}

Test(address_limit, a_socket_refused_by_the_rate_costs_nothing)
{
	int in = 0;

	l = address_limit_new(0, 10, 1);
	for (int ms = 0; ms < 1000; ms++)
		in += let_in("10.0.0.1:1", NOW + ms, 3);
	cr_assert(eq(int, in, 10));
}

Test(address_limit, an_address_is_forgotten_when_it_has_no_socket_and_all_its_burst)
{
	struct address_use *u;

	l = address_limit_new(5, 10, 5);
	cr_assert(eq(int, enter("10.0.0.1:1", NOW, &u), OK));
	address_limit_tick(l, NOW + 60000);
	cr_assert(eq(sz, address_limit_size(l), 1)); /* it has a socket */
	address_limit_leave(l, u, NOW + 60000);
	cr_assert(eq(sz, address_limit_size(l), 0)); /* its burst is whole already */

	cr_assert(eq(int, enter("10.0.0.1:1", NOW + 60000, &u), OK));
	address_limit_leave(l, u, NOW + 60001);
	address_limit_tick(l, NOW + 60050);
	cr_assert(eq(sz, address_limit_size(l), 1)); /* it is not */
	address_limit_tick(l, NOW + 60100);
	cr_assert(eq(sz, address_limit_size(l), 0));
}

/* Somebody who owns a large network, and opens one socket from each of its parts. */
Test(address_limit, the_table_does_not_grow_with_the_addresses_that_have_been_here)
{
	l = address_limit_new(0, 1, 100);
	for (unsigned i = 0; i < 2 * ADDRESS_LIMIT_IDLE_MOST; i++) {
		char from[64];
		struct address_use *u;

		snprintf(from, sizeof from, "[2001:db8:%x:%x::1]:1", i >> 16, i & 0xffff);
		cr_assert(eq(int, enter(from, NOW, &u), OK));
		address_limit_leave(l, u, NOW);
	}
	cr_assert(eq(sz, address_limit_size(l), ADDRESS_LIMIT_IDLE_MOST));
	address_limit_tick(l, NOW + 1000);
	cr_assert(eq(sz, address_limit_size(l), 0));
}
