#include "bench/target.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

enum { A_SOURCE = 10000 }; /* clients of one source address; it has some 28,000 ports */

enum err target_parse(const char *url, struct target *t)
{
	static const char scheme[] = "ws://";
	enum err e = ERR_MALFORMED;

	if (strncmp(url, scheme, sizeof scheme - 1) == 0) {
		const char *host = url + sizeof scheme - 1;
		size_t n = strcspn(host, "/");

		if (n < sizeof t->authority) {
			memcpy(t->authority, host, n);
			t->authority[n] = '\0';
			t->path = host[n] == '/' ? host + n : "/";
			e = address_parse(t->authority, &t->server);
		}
	}
	if (e != OK)
		fprintf(stderr,
			"bench: --url %s is not ws://HOST:PORT/PATH, "
			"or there is no such host\n",
			url);
	return e;
}

/* On loopback, many connections to one address need many source addresses: 127.1.x.y. */
static void choose_source(const struct target *t, uint32_t number, int fd)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&t->server.sa;
	struct sockaddr_in from = {.sin_family = AF_INET};
	uint32_t nth = number / A_SOURCE;

	if (to->sin_family != AF_INET || ntohl(to->sin_addr.s_addr) >> 24 != 127)
		return;
	from.sin_addr.s_addr =
		htonl(127u << 24 | 1 << 16 | (nth / 250) << 8 | (nth % 250 + 1));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&from, sizeof from) == -1)
		return; /* then the kernel chooses, and its ports run out earlier */
}

int target_socket(const struct target *t, uint32_t number)
{
	int fd = socket(t->server.sa.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	choose_source(t, number, fd);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}
