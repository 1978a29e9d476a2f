#include "broker/events/handle.h"

#include "broker/channels/delivery/failure.h"
#include "fake_clients.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(handle_unsubscribed, .init = fixture_start, .fini = fixture_stop);

static void unsubscribed(void)
{
	Gatepost__Event e = fixture_event(GATEPOST__EVENT__KIND__UNSUBSCRIBED, 9);

	e.body = fixture_data("room:1");
	handle_unsubscribed(fixture_call(&e));
}

Test(handle_unsubscribed, it_is_done_once_the_presence_has_been_left)
{
	unsubscribed();
	cr_assert(strcmp(fake_clients_leaves(), "room:1;") == 0);
	cr_assert(eq(sz, fixture.askers[0].n, 0));
	fake_clients_left(NULL);
	cr_assert(eq(int, fixture.askers[0].last.kind, ANSWER_DONE));
}

Test(handle_unsubscribed, a_failure_is_left_to_the_reconciliation)
{
	static const struct failure down = {"unavailable", "not now", true};

	unsubscribed();
	fake_clients_left(&down);
	cr_assert(eq(int, fixture.askers[0].last.kind, ANSWER_DONE));
}
