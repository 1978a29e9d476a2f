#include "store/redis_dial.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <string.h>
#include <sys/un.h>

void redis_dial_init(struct redis_dial *d, struct event_base *base)
{
	*d = (struct redis_dial){.base = base};
}

void redis_dial_close(struct redis_dial *d)
{
	if (d->dns != NULL)
		evdns_base_free(d->dns, 0);
	d->dns = NULL;
}

static int dial_unix(const struct redis_url *url, struct bufferevent *bev)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memcpy(sa.sun_path, url->path, sizeof url->path);
	return bufferevent_socket_connect(bev, (struct sockaddr *)&sa, sizeof sa);
}

/* libevent tries the first address of a name only, so IPv4 and IPv6 take turns. */
static int dial_tcp(struct redis_dial *d, const struct redis_url *url,
		    struct bufferevent *bev)
{
	struct in_addr v4;
	bool is_v4 = inet_pton(AF_INET, url->host, &v4) == 1;
	bool v6 = strchr(url->host, ':') != NULL || (!is_v4 && d->attempts % 2 == 0);

	if (d->dns ==
	    NULL) /* NULL still: no resolv.conf; libevent asks getaddrinfo(3) then */
		d->dns =
			evdns_base_new(d->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
							EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	return bufferevent_socket_connect_hostname(bev, d->dns, v6 ? AF_INET6 : AF_INET,
						   url->host, url->port);
}

bool redis_dial(struct redis_dial *d, const struct redis_url *url,
		struct bufferevent *bev)
{
	d->attempts++;
	return (url->path[0] != '\0' ? dial_unix(url, bev) : dial_tcp(d, url, bev)) == 0;
}

const char *redis_dial_why(struct bufferevent *bev, short what)
{
	int dns = bufferevent_socket_get_dns_error(bev);

	if (what & BEV_EVENT_EOF)
		return "Redis closed the connection";
	if (dns != 0)
		return evutil_gai_strerror(dns);
	return evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
}
