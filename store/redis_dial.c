#include "store/redis_dial.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/un.h>

void redis_dial_init(struct redis_dial *d, struct event_base *base,
		     const struct redis_tls *tls)
{
	*d = (struct redis_dial){.base = base, .tls = *tls};
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

/* Deferred: no callback of ours from inside a call of ours. */
static struct bufferevent *new_bev(struct redis_dial *d, const struct redis_url *url,
				   struct redis_end *why)
{
	enum { OPTIONS = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS };

	if (!url->tls)
		return bufferevent_socket_new(d->base, -1, OPTIONS);

	SSL *ssl = redis_tls_new(&d->tls, url->host, why);

	if (ssl == NULL)
		return NULL;
	return bufferevent_openssl_socket_new(d->base, -1, ssl,
					      BUFFEREVENT_SSL_CONNECTING, OPTIONS);
}

struct bufferevent *redis_dial(struct redis_dial *d, const struct redis_url *url,
			       struct redis_end *why)
{
	redis_end_say(why, NULL, "no memory");

	struct bufferevent *bev = new_bev(d, url, why);

	if (bev == NULL)
		return NULL;
	bufferevent_setcb(bev, d->on_readable, NULL, d->on_event, d->arg);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	if ((url->path[0] != '\0' ? dial_unix(url, bev) : dial_tcp(d, url, bev)) == 0)
		return bev;
	redis_dial_why(bev, BEV_EVENT_ERROR, why);
	bufferevent_free(bev);
	return NULL;
}

void redis_dial_why(struct bufferevent *bev, short what, struct redis_end *out)
{
	int dns = bufferevent_socket_get_dns_error(bev);
	int fault = EVUTIL_SOCKET_ERROR();

	if (redis_tls_why(bev, what, out))
		return;
	if (dns != 0)
		redis_end_say(out, NULL, "%s", evutil_gai_strerror(dns));
	else if (what & BEV_EVENT_EOF || fault == 0)
		redis_end_say(out, NULL, "the connection was closed at the other end");
	else
		redis_end_say(out, NULL, "%s", evutil_socket_error_to_string(fault));
}
