#include "edge/link/seeds.h"

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/dns.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_MOST = 32 };

struct seed {
	struct seeds *seeds;
	char *endpoint;    /* as given, if it needs no lookup */
	char *host, *port; /* else */
	struct evdns_getaddrinfo_request *asked;
};

struct seeds {
	struct loop *loop;
	struct evdns_base *dns; /* NULL: no names among them */
	struct timer *timer;
	seeds_fn *fn;
	void *arg;
	bool is_freed; /* freed after the resolver's last answer */
	size_t n;
	struct seed seed[SEEDS_MOST];
};

static void resolve(void *arg);
static void on_addresses(int result, struct evutil_addrinfo *ai, void *arg);
static void destroy(void *arg);

static bool is_number(const char *host)
{
	struct sockaddr_storage sa;
	int n = sizeof sa;
	char *with_port = xasprintf(strchr(host, ':') ? "[%s]:1" : "%s:1", host);
	bool ok = evutil_parse_sockaddr_port(with_port, (struct sockaddr *)&sa, &n) == 0;

	free(with_port);
	return ok;
}

static bool is_port(const char *text)
{
	unsigned long port = strtoul(text, NULL, 10);

	return strspn(text, "0123456789") == strlen(text) && port >= 1 && port <= 65535;
}

/* "tcp://host:port" into its parts; false when it is something else. */
static bool split(const char *endpoint, char **host, char **port)
{
	const char *at = endpoint + strlen("tcp://");
	const char *colon = strrchr(at, ':');
	size_t n = colon ? (size_t)(colon - at) : 0;

	if (n > 1 && at[0] == '[' && at[n - 1] == ']') {
		at++;
		n -= 2;
	}
	if (n == 0 || !is_port(colon + 1))
		return false;
	*host = span_dup(span_of(at, n));
	*port = xstrdup(colon + 1);
	return true;
}

static bool add(struct seeds *s, const char *endpoint)
{
	struct seed *seed = &s->seed[s->n];

	if (s->n == SEEDS_MOST)
		return false;
	*seed = (struct seed){.seeds = s};
	if (strncmp(endpoint, "ipc://", 6) == 0 && endpoint[6] != '\0') {
		seed->endpoint = xstrdup(endpoint);
	} else if (strncmp(endpoint, "tcp://", 6) == 0) {
		if (!split(endpoint, &seed->host, &seed->port))
			return false;
		if (is_number(seed->host))
			seed->endpoint = xstrdup(endpoint);
	} else {
		return false;
	}
	s->n++;
	return true;
}

static void log_unresolved(const char *endpoint)
{
	log_error("brokers.malformed", S("endpoint", endpoint),
		  S("allowed",
		    "tcp://host:port or ipc:///path, with commas, 1 to 32 of them"));
}

static bool add_all(struct seeds *s, const char *list)
{
	char *copy = xstrdup(list), *rest = copy;
	bool ok = true;

	for (char *one; ok && (one = strsep(&rest, ",")) != NULL;)
		if (one[0] != '\0' && !add(s, one)) {
			log_unresolved(one);
			ok = false;
		}
	free(copy);
	if (ok && s->n == 0)
		log_unresolved("");
	return ok && s->n > 0;
}

/* evdns_base_new fails without a nameserver; /etc/hosts can still be used. */
static struct evdns_base *resolver(struct loop *l)
{
	struct evdns_base *dns =
		evdns_base_new(loop_base(l), EVDNS_BASE_DISABLE_WHEN_INACTIVE);

	if (dns != NULL)
		(void)evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL,
						   "/etc/resolv.conf");
	return dns;
}

struct seeds *seeds_new(struct loop *l, const char *list, int64_t every, seeds_fn *fn,
			void *arg)
{
	struct seeds *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->fn = fn;
	s->arg = arg;
	if (!add_all(s, list)) {
		seeds_free(s);
		return NULL;
	}
	for (size_t i = 0; i < s->n && s->dns == NULL; i++)
		if (s->seed[i].endpoint == NULL)
			s->dns = resolver(l);
	s->timer = timer_new(l, resolve, s);
	resolve(s);
	timer_every(s->timer, every);
	return s;
}

static void resolve(void *arg)
{
	struct seeds *s = arg;
	struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM};

	for (size_t i = 0; i < s->n; i++) {
		struct seed *seed = &s->seed[i];

		if (seed->endpoint != NULL)
			s->fn(s->arg, seed->endpoint);
		else if (seed->asked == NULL && s->dns != NULL)
			seed->asked = evdns_getaddrinfo(s->dns, seed->host, seed->port,
							&hints, on_addresses, seed);
	}
}

static bool is_asking(const struct seeds *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i].asked != NULL)
			return true;
	return false;
}

static void tell(struct seeds *s, const struct evutil_addrinfo *ai)
{
	for (const struct evutil_addrinfo *i = ai; i != NULL; i = i->ai_next) {
		char text[ADDRESS_TEXT];
		char *endpoint = xasprintf("tcp://%s", address_text(i->ai_addr, text));

		s->fn(s->arg, endpoint);
		free(endpoint);
	}
}

static void on_addresses(int result, struct evutil_addrinfo *ai, void *arg)
{
	struct seed *seed = arg;
	struct seeds *s = seed->seeds;

	seed->asked = NULL;
	if (s->is_freed) {
		if (!is_asking(s))
			loop_defer(s->loop, destroy, s); /* libevent still uses s->dns */
	} else if (result != 0) {
		log_warn_flood("brokers.unresolved", S("host", seed->host),
			       S("why", evutil_gai_strerror(result)));
	} else {
		tell(s, ai);
	}
	if (ai != NULL)
		evutil_freeaddrinfo(ai);
}

static void destroy(void *arg)
{
	struct seeds *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		free(s->seed[i].endpoint);
		free(s->seed[i].host);
		free(s->seed[i].port);
	}
	if (s->dns != NULL)
		evdns_base_free(s->dns, 1);
	free(s);
}

/* The resolver calls back once for each name, also after a cancel. */
void seeds_free(struct seeds *s)
{
	if (s == NULL)
		return;
	timer_free(s->timer);
	s->is_freed = true;
	if (!is_asking(s)) {
		destroy(s);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i].asked != NULL)
			evdns_getaddrinfo_cancel(s->seed[i].asked);
}
