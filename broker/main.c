/* The broker: edges' events on one side, the store on the other, functions in between. */
#include "base/descriptors.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "broker/commands.h"
#include "broker/drain.h"
#include "broker/fences.h"
#include "broker/http_client.h"
#include "broker/integration_lambda.h"
#include "broker/json.h"
#include "broker/lane.h"
#include "broker/management.h"
#include "broker/membership.h"
#include "broker/owed.h"
#include "broker/parked.h"
#include "broker/peers.h"
#include "broker/project.h"
#include "broker/reaper.h"
#include "broker/roster.h"
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
	snprintf(b->boot_text, sizeof b->boot_text, "%016llx",
		 (unsigned long long)b->boot);
}

/* Each needs those before it; what cannot be opened has said why. */
static struct doors open_all(struct broker *b, void *zctx)
{
	struct doors d = {0};

	b->loop = loop_new();
	if (b->conf.config == NULL && b->conf.management_auth == 0)
		loop_ignore_reload(b->loop);
	b->metrics = metrics_new();
	count(b);
	b->lanes = lanes_new();
	b->commands = commands_new(b);
	b->membership = membership_new(b);
	b->fences = fences_new(b);
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
	b->peers = b->store ? peers_new(b, zctx) : NULL;
	b->owed = b->peers ? owed_new(b) : NULL;
	b->rosters = b->peers ? rosters_new(b) : NULL;
	d.parked = b->peers ? parked_new(b) : NULL;
	b->reaper = b->peers ? reaper_new(b) : NULL;
	d.management = b->peers ? management_new(b) : NULL;
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
	membership_start(b->membership);
	loop_at_turn_end(b->loop, peers_flush, b->peers);
	log_info("broker.start", S("endpoint", peers_endpoint(b->peers)),
		 S("management", management_addresses(d->management)));
	text = xasprintf("X_GATEPOST_ENDPOINT=%s\nX_GATEPOST_MANAGEMENT=%s\n"
			 "X_GATEPOST_METRICS=%s\nX_GATEPOST_RUNTIMES=%s",
			 peers_endpoint(b->peers), management_addresses(d->management),
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
	peers_free(b->peers);
	store_free(b->store);
	parked_free(d->parked);
	reaper_free(b->reaper);
	membership_free(b->membership);
	fences_free(b->fences);
	commands_free(b->commands);
	rosters_free(b->rosters);
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
		return e == ERR_AGAIN ? 0 : 2;
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
	membership_beat(b->membership);
}

static const char *missing(void *arg)
{
	const struct broker *b = arg;

	if (b->draining)
		return "draining";
	if (!store_is_up(b->store))
		return "Redis is away";
	return membership_cluster(b->membership)[0] ? NULL : "not yet among the brokers";
}

static int64_t ask_edges(void *arg)
{
	const struct broker *b = arg;

	return b->peers ? peers_count(b->peers) : 0;
}

static int64_t ask_link_connections(void *arg)
{
	const struct broker *b = arg;

	return b->peers ? peers_connections(b->peers) : 0;
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

static struct metric *command(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_commands_total", labels,
			      "What the management API was asked for");
}

static struct metric *outcome(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_commands_failed_total", labels,
			      "What of it could not be done");
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
		.sends = command(m, "kind=\"send\""),
		.closes = command(m, "kind=\"close\""),
		.looks = command(m, "kind=\"look\""),
		.gone = outcome(m, "why=\"gone\""),
		.full = outcome(m, "why=\"full\""),
		.unanswered = outcome(m, "why=\"unanswered\""),
		.links_full =
			metric_counter(m, "gatepost_broker_links_full_total", NULL,
				       "Links ended since ZeroMQ's queue took no more"),
	};
	metric_asked_gauge(m, "gatepost_broker_edges", NULL, "Edges linked", ask_edges,
			   b);
	metric_asked_gauge(m, "gatepost_broker_link_connections", NULL,
			   "Connections to --bind, whether or not an edge has said Hello",
			   ask_link_connections, b);
	metric_asked_gauge(m, "gatepost_broker_lanes", NULL,
			   "Connections with an event being handled", ask_lanes, b);
	metrics_add_process(m);
}
