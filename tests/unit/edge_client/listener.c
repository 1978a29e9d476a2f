#include "edge/client/listener.h"

#include "fixture.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct loop *loop;
static struct listener *l;
static int accepted[16];
static size_t n_accepted;
static int client = -1;

static void on_accepted(void *arg, int fd, const struct sockaddr *peer)
{
	(void)arg;
	cr_assert(eq(int, peer->sa_family, AF_INET));
	accepted[n_accepted++] = fd;
}

static void start(void)
{
	loop = loop_new();
	l = listener_new(loop, NULL, "127.0.0.1:0", on_accepted, NULL);
	cr_assert(l != NULL);
}

static void end(void)
{
	for (size_t i = 0; i < n_accepted; i++)
		close(accepted[i]);
	if (client != -1)
		close(client);
	listener_free(l);
	loop_free(loop);
}

TestSuite(listener, .init = start, .fini = end, .timeout = 30);

/* Connect to it; -1: nobody listens. */
static int connect_to(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strchr(listener_address(l), ':') + 1));
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

Test(listener, gives_each_client_with_its_address)
{
	client = connect_to();
	cr_assert(ne(int, client, -1));
	fake_loop_turn(loop);
	cr_assert(eq(sz, n_accepted, 1));
}

Test(listener, that_is_closed_accepts_the_waiting_sockets_and_none_after_them)
{
	client = connect_to();
	listener_close(l);
	cr_assert(eq(sz, n_accepted, 1));
	cr_assert(eq(int, connect_to(), -1));
	listener_close(l);
	fake_loop_turn(loop);
	cr_assert(eq(sz, n_accepted, 1));
}

Test(listener, without_descriptors_pauses_and_then_accepts_the_waiting_sockets)
{
	struct rlimit was, none;

	client = connect_to();
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = 3; /* fewer than are open */
	setrlimit(RLIMIT_NOFILE, &none);
	fake_loop_turn(loop);
	cr_assert(eq(sz, n_accepted, 0));
	setrlimit(RLIMIT_NOFILE, &was);
	fake_loop_turn(loop);
	cr_assert(eq(sz, n_accepted, 0), "it pauses");
	fake_loop_run(loop, 150);
	fake_loop_turn(loop);
	cr_assert(eq(sz, n_accepted, 1));
}

Test(listener, of_an_address_that_is_none_is_NULL)
{
	cr_assert(listener_new(loop, NULL, "nonsense", on_accepted, NULL) == NULL);
}
