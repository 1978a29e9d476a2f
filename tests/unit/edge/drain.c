#include "edge/drain.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 40, LOOK_MS = 20 };

static struct drain *d;
static struct listener *l;
static struct client *k[CLIENTS];
static struct drain_conf conf;

static void on_accepted(void *arg, int fd, const struct sockaddr *peer)
{
	(void)arg;
	(void)peer;
	close(fd);
}

static void start(void)
{
	fixture_init();
	l = listener_new(fixture.loop, NULL, "127.0.0.1:0", on_accepted, NULL);
	conf = (struct drain_conf){
		.delay_ms = 1000, .rate = 10, .window_ms = 60000, .answer_ms = 5000};
}

static void begin(void)
{
	d = drain_new(&conf, &(struct drain_uses){.loop = fixture.loop,
						  .clients = fixture.clients,
						  .listener = l});
	drain_signal(d);
}

static void end(void)
{
	drain_free(d);
	listener_free(l);
	fixture_stop();
}

TestSuite(drain, .init = start, .fini = end, .timeout = 60);

static void open_all(size_t n)
{
	for (size_t i = 0; i < n; i++)
		k[i] = client_open();
}

/* Clients that answer the close frame, and brokers that acknowledge the disconnects. */
static void pass_with_answers(int64_t ms, size_t n)
{
	for (; ms > 0; ms -= LOOK_MS) {
		fake_loop_run(fixture.loop, LOOK_MS);
		for (size_t i = 0; i < n; i++) {
			struct connection *c = client_connection(k[i]);

			if (c != NULL && c->state == CONNECTION_CLOSING)
				client_close(k[i]);
			if (client_event(k[i]) != NULL)
				client_answer(k[i], NULL);
		}
	}
}

Test(drain, serves_on_through_its_delay_and_is_not_ready)
{
	open_all(1);
	begin();
	fixture_pass(900);
	cr_assert(clients_are_draining(fixture.clients));
	cr_assert(eq(int, client_connection(k[0])->state, CONNECTION_OPEN));
	cr_assert(not(fixture.clients->is_closing));
}

Test(drain, closes_as_many_a_second_as_the_rate_says)
{
	open_all(CLIENTS);
	begin();
	pass_with_answers(1000, CLIENTS);
	cr_assert(eq(u32, clients_sockets(fixture.clients), CLIENTS));
	pass_with_answers(2000, CLIENTS);
	cr_assert(ge(u32, clients_sockets(fixture.clients), CLIENTS - 21));
	cr_assert(le(u32, clients_sockets(fixture.clients), CLIENTS - 19));
}

Test(drain, closes_faster_when_its_window_asks_for_it)
{
	conf.rate = 1;
	conf.window_ms = 20000;
	open_all(CLIENTS);
	begin();
	pass_with_answers(1000 + 7500, CLIENTS); /* a half of the time that it has */
	cr_assert(ge(u32, clients_sockets(fixture.clients), CLIENTS / 2 - 3));
	cr_assert(le(u32, clients_sockets(fixture.clients), CLIENTS / 2 + 3));
	pass_with_answers(8500, CLIENTS);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
}

Test(drain, ends_early_when_no_client_and_no_event_is_left)
{
	open_all(10);
	begin();
	pass_with_answers(2500, 10);
	cr_assert(eq(sz, fixture.left, 1));
	cr_assert(fake_loop_is_stopped(fixture.loop));
}

Test(drain, cuts_the_remaining_clients_at_the_end_of_its_window)
{
	conf.window_ms = 4000;
	conf.answer_ms = 60000;
	fixture.clients->conf.close_ms = 60000;
	open_all(3); /* they answer no close frame */
	begin();
	fixture_pass(4900);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 3));
	fixture_pass(300);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	cr_assert(eq(sz, fixture.left, 0), "it waits for the acknowledgements");
	fixture_pass(2100);
	cr_assert(eq(sz, fixture.left, 1));
}

Test(drain, waits_for_a_request_that_is_being_answered)
{
	k[0] = client_new();
	client_send_text(k[0], GET);
	begin();
	fixture_pass(8000);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 1));
	client_answer_status(k[0], 200);
	cr_assert(strncmp(client_read(k[0], NULL), "HTTP/1.1 200 ", 13) == 0);
	cr_assert(client_is_at_end(k[0]));
}

Test(drain, a_second_signal_cuts_all_and_gives_brokers_a_second)
{
	open_all(3);
	begin();
	drain_signal(d);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	fixture_pass(900);
	cr_assert(eq(sz, fixture.left, 0));
	fixture_pass(200);
	cr_assert(eq(sz, fixture.left, 1));
}

Test(drain, a_third_signal_ends_at_once)
{
	open_all(1);
	begin();
	drain_signal(d);
	drain_signal(d);
	cr_assert(eq(sz, fixture.left, 1));
	cr_assert(fake_loop_is_stopped(fixture.loop));
}

Test(drain, takes_at_most_its_parts_together)
{
	cr_assert(eq(i64, drain_most_ms(&conf), 1000 + 60000 + 2000 + 1000));
}
