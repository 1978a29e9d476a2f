#include "edge/client/shed.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { CLIENTS = 20 };

static struct client *k[CLIENTS];

static void start(void)
{
	fixture_init();
	for (int i = 0; i < CLIENTS; i++)
		k[i] = client_open();
	shed_free(fixture.clients->shed);
	fixture.clients->shed = shed_new(fixture.clients, 10);
}

static void end(void)
{
	fixture_stop();
}

TestSuite(shedding, .init = start, .fini = end, .timeout = 60);

/* Those that have got a close frame. */
static int closing(void)
{
	int n = 0;

	for (int i = 0; i < CLIENTS; i++) {
		const struct connection *c = client_connection(k[i]);

		n += c == NULL || c->state != CONNECTION_OPEN;
	}
	return n;
}

Test(shedding, closes_as_many_as_asked_for_at_its_rate_and_no_more)
{
	cr_assert(eq(u32, shed_count_open(fixture.clients->shed), CLIENTS));
	cr_assert(eq(u32, shed_begin(fixture.clients->shed, 15), 15));
	cr_assert(eq(int, closing(), 0));
	fixture_pass(1000);
	cr_assert(ge(int, closing(), 9));
	cr_assert(le(int, closing(), 11));
	fixture_pass(3000);
	cr_assert(eq(int, closing(), 15));
}

Test(shedding, closes_no_more_than_there_are)
{
	cr_assert(eq(u32, shed_begin(fixture.clients->shed, 1000), CLIENTS));
}

Test(shedding, of_an_order_that_follows_replaces_the_one_before)
{
	shed_begin(fixture.clients->shed, 20);
	cr_assert(eq(u32, shed_begin(fixture.clients->shed, 2), 2));
	fixture_pass(3000);
	cr_assert(eq(int, closing(), 2));
}

Test(shedding, is_left_to_the_drain_when_that_has_begun)
{
	shed_begin(fixture.clients->shed, 20);
	clients_drain(fixture.clients);
	fixture_pass(3000);
	cr_assert(eq(int, closing(), 0));
	cr_assert(eq(u32, shed_begin(fixture.clients->shed, 20), 0));
}
