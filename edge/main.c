/* The edge: clients' WebSockets on one side, the brokers on the other. */
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "edge/client/limit.h"
#include "edge/client/connection.h"
#include "edge/client/lanes.h"
#include "edge/drain.h"
#include "edge/edge.h"
#include "edge/client/listener.h"
#include "edge/client/registry.h"
#include "edge/link/uplink.h"
#include "http/health.h"

#include <event2/util.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zmq.h>

/* What is not for clients: a link takes some four descriptors, and there may be many brokers. */
enum { OTHERS_LEAST = 64, OTHERS_MOST = 1024 };

/*
 * A link has three, and a closed one counts until ZeroMQ's own thread has seen to it: its
 * default of 1023 was reached on a busy machine by an edge that was told of 200 brokers.
 */
enum { LINK_SOCKETS = 16384 };

static void count(struct edge *edge);
static const char *missing(void *arg);

/* As many descriptors as we may have; the connections must fit in them. */
static uint32_t most_connections(const struct edge_conf *conf)
{
	struct rlimit limit;
	rlim_t others;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	others = limit.rlim_cur / 10 > OTHERS_MOST ? OTHERS_MOST : limit.rlim_cur / 10;
	if (others < OTHERS_LEAST)
		others = OTHERS_LEAST;
	if (limit.rlim_cur <= 2 * others)
		return OTHERS_LEAST; /* far too few: the log says so at each accept */
	if (limit.rlim_cur - others > (rlim_t)conf->max_connections)
		return (uint32_t)conf->max_connections;
	return (uint32_t)(limit.rlim_cur - others);
}

static void set_limits(struct edge *edge)
{
	edge->message_limits = (struct message_limits){
		.max_message = (uint64_t)edge->conf.max_message,
		.max_frame = (uint64_t)edge->conf.max_frame,
	};
	edge->request_limits = (struct request_limits){
		.max_target = (size_t)edge->conf.max_target,
		.max_head = (size_t)edge->conf.max_head,
		.max_headers = REQUEST_HEADERS,
	};
}

static struct uplink *start_uplink(struct edge *edge, void *zctx)
{
	const struct edge_conf *conf = &edge->conf;
	uint64_t boot;

	evutil_secure_rng_get_bytes(&boot, sizeof boot);
	return uplink_new(&(struct uplink_conf){.name = conf->name,
						.boot = boot | 1, /* 0 is nobody */
						.brokers = conf->brokers,
						.heartbeat_ms = conf->heartbeat_ms,
						.silence_ms = conf->silence_ms,
						.retry_ms = conf->retry_ms,
						.resolve_ms = conf->resolve_ms,
						.credit_items = conf->credit_items,
						.credit_bytes = conf->credit_bytes,
						.lane_in_flight = conf->lane_in_flight},
			  &(struct uplink_uses){.loop = edge->loop,
						.zctx = zctx,
						.metrics = edge->metrics},
			  &lanes_callbacks, edge);
}

int main(int argc, char **argv)
{
	struct edge edge = {0};
	enum err e = edge_conf_load(&edge.conf, argc, argv);
	uint32_t most;

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	log_init(edge.conf.name, (enum log_level)edge.conf.log_level,
		 (enum log_format)edge.conf.log_format);
	most = most_connections(&edge.conf);
	set_limits(&edge);

	void *zctx = zmq_ctx_new();

	zmq_ctx_set(zctx, ZMQ_MAX_SOCKETS, LINK_SOCKETS);
	edge.scratch = xmalloc(EDGE_SCRATCH);
	edge.loop = loop_new();
	loop_ignore_reload(edge.loop);
	edge.metrics = metrics_new();
	edge.registry = registry_new(most);
	edge.address_limit =
		address_limit_new(edge.conf.address_connections, edge.conf.address_rate,
				  edge.conf.address_burst);
	count(&edge);
	loop_at_turn_end(edge.loop, connections_flush, &edge);

	struct timer *tick = timer_new(edge.loop, connections_tick, &edge);

	timer_every(tick, CONNECTIONS_TICK_MS);
	edge.uplink = start_uplink(&edge, zctx);
	edge.listener = edge.uplink ? listener_new(&edge) : NULL;

	struct health *health = edge.listener ? health_new(edge.loop, edge.conf.metrics,
							   edge.metrics, missing, &edge)
					      : NULL;
	struct drain *drain = health ? drain_new(&edge) : NULL;

	if (drain != NULL) {
		loop_at_turn_end(edge.loop, uplink_flush, edge.uplink);
		log_info("edge.start", S("listen", listener_address(edge.listener)),
			 I("max-connections", most),
			 I("drain_at_most_s", (drain_most_ms(&edge.conf) + 999) / 1000),
			 S("hint", "set terminationGracePeriodSeconds or TimeoutStopSec "
				   "to more than drain_at_most_s"));
		char *text =
			xasprintf("X_GATEPOST_LISTEN=%s\nX_GATEPOST_METRICS=%s",
				  listener_address(edge.listener), health_url(health));
		struct ready *ready = ready_new(edge.loop, missing, &edge, text);

		loop_run(edge.loop);
		ready_free(ready);
		free(text);
		log_info("edge.stop", I("connections", registry_count(edge.registry)));
	}
	drain_free(drain);
	health_free(health);
	listener_free(edge.listener);
	drain_last(&edge);
	timer_free(tick);
	uplink_free(edge.uplink);
	loop_free(edge.loop);
	registry_free(edge.registry);
	address_limit_free(edge.address_limit);
	metrics_free(edge.metrics);
	zmq_ctx_term(zctx);
	free(edge.scratch);
	return drain != NULL ? 0 : 2;
}

static const char *missing(void *arg)
{
	const struct edge *edge = arg;

	return edge->draining ? "draining" : uplink_missing(edge->uplink);
}

static int64_t ask_connections(void *arg)
{
	return registry_count(((struct edge *)arg)->registry);
}

static int64_t ask_draining(void *arg)
{
	return ((struct edge *)arg)->draining;
}

static int64_t ask_held(void *arg)
{
	return (int64_t)((struct edge *)arg)->held_bytes;
}

static int64_t ask_outboxes(void *arg)
{
	return (int64_t)((struct edge *)arg)->outbox_bytes;
}

static void count(struct edge *edge)
{
	struct metrics *m = edge->metrics;

	edge->counts = (struct edge_counts){
		.accepted = metric_counter(m, "gatepost_edge_accepted_total", NULL,
					   "Sockets accepted"),
		.refused = metric_counter(m, "gatepost_edge_refused_total", NULL,
					  "Requests that the edge itself refused"),
		.opened = metric_counter(m, "gatepost_edge_opened_total", NULL,
					 "WebSocket connections opened"),
		.closed = metric_counter(m, "gatepost_edge_closed_total", NULL,
					 "WebSocket connections ended"),
		.messages_in = metric_counter(m, "gatepost_edge_messages_received_total",
					      NULL, "Messages from clients"),
		.bytes_in =
			metric_counter(m, "gatepost_edge_message_bytes_received_total",
				       NULL, "Bytes of messages from clients"),
		.frames_out = metric_counter(m, "gatepost_edge_messages_sent_total", NULL,
					     "Messages queued for clients"),
		.bytes_out = metric_counter(m, "gatepost_edge_bytes_written_total", NULL,
					    "Bytes written to clients' sockets"),
		.slow = metric_counter(
			m, "gatepost_edge_stalled_total", NULL,
			"Clients cut since they took nothing of what was queued"),
		.shed = metric_counter(
			m, "gatepost_edge_shed_total", NULL,
			"Pushes refused for a full outbox or full outboxes, "
			"large messages for lack of memory"),
		.broken = metric_counter(m, "gatepost_edge_broken_total", NULL,
					 "WebSockets closed for what their clients sent"),
		.silent = metric_counter(
			m, "gatepost_edge_silent_total", NULL,
			"Clients cut for their silence: no request, or no pong"),
		.unanswered =
			metric_counter(m, "gatepost_edge_unanswered_total", NULL,
				       "Clients cut since they answered no close frame"),
		.over_connections = metric_counter(
			m, "gatepost_edge_limited_total", "why=\"connections\"",
			"Sockets refused for the limits of their address"),
		.over_rate = metric_counter(m, "gatepost_edge_limited_total",
					    "why=\"rate\"", NULL),
		.held_back = metric_counter(
			m, "gatepost_edge_held_back_total", NULL,
			"Times that a client was read no further, since it was ahead of "
			"the brokers, or behind with its own reading"),
		.verdict_seconds = metric_seconds(m, "gatepost_edge_request_seconds",
						  NULL, "From a request to its answer"),
	};
	metric_asked_gauge(m, "gatepost_edge_connections", NULL,
			   "Sockets, and slots that wait for an acknowledgement",
			   ask_connections, edge);
	metric_asked_gauge(m, "gatepost_edge_draining", NULL,
			   "1 from the first SIGTERM on", ask_draining, edge);
	metric_asked_gauge(
		m, "gatepost_edge_held_bytes", NULL,
		"Bytes of memory for what came from clients and is not answered",
		ask_held, edge);
	metric_asked_gauge(m, "gatepost_edge_outbox_bytes", NULL,
			   "Bytes queued for clients", ask_outboxes, edge);
	metrics_add_process(m);
}
