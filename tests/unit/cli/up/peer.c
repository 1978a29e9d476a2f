#include "cli/up/peer.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <unistd.h>

static uint16_t port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t n = sizeof in;

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	return ntohs(in.sin_port);
}

Test(peer, the_process_with_the_connection_is_found_and_no_other)
{
	struct address any, at;
	uint64_t socket_;

	cr_assert_eq(address_parse("127.0.0.1:0", &any), OK);
	int server = address_listen(&any, false, &at);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&at.sa, at.n), 0);

	socket_ = peer_socket(port_of(client), port_of(server));
	cr_assert_neq(socket_, 0);
	cr_assert(peer_has(getpid(), socket_));
	cr_assert_not(peer_has(getppid(), socket_));
	cr_assert_not(peer_has(getpid(), socket_ + 1000000));
	cr_assert_eq(peer_socket(port_of(client), (uint16_t)(port_of(server) + 1)), 0);
	close(client);
	close(server);
}

Test(peer, nobody_has_what_is_not_there)
{
	cr_assert_eq(peer_socket(1, 1), 0);
	cr_assert_not(peer_has(999999999, 1));
}
