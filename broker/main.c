/* The broker: edges' events on one side, the store on the other, functions in between. */
#include "base/descriptors.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "broker/cluster/commands.h"
#include "broker/drain.h"
#include "broker/cluster/edges.h"
#include "broker/cluster/fences.h"
#include "broker/function/http_client.h"
#include "broker/function/lambda.h"
#include "json/read.h"
#include "broker/events/lane.h"
#include "broker/api/management.h"
#include "broker/cluster/members.h"
#include "broker/events/redelivery.h"
#include "broker/events/dead_letters.h"
#include "broker/function/project.h"
#include "broker/cluster/reaper.h"
#include "broker/function/route.h"
#include "http/health.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { DESCRIPTORS_MS = 5000 }; /* between two looks at how many are open */

static void count(struct broker *b);
static const char *missing(void *arg);
static void on_store_up(void *arg);

/* What is not one of the broker's own rooms. */
struct doors {
	struct management *management;
	struct health *health;
	struct drain *drain; /* the last to be opened */
	struct parked *parked;
	struct descriptors *descriptors;
};

static void take_name(struct broker *b)
{
	log_init(b->conf.name, (enum log_level)b->conf.log_level,
		 (enum log_format)b->conf.log_format);
	evutil_secure_rng_get_bytes(&b->boot, sizeof b->boot);
	b->boot |= 1; /* 0 is nobody */
}

/* ---- what edges say, and what the reaper finds ---- */

static void on_event(void *arg, struct edge_link *from, const Gatepost__Event *e)
{
	struct broker *b = arg;

	lane_take(b->lanes, call_new(b, from, e));
}

static void on_outcome(void *arg, struct edge_link *from, const Gatepost__Outcome *o)
{
	struct broker *b = arg;

	commands_outcome(b->commands, from, o);
}

static void on_resync(void *arg, struct edge_link *from, const Gatepost__Roster *m)
{
	struct broker *b = arg;

	resync_receive(b->resync, from, m);
}

static void on_gone(void *arg, struct edge_link *edge)
{
	struct broker *b = arg;

	commands_lost(b->commands, edge);
}

static bool on_due(void *arg, uint16_t edge)
{
	struct broker *b = arg;

	return owed_claim(b->owed, edge);
}

static const char *stage_of(void *arg)
{
	const struct broker *b = arg;

	return routes_config(b->routes)->stage;
}

/* ---- the parts, each with those before it ---- */

static struct edges *open_edges(struct broker *b, void *zctx)
{
	const struct broker_conf *conf = &b->conf;

	return edges_new(&(struct edges_conf){.name = conf->name,
					      .boot = b->boot,
					      .bind = conf->bind,
					      .advertise = conf->advertise,
					      .heartbeat_ms = conf->heartbeat_ms,
					      .silence_ms = conf->silence_ms,
					      .lease_ms = conf->lease_ms,
					      .credit_events = conf->credit_events,
					      .credit_bytes = conf->credit_bytes},
			 &(struct edges_uses){.loop = b->loop,
					      .zctx = zctx,
					      .store = b->store,
					      .members = b->members,
					      .fences = b->fences,
					      .metrics = b->metrics},
			 &(struct edges_callbacks){.event = on_event,
						   .outcome = on_outcome,
						   .resync = on_resync,
						   .gone = on_gone},
			 b);
}

/* The edges, and the other brokers. False after an error line. */
static bool open_cluster(struct broker *b, void *zctx)
{
	const struct broker_conf *conf = &b->conf;

	b->members = members_new(b->loop, b->store,
				 &(struct members_conf){.name = conf->name,
							.boot = b->boot,
							.member_ms = conf->member_ms});
	b->fences = fences_new(b->store, b->members);
	b->edges = open_edges(b, zctx);
	if (b->edges == NULL)
		return false;
	b->commands =
		commands_new(b->loop, b->store, b->edges, b->metrics, conf->command_ms);
	b->resync =
		resync_new(conf->audit_ms, &(struct resync_uses){.loop = b->loop,
								 .store = b->store,
								 .members = b->members,
								 .edges = b->edges,
								 .commands = b->commands,
								 .metrics = b->metrics,
								 .stage = stage_of,
								 .arg = b});
	b->reaper =
		reaper_new(conf->lease_ms, &(struct reaper_uses){.loop = b->loop,
								 .store = b->store,
								 .members = b->members,
								 .fences = b->fences,
								 .edges = b->edges,
								 .resync = b->resync,
								 .metrics = b->metrics,
								 .due = on_due,
								 .arg = b});
	return true;
}

static struct management *open_management(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;

	return management_new(
		&(struct management_conf){
			.addresses = conf->management,
			.hosts = conf->management_hosts,
			.auth = {.mode = (enum auth_mode)conf->management_auth,
				 .credentials = conf->credentials,
				 .region = conf->region},
			.connections = (size_t)conf->management_connections,
			.requests = (size_t)conf->management_requests,
			.memory = (uint64_t)conf->management_memory,
			.timeout_ms = conf->management_ms,
			.max_post = (size_t)conf->max_post,
			.max_bulk = (size_t)conf->max_bulk},
		&(struct management_uses){.loop = b->loop,
					  .metrics = b->metrics,
					  .store = b->store,
					  .commands = b->commands,
					  .stage = stage_of,
					  .arg = b});
}

/* What cannot be opened has said why. */
static struct doors open_all(struct broker *b, void *zctx)
{
	struct doors d = {0};

	b->loop = loop_new();
	if (b->conf.config == NULL && b->conf.management_auth == 0)
		loop_ignore_reload(b->loop);
	b->metrics = metrics_new();
	count(b);
	b->lanes = lanes_new();
	b->http = http_client_new(b->loop,
				  &(struct http_client_conf){
					  .ca_file = b->conf.http_ca,
					  .connect_ms = b->conf.http_connect_ms,
					  .max_response = b->conf.http_response,
					  .max_connections = b->conf.http_connections,
					  .memory = b->conf.http_memory,
					  .metrics = b->metrics,
				  });
	b->project = project_new(b);
	b->store = b->project ? store_new(b->loop, &b->conf.store, b->metrics) : NULL;
	if (b->store == NULL || !open_cluster(b, zctx))
		return d;
	b->owed = owed_new(b);
	d.parked = parked_new(b);
	d.management = open_management(b);
	if (d.management != NULL)
		d.health = health_new(b->loop, b->conf.metrics, b->metrics, missing, b);
	d.descriptors = descriptors_watch(b->loop, DESCRIPTORS_MS);
	if (d.health != NULL)
		d.drain = drain_new(b);
	return d;
}

static void run(struct broker *b, const struct doors *d)
{
	char *runtimes = lambda_addresses(b), *text;
	struct ready *ready;

	store_on_up(b->store, on_store_up, b);
	members_start(b->members, edges_endpoint(b->edges));
	loop_at_turn_end(b->loop, edges_flush, b->edges);
	log_info("broker.start", S("endpoint", edges_endpoint(b->edges)),
		 S("management", management_addresses(d->management)));
	text = xasprintf("X_GATEPOST_ENDPOINT=%s\nX_GATEPOST_MANAGEMENT=%s\n"
			 "X_GATEPOST_METRICS=%s\nX_GATEPOST_RUNTIMES=%s",
			 edges_endpoint(b->edges), management_addresses(d->management),
			 health_url(d->health), runtimes);
	ready = ready_new(b->loop, missing, b, text);
	loop_run(b->loop);
	ready_free(ready);
	free(text);
	free(runtimes);
	log_info("broker.stop", I("lanes", lanes_size(b->lanes)));
}

static void close_all(struct broker *b, struct doors *d)
{
	drain_free(d->drain);
	descriptors_free(d->descriptors);
	health_free(d->health);
	management_free(d->management);
	edges_free(b->edges);
	store_free(b->store);
	parked_free(d->parked);
	reaper_free(b->reaper);
	resync_free(b->resync);
	commands_free(b->commands);
	fences_free(b->fences);
	members_free(b->members);
	lanes_free(b->lanes);
	owed_free(b->owed);
	http_client_free(b->http);
	b->http = NULL;
	project_free(b->project);
	loop_free(b->loop);
	metrics_free(b->metrics);
}

int main(int argc, char **argv)
{
	struct broker b = {0};
	enum err e = broker_conf_load(&b.conf, argc, argv);
	struct doors d;
	void *zctx;

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	take_name(&b);
	json_set_depth((size_t)b.conf.json_depth);
	zctx = zmq_ctx_new();
	d = open_all(&b, zctx);
	if (d.drain != NULL)
		run(&b, &d);
	close_all(&b, &d);
	zmq_ctx_term(zctx);
	return d.drain != NULL ? 0 : 2;
}

static void on_store_up(void *arg)
{
	struct broker *b = arg;

	reaper_wait(b->reaper);
	members_beat(b->members);
}

static const char *missing(void *arg)
{
	const struct broker *b = arg;

	if (b->draining)
		return "draining";
	if (!store_is_up(b->store))
		return "Redis is unreachable";
	return members_cluster(b->members)[0] ? NULL : "not yet a member";
}

static int64_t ask_lanes(void *arg)
{
	return (int64_t)lanes_size(((struct broker *)arg)->lanes);
}

static struct metric *event(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_events_total", labels,
			      "Events handled");
}

static void count(struct broker *b)
{
	struct metrics *m = b->metrics;

	b->counts = (struct broker_counts){
		.connects = event(m, "kind=\"connect\""),
		.messages = event(m, "kind=\"message\""),
		.disconnects = event(m, "kind=\"disconnect\""),
		.requests = event(m, "kind=\"http\""),
		.refused = metric_counter(m, "gatepost_broker_refused_total", NULL,
					  "Requests that the broker itself refused"),
		.retried = metric_counter(m, "gatepost_broker_retried_total", NULL,
					  "Events that could not be done for now"),
		.repeated = metric_counter(
			m, "gatepost_broker_repeated_total", NULL,
			"Events that came again while they were being handled"),
	};
	metric_asked_gauge(m, "gatepost_broker_lanes", NULL,
			   "Connections with an event being handled", ask_lanes, b);
	metrics_add_process(m);
}
