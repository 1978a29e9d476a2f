#include "edge/client/lanes.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(lanes, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

static struct lane *find(const struct id *id)
{
	return lanes_callbacks.find(fixture.clients, id);
}

Test(lanes, are_found_by_the_whole_id)
{
	struct client *k = client_open();
	struct lane *l = &client_connection(k)->lane;
	struct id another = l->id, beyond = id_make(NUMBER, UINT32_MAX, 1);

	cr_assert(find(&l->id) == l);
	another.b[ID_BYTES - 1] ^= 1;
	cr_assert(find(&another) == NULL);
	cr_assert(find(&beyond) == NULL);
}

static void note(void *arg, struct lane *l)
{
	*(uint32_t *)arg += l->n + 1;
}

Test(lanes, are_all_walked_over_also_those_without_a_socket)
{
	struct client *asked = client_new(), *gone = client_open();
	uint32_t sum = 0;

	client_open();
	client_send_text(asked, UPGRADE);
	client_close(gone);
	lanes_callbacks.each(fixture.clients, note, &sum);
	cr_assert(eq(u32, sum, 5), "three lanes, two of them with an event");
	cr_assert(eq(u32, lanes_callbacks.count(fixture.clients), 3));
}

Test(lanes, of_an_edge_that_is_fenced_end_without_an_event)
{
	struct client *open = client_open(), *asked = client_new(), *gone = client_open();

	client_send_text(asked, UPGRADE);
	client_send_frame(open, 0x81, "x", 1);
	client_close(gone);
	lanes_callbacks.fenced(fixture.clients);
	fake_loop_turn(fixture.loop);
	cr_assert(eq(u32, lanes_callbacks.count(fixture.clients), 0));
	cr_assert(eq(u64, fixture.clients->held_bytes, 0));
	cr_assert(client_is_at_end(asked));
}
