#include "http/sender.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_of_a_page(const struct request *r)
{
	const struct header *site = request_header(r, "Sec-Fetch-Site");

	return request_header(r, "Origin") != NULL ||
	       (site != NULL && (span_is_nocase(site->value, "cross-site") ||
				 span_is_nocase(site->value, "same-site")));
}

/* Without the port; of "[::1]:80" without the brackets too. */
static struct span name_of(struct span host)
{
	const uint8_t *end;

	if (host.n > 0 && host.p[0] == '[') {
		end = memchr(host.p, ']', host.n);
		return end ? span_of(host.p + 1, (size_t)(end - host.p) - 1) : host;
	}
	end = memchr(host.p, ':', host.n);
	return end ? span_of(host.p, (size_t)(end - host.p)) : host;
}

static bool is_loopback(struct span name)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr in4;
	struct in6_addr in6;

	if (span_is_nocase(name, "localhost"))
		return true;
	if (name.n >= sizeof text)
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (inet_pton(AF_INET, text, &in4) == 1)
		return ntohl(in4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
}

static bool is_same(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

bool sender_host_is_known(struct span host, const char *names)
{
	struct span name = name_of(host);

	if (is_loopback(name))
		return true;
	while (name.n > 0 && *names != '\0') {
		size_t n = strcspn(names, ",");

		if (is_same(name, name_of(span_of(names, n))))
			return true;
		names += n + (names[n] == ',');
	}
	return false;
}

enum err sender_check(const struct request *r, const struct sender_hosts *hosts,
		      char why[SENDER_WHY])
{
	if (is_of_a_page(r)) {
		snprintf(why, SENDER_WHY, "%s",
			 "Requests of web pages (Origin, Sec-Fetch-Site) are not served "
			 "here");
		return ERR_DENIED;
	}
	/* HTTP/1.0 may have no Host; no browser speaks it. */
	if (hosts->names == NULL || r->host.n == 0 ||
	    sender_host_is_known(r->host, hosts->names))
		return OK;
	snprintf(why, SENDER_WHY, "Host is not localhost or a loopback address: %s",
		 hosts->hint);
	return ERR_DENIED;
}
