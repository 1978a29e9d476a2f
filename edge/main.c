/* The edge: clients' WebSockets on one side, the brokers on the other. */
#include "base/descriptors.h"
#include "base/grace.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "edge/capacity.h"
#include "edge/channels/probe.h"
#include "edge/client/accept.h"
#include "edge/client/clients.h"
#include "edge/client/lanes.h"
#include "edge/client/subscribers.h"
#include "edge/client/listener.h"
#include "edge/conf.h"
#include "edge/drain.h"
#include "edge/link/uplink.h"
#include "http/health.h"

#include <event2/util.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zmq.h>

/*
 * A link has three, and a closed one counts until ZeroMQ's own thread has freed it: its
 * default of 1023 was reached on a busy machine by an edge with 200 brokers.
 */
enum { LINK_SOCKETS = 16384 };

/* The modules that main connects. */
struct edge {
	struct edge_conf conf;
	struct cgroup cgroup;
	struct limits_given given;
	struct limits limits;
	struct loop *loop;
	struct metrics *metrics;
	struct channels *channels;
	struct clients *clients;
	struct uplink *uplink;
	struct listener *listener;
	struct capacity *capacity;
	struct health *health;
	struct drain *drain;
	void *zctx;
};

static const char *missing(void *arg);

/* Raises the limit of open files to what is allowed. */
static void set_limits(struct edge *edge)
{
	const struct edge_conf *conf = &edge->conf;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	edge->given = (struct limits_given){.descriptors = descriptors_limit(),
					    .memory = edge->cgroup.memory,
					    .held_bytes = conf->client.held_bytes,
					    .outbox_memory = conf->client.outbox_memory,
					    .max_connections = conf->max_connections};
	edge->limits = limits_of(&edge->given);
}

static struct uplink *start_uplink(struct edge *edge)
{
	const struct edge_conf *conf = &edge->conf;
	uint64_t boot;

	evutil_secure_rng_get_bytes(&boot, sizeof boot);
	return uplink_new(&(struct uplink_conf){.name = conf->name,
						.boot = boot | 1, /* 0 means none */
						.brokers = conf->brokers,
						.heartbeat_ms = conf->heartbeat_ms,
						.silence_ms = conf->silence_ms,
						.retry_ms = conf->retry_ms,
						.resolve_ms = conf->resolve_ms,
						.credit_items = conf->credit_items,
						.credit_bytes = conf->credit_bytes,
						.lane_in_flight = conf->lane_in_flight},
			  &(struct uplink_uses){.loop = edge->loop,
						.zctx = edge->zctx,
						.metrics = edge->metrics},
			  &lanes_callbacks, edge->clients);
}

static struct drain_conf drain_conf(const struct edge_conf *conf)
{
	return (struct drain_conf){.delay_ms = conf->drain_delay_ms,
				   .rate = conf->client.drain_rate,
				   .window_ms = conf->drain_ms,
				   .answer_ms = conf->client.close_ms};
}

static void start_drain(struct edge *edge)
{
	struct drain_conf conf = drain_conf(&edge->conf);

	edge->drain = drain_new(&conf, &(struct drain_uses){.loop = edge->loop,
							    .clients = edge->clients,
							    .listener = edge->listener,
							    .uplink = edge->uplink});
	loop_on_signal(edge->loop, drain_signal, edge->drain);
}

static uint32_t count_connections(void *arg)
{
	const struct edge *edge = arg;

	return clients_connections(edge->clients);
}

/* Each needs the one before it; false after an error line. */
static bool start(struct edge *edge)
{
	const struct edge_conf *conf = &edge->conf;

	edge->zctx = zmq_ctx_new();
	zmq_ctx_set(edge->zctx, ZMQ_MAX_SOCKETS, LINK_SOCKETS);
	edge->loop = loop_new();
	loop_ignore_reload(edge->loop);
	edge->metrics = metrics_new();
	edge->channels = channels_new(edge->loop, edge->metrics, &subscribers_callbacks);
	edge->clients = clients_new(&conf->client, edge->loop, edge->metrics,
				    edge->limits.connections);
	metrics_add_process(edge->metrics);
	edge->uplink = start_uplink(edge);
	if (edge->uplink == NULL)
		return false;
	channels_use(edge->channels, edge->uplink);
	channel_link_use(edge->uplink, &channels_link_callbacks, edge->channels);
	probe_begin(edge->channels);
	clients_use(edge->clients, edge->uplink, edge->channels);
	loop_at_turn_end(edge->loop, uplink_flush, edge->uplink);
	edge->listener = listener_new(edge->loop, edge->metrics, conf->listen,
				      accept_client, edge->clients);
	if (edge->listener == NULL)
		return false;
	edge->capacity = capacity_new(
		&edge->given, &(struct capacity_uses){.loop = edge->loop,
						      .metrics = edge->metrics,
						      .connections = count_connections,
						      .resident = metrics_resident,
						      .arg = edge});
	edge->health =
		health_new(edge->loop, conf->metrics, edge->metrics, missing, edge);
	if (edge->health == NULL)
		return false;
	start_drain(edge);
	return true;
}

/* The arithmetic of this process; 0 bytes or thousandths of a core: no limit. */
static void log_start(const struct edge *edge)
{
	const struct limits *l = &edge->limits;
	const struct limits_given *g = &edge->given;
	struct drain_conf conf = drain_conf(&edge->conf);
	int64_t most_ms = drain_most_ms(&conf);

	log_info("edge.start", S("listen", listener_address(edge->listener)),
		 I("max-connections", l->connections), S("limited_by", l->by),
		 I("open_files", g->descriptors), I("memory", g->memory),
		 I("held-memory", g->held_bytes), I("outbox-memory", g->outbox_memory),
		 I("bytes_for_each", LIMITS_CONNECTION_BYTES),
		 I("cpu_milli", edge->cgroup.cpu_milli),
		 I("drain_at_most_s", (most_ms + 999) / 1000),
		 S("hint", "set terminationGracePeriodSeconds or TimeoutStopSec "
			   "to more than drain_at_most_s"));
	if (l->is_memory_short)
		log_warn("edge.memory.short", I("memory", g->memory),
			 I("needed",
			   g->held_bytes + g->outbox_memory + LIMITS_PROCESS_BYTES),
			 S("hint", "raise the memory limit, or set --held-memory and "
				   "--outbox-memory to less"));
	grace_check(most_ms, edge->conf.grace_ms);
}

/* Until a drain is over. */
static void run(struct edge *edge)
{
	struct ready *ready;
	char *text;

	log_start(edge);
	text = xasprintf("X_GATEPOST_LISTEN=%s\nX_GATEPOST_METRICS=%s",
			 listener_address(edge->listener), health_url(edge->health));
	ready = ready_new(edge->loop, missing, edge, text);
	loop_run(edge->loop);
	ready_free(ready);
	free(text);
	log_info("edge.stop", I("connections", clients_connections(edge->clients)));
}

static void stop(struct edge *edge)
{
	drain_free(edge->drain);
	health_free(edge->health);
	capacity_free(edge->capacity);
	listener_free(edge->listener);
	clients_stop(edge->clients);
	channels_stop(edge->channels);
	uplink_free(edge->uplink);
	loop_free(edge->loop);
	clients_free(edge->clients);
	channels_free(edge->channels);
	metrics_free(edge->metrics);
	zmq_ctx_term(edge->zctx);
}

int main(int argc, char **argv)
{
	struct edge edge = {0};
	enum err e;
	bool started;

	edge.cgroup = cgroup_read();
	e = edge_conf_load(&edge.conf, &edge.cgroup, argc, argv);

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	log_init(edge.conf.name, (enum log_level)edge.conf.log_level,
		 (enum log_format)edge.conf.log_format);
	set_limits(&edge);
	started = start(&edge);
	if (started)
		run(&edge);
	stop(&edge);
	return started ? 0 : 2;
}

static const char *missing(void *arg)
{
	const struct edge *edge = arg;
	const char *why;

	if (clients_are_draining(edge->clients))
		return "draining";
	why = uplink_missing(edge->uplink);
	if (why == NULL)
		why = probe_missing(edge->channels);
	return why != NULL ? why : capacity_missing(edge->capacity);
}
