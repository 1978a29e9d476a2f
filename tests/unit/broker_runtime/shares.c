#include "broker/runtime/shares.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { N = 10 };

static struct shares *shares;
static struct share s[N];

static void start(void)
{
	shares = shares_new();
}

static void end(void)
{
	for (size_t i = 0; i < N; i++)
		if (s[i].of != NULL)
			shares_leave(shares, &s[i]);
	shares_free(shares);
}

TestSuite(shares, .init = start, .fini = end);

static void wait_as(int i, const char *client)
{
	shares_wait(shares, &s[i], span_str(client), false);
}

/* Whose turn it is, by number; -1: nobody's */
static int next(bool more)
{
	struct share *found = shares_next(shares, more);

	return found == NULL ? -1 : (int)(found - s);
}

static void begin(int i)
{
	cr_assert(eq(int, next(true), i));
	shares_begin(shares, &s[i]);
}

Test(shares, a_client_without_one_under_way_goes_before_one_that_has_some)
{
	wait_as(0, "a");
	wait_as(1, "a");
	wait_as(2, "b");
	begin(0);
	begin(2);
	cr_assert(eq(int, next(false), -1));
	cr_assert(eq(int, next(true), 1));
}

Test(shares, clients_that_have_some_take_turns)
{
	for (int i = 0; i < 3; i++)
		wait_as(i, "a");
	for (int i = 3; i < 6; i++)
		wait_as(i, "b");
	begin(0);
	begin(3);
	begin(1);
	begin(4);
	begin(2);
	begin(5);
	cr_assert(eq(int, next(true), -1));
}

Test(shares, one_that_waits_first_goes_before_other_clients)
{
	wait_as(0, "a");
	wait_as(1, "b");
	shares_wait(shares, &s[2], span_str("b"), true);
	begin(2);
	cr_assert(eq(int, next(true), 0));
}

Test(shares, one_that_gives_up_has_no_turn)
{
	wait_as(0, "a");
	wait_as(1, "b");
	shares_leave(shares, &s[0]);
	cr_assert(not(s[0].is_waiting));
	begin(1);
	cr_assert(eq(int, next(true), -1));
	shares_leave(shares, &s[1]);
	wait_as(1, "b");
	cr_assert(eq(int, next(false), 1));
}

Test(shares, of_four_turns_a_client_that_has_had_one_gets_one_before_those_who_are_new)
{
	wait_as(0, "old");
	wait_as(1, "old");
	begin(0);
	shares_leave(shares, &s[0]); /* it has had one, and has none under way */
	for (int i = 2; i < 6; i++)
		wait_as(i, (const char *const[]){"a", "b", "c", "d"}[i - 2]);
	begin(2);
	begin(3);
	begin(1); /* the fourth turn */
	begin(4);
}

Test(shares, a_share_is_the_only_one_of_its_client_until_another_comes)
{
	wait_as(0, "a");
	wait_as(1, "b");
	cr_assert(shares_is_only(&s[0]));
	wait_as(2, "a");
	cr_assert(not(shares_is_only(&s[0])));
	cr_assert(not(shares_is_only(&s[2])));
	shares_leave(shares, &s[0]);
	cr_assert(shares_is_only(&s[2]));
}
