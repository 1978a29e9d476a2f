#include "cli/up/cluster.h"

#include "base/mem.h"
#include "cli/up/port.h"
#include "cli/client/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a drain may take beside its settings, and somewhat more, so that it ends by itself. */
enum { DRAIN_MORE_MS = 5000 };

static void add_redis(struct supervisor *s, const struct cluster *h);
static void add_broker(struct supervisor *s, const struct cluster *h, unsigned i);
static void add_edge(struct supervisor *s, const struct cluster *h, unsigned i);

void household_add(struct supervisor *s, const struct cluster *h)
{
	if (h->conf->redis == NULL)
		add_redis(s, h);
	for (unsigned i = 0; i < h->conf->brokers; i++)
		add_broker(s, h, i);
	for (unsigned i = 0; i < h->conf->edges; i++)
		add_edge(s, h, i);
}

static void flag(struct words *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void flag(struct words *w, const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	words_take(w, xstrdup(name));
	words_take(w, value);
}

static void address_flag(struct words *w, const char *name, const struct address *a)
{
	char text[ADDRESS_TEXT];

	flag(w, name, "%s", address_text((const struct sockaddr *)&a->sa, text));
}

/* The program of that name beside ours. */
static char *beside_us(const char *program)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	return xasprintf("%.*s/%s", slash ? (int)(slash - self) : 0, self, program);
}

static void add_redis(struct supervisor *s, const struct cluster *h)
{
	struct words w = {0};
	const char *run = h->folder->run;

	words_take(&w, xstrdup("redis-server"));
	flag(&w, "--port", "0");
	flag(&w, "--unixsocket", "%s/redis.sock", run);
	flag(&w, "--unixsocketperm", "700");
	flag(&w, "--dir", "%s", h->folder->data);
	flag(&w, "--logfile", "%s/redis.log", run);
	flag(&w, "--daemonize", "no");
	flag(&w, "--supervised", "systemd");
	flag(&w, "--save", "%s", "");
	/*
	 * It is written before the answer, so that kill -9 forgets nothing. With everysec a write
	 * may wait for an fsync under way, and a loss of power forgets up to two seconds; what is
	 * removed at the end needs none.
	 */
	flag(&w, "--appendonly", "yes");
	flag(&w, "--appendfsync", "%s", h->folder->keep ? up_conf_fsync(h->conf) : "no");
	flag(&w, "--auto-aof-rewrite-percentage", "100");
	flag(&w, "--auto-aof-rewrite-min-size", "16mb");

	supervisor_add(s, (struct child_plan){
				  .role = ROLE_REDIS,
				  .name = "redis",
				  .argv = w.list,
				  .if_missing = "install it: apt-get install "
						"redis-server, or set --redis URL",
			  });
}

char *household_redis(const struct cluster *h)
{
	if (h->conf->redis)
		return xstrdup(h->conf->redis);
	return xasprintf("unix:%s/redis.sock", h->folder->run);
}

/* What brokers and edges have in common; place is the process's number among all of both. */
static struct words our_own(const struct cluster *h, const char *program, unsigned place)
{
	struct words w = {0};
	struct address metrics;

	if (port_next(&h->metrics, place, &metrics) != OK)
		abort(); /* up.c has tried them all */
	words_take(&w, beside_us(program));
	address_flag(&w, "--metrics", &metrics);
	flag(&w, "--log-level", "%s", up_conf_log_level(h->conf));
	flag(&w, "--log-format", "%s", up_conf_log_format(h->conf));
	return w;
}

static void add_ours(struct supervisor *s, enum role role, unsigned i, struct words *w,
		     int64_t drain_ms)
{
	char name[32];

	snprintf(name, sizeof name, "%s-%u", role_name(role), i);
	flag(w, "--name", "%s", name);
	supervisor_add(s,
		       (struct child_plan){
			       .role = role,
			       .name = name,
			       .argv = w->list,
			       .stop_ms = drain_ms + DRAIN_MORE_MS,
			       .if_missing = "it must be in the folder of the program "
					     "gatepost: build or install all of Gatepost",
		       });
}

static void add_tls(struct words *w, const struct up_conf *conf)
{
	if (conf->redis_ca)
		flag(w, "--redis-ca", "%s", conf->redis_ca);
	if (conf->redis_cert)
		flag(w, "--redis-cert", "%s", conf->redis_cert);
	if (conf->redis_key)
		flag(w, "--redis-key", "%s", conf->redis_key);
}

static void add_broker(struct supervisor *s, const struct cluster *h, unsigned i)
{
	struct words w = our_own(h, "gatepost-broker", (unsigned)h->conf->edges + i);
	char shared[ADDRESS_TEXT];
	const char *run = h->folder->run;

	address_text((const struct sockaddr *)&h->management.sa, shared);
	flag(&w, "--bind", "ipc://%s/broker-%u.sock", run, i);
	flag(&w, "--advertise", "ipc://%s/broker-%u.sock", run, i);
	flag(&w, "--management", "%s,127.0.0.1:0", shared); /* and one of its own */
	flag(&w, "--redis-prefix", "%s", h->conf->redis_prefix);
	add_tls(&w, h->conf);
	flag(&w, "--stage", "%s", h->stage);
	flag(&w, "--default-route", "%s", up_conf_default_route(h->conf));
	if (h->config)
		flag(&w, "--config", "%s", h->config);
	if (h->function_keys)
		flag(&w, "--function-keys", "%s", h->function_keys);
	/* Several brokers cannot share the ports of gatepost.ports; workers are told theirs. */
	flag(&w, "--runtime-address", "127.0.0.1:0");
	/* GATEPOST_DRAIN_TIMEOUT is theirs, too. */
	add_ours(s, ROLE_BROKER, i, &w, h->conf->drain_ms);
}

static void add_edge(struct supervisor *s, const struct cluster *h, unsigned i)
{
	struct words w = our_own(h, "gatepost-edge", i);
	char *seeds = xstrdup("");

	for (unsigned b = 0; b < h->conf->brokers; b++) {
		char *longer = xasprintf("%s%sipc://%s/broker-%u.sock", seeds,
					 b ? "," : "", h->folder->run, b);
		free(seeds);
		seeds = longer;
	}
	address_flag(&w, "--listen", &h->listen);
	words_take(&w, xstrdup("--brokers"));
	words_take(&w, seeds);
	flag(&w, "--profile", "%s", up_conf_profile(h->conf));
	flag(&w, "--drain-delay", "%" PRId64 "ms", h->conf->drain_delay_ms);
	flag(&w, "--drain-timeout", "%" PRId64 "ms", h->conf->drain_ms);
	add_ours(s, ROLE_EDGE, i, &w, h->conf->drain_delay_ms + h->conf->drain_ms);
}
