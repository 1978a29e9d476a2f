#include "broker/function/http_turns.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char here[] = "http://a:80/x";
static struct http_turns *turns;
static struct http_turn t[5];

static void start(void)
{
	turns = http_turns_new(2);
}

/* That none is left behind is asserted there. */
static void end(void)
{
	http_turns_free(turns);
}

TestSuite(http_turns, .init = start, .fini = end);

static void join(struct http_turn *one, const char *url, bool now)
{
	cr_assert(
		eq(int, http_turns_join(turns, url, span_of(&one, sizeof one), one), now),
		"%s", url);
	cr_assert(eq(int, one->share.is_waiting, !now), "%s", url);
}

/* Who of t has its turn when this one leaves, by number; -1: nobody */
static int leave(int i)
{
	struct http_turn *next = http_turns_leave(turns, &t[i]);

	cr_assert(t[i].host == NULL);
	cr_assert(next == NULL || !next->share.is_waiting);
	return next == NULL ? -1 : (int)(next - t);
}

Test(http_turns, the_third_of_two_waits_and_they_are_served_as_they_came)
{
	join(&t[0], here, true);
	join(&t[1], here, true);
	for (int i = 2; i < 5; i++)
		join(&t[i], here, false);
	cr_assert(eq(int, leave(1), 2));
	cr_assert(eq(int, leave(0), 3));
	cr_assert(eq(int, leave(2), 4));
	cr_assert(eq(int, leave(4), -1));
	cr_assert(eq(int, leave(3), -1));
}

/* Two clients that want all of it, and one that wants one. */
Test(http_turns, half_of_the_turns_are_for_clients_that_have_none)
{
	struct http_turns *four = http_turns_new(4);
	const struct {
		const char *who;
		bool now;
	} rows[] = {{"greedy", true},
		    {"greedy", true},
		    {"greedy", false},
		    {"modest", true},
		    {"modest", false}};

	for (size_t i = 0; i < 5; i++)
		cr_assert(eq(int,
			     http_turns_join(four, here, span_str(rows[i].who), &t[i]),
			     rows[i].now));
	cr_assert(http_turns_leave(four, &t[0]) == NULL, "two are under way");
	cr_assert(http_turns_leave(four, &t[3]) == &t[4], "the client has none now");
	cr_assert(http_turns_leave(four, &t[1]) == &t[2]);
	cr_assert(http_turns_leave(four, &t[4]) == NULL);
	cr_assert(http_turns_leave(four, &t[2]) == NULL);
	http_turns_free(four);
}

Test(http_turns, a_cancelled_wait_neither_takes_nor_frees_a_turn)
{
	join(&t[0], here, true);
	join(&t[1], here, true);
	for (int i = 2; i < 5; i++)
		join(&t[i], here, false);
	cr_assert(eq(int, leave(2), -1));
	cr_assert(eq(int, leave(4), -1));
	cr_assert(eq(int, leave(0), 3));
	join(&t[0], here, false);
	cr_assert(eq(int, leave(1), 0));
	cr_assert(eq(int, leave(0), -1));
	cr_assert(eq(int, leave(3), -1));
}

Test(http_turns, a_turn_that_is_over_is_free_for_one_who_comes_later)
{
	join(&t[0], here, true);
	join(&t[1], here, true);
	cr_assert(eq(int, leave(0), -1));
	join(&t[2], here, true);
	join(&t[3], here, false);
	cr_assert(eq(int, leave(1), 3));
	cr_assert(eq(int, leave(2), -1));
	cr_assert(eq(int, leave(3), -1));
}

Test(http_turns, hosts_do_not_wait_for_each_other_and_paths_are_no_hosts)
{
	join(&t[0], "http://a:80/x", true);
	join(&t[1], "http://a:80", true);
	join(&t[2], "http://a:80?y", false);
	join(&t[3], "https://a:80/x", true);
	join(&t[4], "http://a:81/x", true);
	cr_assert(eq(int, leave(3), -1));
	cr_assert(eq(int, leave(4), -1));
	cr_assert(eq(int, leave(0), 2));
	cr_assert(eq(int, leave(1), -1));
	cr_assert(eq(int, leave(2), -1));
}

Test(http_turns, what_is_no_url_is_a_host_of_its_own)
{
	join(&t[0], "", true);
	join(&t[1], "nonsense", true);
	cr_assert(eq(int, leave(0), -1));
	cr_assert(eq(int, leave(1), -1));
}
