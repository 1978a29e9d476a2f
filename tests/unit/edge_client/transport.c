#include "edge/client/transport.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct transport t;
static int theirs;

static void start(void)
{
	int fd[2];

	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0));
	t.fd = fd[0];
	theirs = fd[1];
}

static void end(void)
{
	if (t.fd != -1)
		transport_close(&t);
	if (theirs != -1)
		close(theirs);
}

TestSuite(transport, .init = start, .fini = end, .timeout = 30);

static void close_theirs(void)
{
	close(theirs);
	theirs = -1;
}

Test(transport, reads_what_has_come_and_no_more_than_there_is_room_for)
{
	uint8_t room[8] = {0};
	size_t n = 99;

	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), ERR_AGAIN));
	cr_assert(eq(sz, n, 99));
	cr_assert(eq(long, send(theirs, "twelve bytes", 12, 0), 12));
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), OK));
	cr_assert(eq(sz, n, 8));
	cr_assert(eq(int, memcmp(room, "twelve b", 8), 0));
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), OK));
	cr_assert(eq(sz, n, 4));
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), ERR_AGAIN));
}

Test(transport, a_client_that_closes_its_end_is_down_behind_its_last_bytes)
{
	uint8_t room[8];
	size_t n;

	cr_assert(eq(long, send(theirs, "bye", 3, 0), 3));
	close_theirs();
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), OK));
	cr_assert(eq(sz, n, 3));
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), ERR_DOWN));
}

Test(transport, a_socket_that_is_no_socket_any_more_is_down)
{
	uint8_t room[8];
	struct iovec iov = {room, 1};
	size_t n;

	transport_close(&t);
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), ERR_DOWN));
	cr_assert(eq(int, transport_write(&t, &iov, 1, &n), ERR_DOWN));
	t.fd = -1;
}

Test(transport, writes_its_pieces_in_order_until_the_socket_is_full)
{
	static uint8_t large[1 << 20];
	struct iovec iov[2] = {{"ab", 2}, {"cd", 2}}, rest = {large, sizeof large};
	char in[4];
	size_t n = 0;

	cr_assert(eq(int, transport_write(&t, iov, 2, &n), OK));
	cr_assert(eq(sz, n, 4));
	cr_assert(eq(long, recv(theirs, in, sizeof in, 0), 4));
	cr_assert(eq(int, memcmp(in, "abcd", 4), 0));
	cr_assert(eq(int, transport_write(&t, &rest, 1, &n), OK));
	cr_assert(n < sizeof large);
	cr_assert(eq(int, transport_write(&t, &rest, 1, &n), ERR_AGAIN));
}

Test(transport, a_client_that_is_gone_gives_an_error_and_no_signal)
{
	struct iovec iov = {"x", 1};
	size_t n;

	close_theirs();
	cr_assert(eq(int, transport_write(&t, &iov, 1, &n), ERR_DOWN));
}

Test(transport, after_the_shutdown_the_client_reads_the_end_and_may_still_write)
{
	uint8_t room[8];
	char in[4];
	size_t n;

	transport_shutdown(&t);
	cr_assert(eq(long, recv(theirs, in, sizeof in, 0), 0));
	cr_assert(eq(long, send(theirs, "x", 1, 0), 1));
	cr_assert(eq(int, transport_read(&t, room, sizeof room, &n), OK));
}
