#include "broker/api/edge.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct client *c;

static void start(void)
{
	fixture_init();
	fixture_start();
	fake_commands.edges[0] = "edge-1";
	fake_commands.edges[1] = "edge/0";
	c = client_new();
}

TestSuite(edge, .init = start, .fini = fixture_fini, .timeout = 20);

static void end(size_t i, uint32_t connections, uint32_t closing)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	o.connections = connections;
	o.reached = closing;
	fake_commands_end(i, OK, &o);
}

Test(edge, all_are_listed_by_name_with_their_connections)
{
	client_ask(c, "GET", "/edges", "", "");
	fixture_until_commands(2);
	cr_assert(eq(int, fake_commands.all[0].code, 0));
	end(1, 7, 0);
	end(0, 3, 0);
	cr_assert(eq(str, (char *)client_reply(c)->body,
		     "{\"edges\":[\n{\"name\":\"edge-1\",\"connections\":3},\n"
		     "{\"name\":\"edge/0\",\"connections\":7}]}\n"));
}

Test(edge, that_does_not_answer_is_listed_without_connections)
{
	fake_commands.edges[1] = NULL;
	client_ask(c, "GET", "/edges", "", "");
	fixture_until_commands(1);
	fake_commands_end(0, ERR_DOWN, NULL);
	cr_assert(eq(str, (char *)client_reply(c)->body,
		     "{\"edges\":[\n{\"name\":\"edge-1\"}]}\n"));
}

Test(edge, sheds_as_many_connections_as_asked_for)
{
	client_ask(c, "POST", "/edges/edge%2F0/shed?connections=4", "", "");
	fixture_until_commands(1);
	cr_assert(eq(int, fake_commands.all[0].edge, 2));
	cr_assert(eq(int, fake_commands.all[0].code, 4));
	end(0, 7, 4);
	cr_assert(eq(str, (char *)client_reply(c)->body,
		     "{\"connections\":7,\"closing\":4}\n"));
}

Test(edge, that_is_not_linked_is_404_and_a_count_that_is_none_is_400)
{
	client_ask(c, "POST", "/edges/edge-7/shed?connections=4", "", "");
	cr_assert(eq(int, client_reply(c)->status, 404));
	client_ask(c, "POST", "/edges/edge-1/shed?connections=-4", "", "");
	cr_assert(eq(int, client_reply(c)->status, 400));
	client_ask(c, "POST", "/edges/edge-1/shed", "", "");
	cr_assert(eq(int, client_reply(c)->status, 400));
	client_ask(c, "GET", "/edges/edge-1/shed?connections=4", "", "");
	cr_assert(eq(int, client_reply(c)->status, 405));
	client_ask(c, "POST", "/edges/edge-1", "", "");
	cr_assert(eq(int, client_reply(c)->status, 404));
}
