#include "redis/dial.h"

#include "base/mem.h"

#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* Bytes that one write may have; libevent's own limit is 16 KiB. */
enum { WRITE_MOST = 1 << 20 };

/* Outlives its attempt when that ends first: libevent answers all the same. */
struct redis_lookup {
	struct redis_dial *dial; /* NULL: cancelled */
	struct evdns_getaddrinfo_request *request;
	bool is_inside; /* redis_dial has not returned */
};

static bool look_up(struct redis_dial *d, const struct redis_url *url);
static void on_addresses(int fault, struct evutil_addrinfo *all, void *arg);
static bool connect_to_one(struct redis_dial *d, int fault,
			   const struct evutil_addrinfo *all);

void redis_dial_init(struct redis_dial *d, struct event_base *base,
		     const struct redis_tls *tls)
{
	*d = (struct redis_dial){.base = base, .tls = *tls};
}

void redis_dial_close(struct redis_dial *d)
{
	redis_dial_stop(d);
	if (d->dns != NULL)
		evdns_base_free(d->dns, 0);
	d->dns = NULL;
}

void redis_dial_stop(struct redis_dial *d)
{
	struct redis_lookup *lookup = d->lookup;

	d->lookup = NULL;
	if (lookup != NULL) {
		lookup->dial = NULL;
		evdns_getaddrinfo_cancel(lookup->request);
	}
	if (d->bev != NULL)
		bufferevent_free(d->bev);
	d->bev = NULL;
}

/* Deferred: no callback from inside a call. */
static struct bufferevent *new_bev(struct redis_dial *d, const struct redis_url *url,
				   struct redis_end *why)
{
	enum { OPTIONS = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS };

	redis_end_set(why, NULL, "no memory");
	if (!url->tls)
		return bufferevent_socket_new(d->base, -1, OPTIONS);

	SSL *ssl = redis_tls_new(&d->tls, url->host, why);

	if (ssl == NULL)
		return NULL;
	return bufferevent_openssl_socket_new(d->base, -1, ssl,
					      BUFFEREVENT_SSL_CONNECTING, OPTIONS);
}

static bool dial_unix(struct redis_dial *d, const struct redis_url *url)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memcpy(sa.sun_path, url->path, sizeof url->path);
	return bufferevent_socket_connect(d->bev, (struct sockaddr *)&sa, sizeof sa) == 0;
}

bool redis_dial(struct redis_dial *d, const struct redis_url *url, struct redis_end *why)
{
	bool begun;

	d->end = (struct redis_end){0};
	d->bev = new_bev(d, url, why);
	if (d->bev == NULL)
		return false;
	bufferevent_set_max_single_write(d->bev, WRITE_MOST);
	bufferevent_setcb(d->bev, d->on_readable, NULL, d->on_event, d->arg);
	bufferevent_enable(d->bev, EV_READ | EV_WRITE);
	begun = url->path[0] != '\0' ? dial_unix(d, url) : look_up(d, url);
	if (begun)
		return true;
	redis_dial_why(d, BEV_EVENT_ERROR, why);
	redis_dial_stop(d);
	return false;
}

/*
 * Not bufferevent_socket_connect_hostname: it knows the first address only, and libevent
 * 2.1.12 reads a null pointer when it is asked for IPv6 and /etc/hosts has the name with
 * an IPv4 address alone.
 */
static bool look_up(struct redis_dial *d, const struct redis_url *url)
{
	struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_protocol = IPPROTO_TCP};
	struct evutil_addrinfo *all = NULL;
	struct evdns_getaddrinfo_request *request;
	struct redis_lookup *lookup;
	char port[8];

	snprintf(port, sizeof port, "%u", url->port);
	if (d->dns == NULL)
		d->dns =
			evdns_base_new(d->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
							EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (d->dns == NULL) { /* no resolv.conf */
		int fault = evutil_getaddrinfo(url->host, port, &hints, &all);
		bool begun = connect_to_one(d, fault, all);

		if (all != NULL)
			evutil_freeaddrinfo(all);
		return begun;
	}
	lookup = xcalloc(1, sizeof *lookup);
	lookup->dial = d;
	lookup->is_inside = true;
	d->lookup = lookup;
	request =
		evdns_getaddrinfo(d->dns, url->host, port, &hints, on_addresses, lookup);
	if (d->lookup == NULL) /* an address in digits, or a name of /etc/hosts */
		return d->end.why[0] == '\0';
	lookup->request = request;
	lookup->is_inside = false;
	return true;
}

static void on_addresses(int fault, struct evutil_addrinfo *all, void *arg)
{
	struct redis_lookup *lookup = arg;
	struct redis_dial *d = lookup->dial;
	bool is_inside = lookup->is_inside;

	free(lookup);
	if (d != NULL) {
		d->lookup = NULL;
		if (!connect_to_one(d, fault, all) && !is_inside)
			d->on_event(d->bev, BEV_EVENT_ERROR, d->arg);
	}
	if (all != NULL)
		evutil_freeaddrinfo(all);
}

static bool connect_to_one(struct redis_dial *d, int fault,
			   const struct evutil_addrinfo *all)
{
	const struct evutil_addrinfo *one = all;
	unsigned n = 0;

	for (const struct evutil_addrinfo *a = all; a != NULL; a = a->ai_next)
		n++;
	for (unsigned i = n == 0 ? 0 : d->attempts % n; i > 0; i--)
		one = one->ai_next;
	if (fault != 0 || one == NULL)
		redis_end_set(
			&d->end, NULL, "%s",
			evutil_gai_strerror(fault != 0 ? fault : EVUTIL_EAI_NONAME));
	else if (bufferevent_socket_connect(d->bev, one->ai_addr, (int)one->ai_addrlen) !=
		 0)
		redis_end_set(&d->end, NULL, "%s",
			      evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	else
		return true;
	return false;
}

void redis_dial_why(const struct redis_dial *d, short what, struct redis_end *out)
{
	int fault = EVUTIL_SOCKET_ERROR();

	if (d->end.why[0] != '\0')
		*out = d->end;
	else if (redis_tls_why(d->bev, what, out))
		return;
	else if (what & BEV_EVENT_EOF || fault == 0)
		redis_end_set(out, NULL, "the connection was closed at the other end");
	else
		redis_end_set(out, NULL, "%s", evutil_socket_error_to_string(fault));
}
