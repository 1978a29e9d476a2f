/* The broker: edges' events on one side, the store on the other, functions in between. */
#include "base/descriptors.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "broker/api/router.h"
#include "broker/broker.h"
#include "broker/cluster/commands.h"
#include "broker/cluster/edges.h"
#include "broker/cluster/fences.h"
#include "broker/cluster/members.h"
#include "broker/cluster/reaper.h"
#include "broker/drain.h"
#include "broker/events/dead_letters.h"
#include "broker/events/dispatch.h"
#include "broker/events/redelivery.h"
#include "broker/function/builtin.h"
#include "broker/function/http.h"
#include "broker/function/lambda.h"
#include "broker/routes/project.h"
#include "http/health.h"
#include "json/read.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { DESCRIPTORS_MS = 5000 }; /* between two looks at how many are open */

/* All modules of the process, each with those before it. */
struct parts {
	struct broker broker;
	uint64_t boot;
	struct http_client *http_client;
	struct http_functions *http_functions;
	struct lambdas *lambdas;
	struct integration integrations[INTEGRATIONS];
	struct members *members;
	struct fences *fences;
	struct edges *edges;
	struct resync *resync;
	struct reaper *reaper;
	struct redelivery *redelivery;
	struct dispatch *dispatch;
	struct dead_letters *dead_letters;
	struct management *management;
	struct health *health;
	struct descriptors *descriptors;
	struct drain *drain; /* the last to be opened */
};

static void take_name(struct parts *b)
{
	const struct broker_conf *conf = &b->broker.conf;

	log_init(conf->name, (enum log_level)conf->log_level,
		 (enum log_format)conf->log_format);
	evutil_secure_rng_get_bytes(&b->boot, sizeof b->boot);
	b->boot |= 1; /* 0 is nobody */
}

/* ---- from one module to another ---- */

static void on_event(void *arg, struct edge_link *from, const Gatepost__Event *e)
{
	struct parts *b = arg;

	dispatch_event(b->dispatch, from, e);
}

static void on_outcome(void *arg, struct edge_link *from, const Gatepost__Outcome *o)
{
	struct parts *b = arg;

	commands_outcome(b->broker.commands, from, o);
}

static void on_resync(void *arg, struct edge_link *from, const Gatepost__Roster *m)
{
	struct parts *b = arg;

	resync_receive(b->resync, from, m);
}

static void on_gone(void *arg, struct edge_link *edge)
{
	struct parts *b = arg;

	commands_lost(b->broker.commands, edge);
}

static bool on_due(void *arg, uint16_t edge)
{
	struct parts *b = arg;

	return redelivery_claim(b->redelivery, edge);
}

static bool on_pending(void *arg, const struct disconnect *d)
{
	struct parts *b = arg;

	return dispatch_pending(b->dispatch, d);
}

static const char *stage_of(void *arg)
{
	const struct parts *b = arg;

	return project_stage(b->broker.project);
}

static bool was_stopped(void *arg, int64_t since_ms)
{
	const struct parts *b = arg;

	return edges_were_stopped(b->edges, since_ms);
}

static void on_loaded(void *arg)
{
	const struct parts *b = arg;

	lambdas_notify(b->lambdas);
}

static void on_store_up(void *arg)
{
	struct parts *b = arg;

	reaper_wait(b->reaper);
	members_beat(b->members);
}

static const char *missing(void *arg)
{
	const struct parts *b = arg;

	if (drain_has_begun(b->drain))
		return "draining";
	if (!store_is_up(b->broker.store))
		return "Redis is unreachable";
	return members_cluster(b->members)[0] ? NULL : "not yet a member";
}

/* ---- opening ---- */

static void open_functions(struct parts *b)
{
	const struct broker_conf *conf = &b->broker.conf;
	struct loop *l = b->broker.loop;
	struct metrics *m = b->broker.metrics;

	b->http_client =
		http_client_new(l, &(struct http_client_conf){
					   .ca_file = conf->http_ca,
					   .connect_ms = conf->http_connect_ms,
					   .max_response = conf->http_response,
					   .max_connections = conf->http_connections,
					   .memory = conf->http_memory,
					   .metrics = m,
				   });
	b->http_functions = http_functions_new(
		conf->http_in_flight,
		&(struct http_functions_uses){.loop = l,
					      .metrics = m,
					      .client = b->http_client,
					      .was_stopped = was_stopped,
					      .arg = b});
	b->lambdas =
		lambdas_new(l, m,
			    &(struct lambdas_conf){.address = conf->runtime_address,
						   .queue = conf->runtime_queue,
						   .wait_ms = conf->runtime_wait_ms});
	b->integrations[CONFIG_LAMBDA] = lambda_integration(b->lambdas);
	b->integrations[CONFIG_HTTP] = http_integration(b->http_functions);
	b->integrations[CONFIG_BUILTIN] = builtin_integration();
}

/* What is served. False after error lines. */
static bool open_project(struct parts *b)
{
	/* In the order of the setting's choices. */
	static const char *const default_handlers[] = {"builtin:reject", "builtin:echo"};
	const struct broker_conf *conf = &b->broker.conf;

	b->broker.project = project_new(
		&(struct project_conf){.file = conf->config,
				       .stage = conf->stage,
				       .selection = conf->selection,
				       .default_handler =
					       default_handlers[conf->default_route]},
		&(struct project_uses){.routes = {.loop = b->broker.loop,
						  .integrations = b->integrations,
						  .api_id = conf->api_id,
						  .account = conf->account_id},
				       .loaded = on_loaded,
				       .arg = b});
	return b->broker.project != NULL;
}

static struct edges *open_edges(struct parts *b, void *zctx)
{
	const struct broker_conf *conf = &b->broker.conf;

	return edges_new(&(struct edges_conf){.name = conf->name,
					      .boot = b->boot,
					      .bind = conf->bind,
					      .advertise = conf->advertise,
					      .heartbeat_ms = conf->heartbeat_ms,
					      .silence_ms = conf->silence_ms,
					      .lease_ms = conf->lease_ms,
					      .credit_events = conf->credit_events,
					      .credit_bytes = conf->credit_bytes},
			 &(struct edges_uses){.loop = b->broker.loop,
					      .zctx = zctx,
					      .store = b->broker.store,
					      .members = b->members,
					      .fences = b->fences,
					      .metrics = b->broker.metrics},
			 &(struct edges_callbacks){.event = on_event,
						   .outcome = on_outcome,
						   .resync = on_resync,
						   .gone = on_gone},
			 b);
}

/* The edges, and the other brokers. False after an error line. */
static bool open_cluster(struct parts *b, void *zctx)
{
	const struct broker_conf *conf = &b->broker.conf;
	struct loop *l = b->broker.loop;
	struct store *st = b->broker.store;
	struct metrics *m = b->broker.metrics;

	b->members = members_new(l, st,
				 &(struct members_conf){.name = conf->name,
							.boot = b->boot,
							.member_ms = conf->member_ms});
	b->fences = fences_new(st, b->members);
	b->edges = open_edges(b, zctx);
	if (b->edges == NULL)
		return false;
	b->broker.commands = commands_new(l, st, b->edges, m, conf->command_ms);
	b->resync = resync_new(conf->audit_ms,
			       &(struct resync_uses){.loop = l,
						     .store = st,
						     .members = b->members,
						     .edges = b->edges,
						     .commands = b->broker.commands,
						     .metrics = m,
						     .stage = stage_of,
						     .arg = b});
	b->reaper =
		reaper_new(conf->lease_ms, &(struct reaper_uses){.loop = l,
								 .store = st,
								 .members = b->members,
								 .fences = b->fences,
								 .edges = b->edges,
								 .resync = b->resync,
								 .metrics = m,
								 .due = on_due,
								 .arg = b});
	return true;
}

static void open_events(struct parts *b)
{
	const struct broker_conf *conf = &b->broker.conf;
	struct loop *l = b->broker.loop;
	struct store *st = b->broker.store;
	struct metrics *m = b->broker.metrics;

	b->redelivery = redelivery_new(
		&(struct redelivery_conf){.claim_ms = conf->lease_ms,
					  .tries = conf->disconnect_tries,
					  .dead_letters_most = conf->parked_most},
		&(struct redelivery_uses){.loop = l,
					  .store = st,
					  .metrics = m,
					  .deliver = on_pending,
					  .arg = b});
	b->dispatch = dispatch_new(&(struct dispatch_uses){.store = st,
							   .redelivery = b->redelivery,
							   .project = b->broker.project,
							   .metrics = m});
	b->dead_letters = dead_letters_new(l, st, m);
}

/* The HTTP servers. False after an error line. */
static bool open_servers(struct parts *b)
{
	b->management = management_new(&b->broker);
	if (b->management == NULL)
		return false;
	b->health = health_new(b->broker.loop, b->broker.conf.metrics, b->broker.metrics,
			       missing, b);
	return b->health != NULL;
}

/* False: what cannot be opened has said why. */
static bool open_all(struct parts *b, void *zctx)
{
	const struct broker_conf *conf = &b->broker.conf;
	struct loop *l = b->broker.loop = loop_new();

	if (conf->config == NULL && conf->management_auth == 0)
		loop_ignore_reload(l);
	b->broker.metrics = metrics_new();
	open_functions(b);
	if (!open_project(b))
		return false;
	b->broker.store = store_new(l, &conf->store, b->broker.metrics);
	if (b->broker.store == NULL || !open_cluster(b, zctx))
		return false;
	open_events(b);
	if (!open_servers(b))
		return false;
	metrics_add_process(b->broker.metrics);
	b->descriptors = descriptors_watch(l, DESCRIPTORS_MS);
	b->drain = drain_new(conf->drain_ms,
			     &(struct drain_uses){.loop = l,
						  .members = b->members,
						  .edges = b->edges,
						  .reaper = b->reaper,
						  .redelivery = b->redelivery,
						  .dispatch = b->dispatch});
	return true;
}

static void run(struct parts *b)
{
	char *runtimes = lambdas_addresses(b->lambdas), *text;
	struct loop *l = b->broker.loop;
	struct ready *ready;

	store_on_up(b->broker.store, on_store_up, b);
	members_start(b->members, edges_endpoint(b->edges));
	loop_at_turn_end(l, edges_flush, b->edges);
	log_info("broker.start", S("endpoint", edges_endpoint(b->edges)),
		 S("management", management_addresses(b->management)));
	text = xasprintf("X_GATEPOST_ENDPOINT=%s\nX_GATEPOST_MANAGEMENT=%s\n"
			 "X_GATEPOST_METRICS=%s\nX_GATEPOST_RUNTIMES=%s",
			 edges_endpoint(b->edges), management_addresses(b->management),
			 health_url(b->health), runtimes);
	ready = ready_new(l, missing, b, text);
	loop_run(l);
	ready_free(ready);
	free(text);
	free(runtimes);
	log_info("broker.stop", I("lanes", dispatch_lanes(b->dispatch)));
}

static void close_all(struct parts *b)
{
	drain_free(b->drain);
	descriptors_free(b->descriptors);
	health_free(b->health);
	management_free(b->management);
	edges_free(b->edges);
	store_free(b->broker.store);
	dead_letters_free(b->dead_letters);
	reaper_free(b->reaper);
	resync_free(b->resync);
	commands_free(b->broker.commands);
	fences_free(b->fences);
	members_free(b->members);
	dispatch_free(b->dispatch);
	redelivery_free(b->redelivery);
	http_client_free(b->http_client);
	project_free(b->broker.project);
	http_functions_free(b->http_functions);
	lambdas_free(b->lambdas);
	loop_free(b->broker.loop);
	metrics_free(b->broker.metrics);
}

int main(int argc, char **argv)
{
	struct parts b = {0};
	enum err e = broker_conf_load(&b.broker.conf, argc, argv);
	bool is_open;
	void *zctx;

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	take_name(&b);
	json_set_depth((size_t)b.broker.conf.json_depth);
	zctx = zmq_ctx_new();
	is_open = open_all(&b, zctx);
	if (is_open)
		run(&b);
	close_all(&b);
	zmq_ctx_term(zctx);
	return is_open ? 0 : 2;
}
