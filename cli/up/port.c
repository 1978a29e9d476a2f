#include "cli/up/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int bind_alone(const struct address *a);
static void complain(const char *text, const char *flag, int why);

int port_reserve(const char *text, const char *flag, struct address *at)
{
	struct address wanted;
	enum err e = address_parse(text, &wanted);
	int on = 1, off = 0;

	if (e != OK) {
		fprintf(stderr, "gatepost up: %s %s: %s; write it as 127.0.0.1:8080\n",
			flag, text,
			e == ERR_NOTFOUND ? "no such host"
					  : "not an address with a port");
		return -1;
	}

	int fd = bind_alone(&wanted);
	if (fd == -1) {
		complain(text, flag, errno);
		return -1;
	}
	/* It was ours alone when it was bound; from now on our children may share it, and
	 * a second `gatepost up` may not. */
	at->n = sizeof at->sa;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at->sa, &at->n) == -1) {
		complain(text, flag, errno);
		close(fd);
		return -1;
	}
	return fd;
}

static int bind_alone(const struct address *a)
{
	int on = 1;
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* Connections of an earlier run that the kernel still remembers do not count. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)&a->sa, a->n) == 0)
		return fd;

	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void complain(const char *text, const char *flag, int why)
{
	if (why == EADDRINUSE)
		fprintf(stderr,
			"gatepost up: %s is in use by another program: set another "
			"%s\n",
			text, flag);
	else
		fprintf(stderr, "gatepost up: cannot listen on %s: %s: set another %s\n",
			text, strerror(why), flag);
}

static in_port_t *port_of(struct address *a)
{
	if (a->sa.ss_family == AF_INET6)
		return &((struct sockaddr_in6 *)&a->sa)->sin6_port;
	return &((struct sockaddr_in *)&a->sa)->sin_port;
}

enum err port_next(const struct address *first, unsigned i, struct address *out)
{
	*out = *first;

	in_port_t *port = port_of(out);
	if (*port == 0)
		return OK;
	if (ntohs(*port) + i > UINT16_MAX)
		return ERR_TOOBIG;
	*port = htons((uint16_t)(ntohs(*port) + i));
	return OK;
}

struct address port_reach(const struct address *at)
{
	struct address a = *at;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.sa;

	if (a.sa.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (a.sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return a;
}
