#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the kernel's net.core.somaxconn cuts it */

/* The host of text into out, without its brackets; returns what follows the colon, or NULL. */
static const char *split(const char *text, char *out, size_t n)
{
	const char *colon = strrchr(text, ':');
	size_t host = colon ? (size_t)(colon - text) : 0;
	bool brackets = host >= 2 && text[0] == '[' && colon[-1] == ']';

	if (brackets) {
		text++;
		host -= 2;
	}
	if (!colon || host >= n)
		return NULL;
	memcpy(out, text, host);
	out[host] = '\0';
	return brackets == (strchr(out, ':') != NULL) ? colon + 1 : NULL;
}

static bool port_is_sound(const char *port)
{
	size_t n = strlen(port);

	return n >= 1 && n <= 5 && strspn(port, "0123456789") == n && atoi(port) <= 65535;
}

static enum err resolve(const char *host, const char *port, int family,
			struct address *out)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, port, &hints, &found) != 0)
		return ERR_NOTFOUND;
	memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
	out->n = found->ai_addrlen;
	freeaddrinfo(found);
	return OK;
}

enum err address_parse(const char *text, struct address *out)
{
	char host[256];
	const char *port = split(text, host, sizeof host);

	if (!port || !port_is_sound(port))
		return ERR_MALFORMED;

	const char *name = *host == '\0' || strcmp(host, "*") == 0 ? "0.0.0.0" : host;

	/* IPv4 first: "localhost" is then the same everywhere. */
	memset(out, 0, sizeof *out);
	if (resolve(name, port, AF_INET, out) == OK)
		return OK;
	return resolve(name, port, AF_UNSPEC, out);
}

/* An IPv4 client of an IPv6 socket is shown as what it is. */
bool address_is_loopback(const struct address *a)
{
	const struct sockaddr_in *in4 = (const void *)&a->sa;
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;

	if (a->sa.ss_family == AF_INET)
		return ntohl(in4->sin_addr.s_addr) >> 24 == 127;
	return a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static const char *ipv6_host(const struct in6_addr *a, char out[ADDRESS_TEXT])
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return inet_ntop(AF_INET, &a->s6_addr[12], out, ADDRESS_TEXT);
	return inet_ntop(AF_INET6, a, out, ADDRESS_TEXT);
}

const char *address_host(const struct sockaddr *sa, char out[ADDRESS_TEXT])
{
	const void *p = sa;

	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)p)->sin_addr, out,
			  ADDRESS_TEXT);
	else if (sa->sa_family == AF_INET6)
		ipv6_host(&((const struct sockaddr_in6 *)p)->sin6_addr, out);
	else
		snprintf(out, ADDRESS_TEXT, "%s",
			 sa->sa_family == AF_UNIX ? "unix" : "unknown");
	return out;
}

const char *address_text(const struct sockaddr *sa, char out[ADDRESS_TEXT])
{
	char host[ADDRESS_TEXT];
	const void *p = sa;
	unsigned port = 0;

	if (sa->sa_family == AF_INET)
		port = ntohs(((const struct sockaddr_in *)p)->sin_port);
	else if (sa->sa_family == AF_INET6)
		port = ntohs(((const struct sockaddr_in6 *)p)->sin6_port);
	else
		return address_host(sa, out);
	address_host(sa, host);
	snprintf(out, ADDRESS_TEXT, strchr(host, ':') ? "[%.50s]:%u" : "%.50s:%u", host,
		 port);
	return out;
}

static int prepare(int fd, const struct address *a, bool shared, struct address *at)
{
	int one = 1;
	struct address bound = {.n = sizeof bound.sa};

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1)
		return -1;
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)&a->sa, a->n) == -1 ||
	    listen(fd, BACKLOG) == -1)
		return -1;
	if (getsockname(fd, (struct sockaddr *)&bound.sa, &bound.n) == -1)
		return -1;
	if (at)
		*at = bound;
	return 0;
}

int address_listen(const struct address *a, bool shared, struct address *at)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (prepare(fd, a, shared, at) == 0)
		return fd;

	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

int address_listen_at(const char *text, bool shared, struct address *at, const char **why)
{
	struct address a;

	if (address_parse(text, &a) != OK) {
		*why = "not HOST:PORT, or no such host";
		return -1;
	}

	int fd = address_listen(&a, shared, at);

	if (fd == -1)
		*why = strerror(errno);
	return fd;
}
