/* The broker: edges' events on one side, the store on the other, functions in between. */
#include "base/descriptors.h"
#include "base/grace.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ready.h"
#include "broker/api/connection_items.h"
#include "broker/api/management.h"
#include "broker/channels/channels.h"
#include "broker/channels/client/client.h"
#include "broker/channels/occupancy/occupancy.h"
#include "broker/channels/presence/presence_edges.h"
#include "broker/cluster/commands.h"
#include "broker/cluster/edges.h"
#include "broker/cluster/fences.h"
#include "broker/cluster/members.h"
#include "broker/cluster/reaper.h"
#include "broker/conf.h"
#include "broker/declared.h"
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
#include "store/eviction.h"
#include "tables/tables.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { DESCRIPTORS_MS = 5000 }; /* between two looks at how many are open */
enum { LINGER_MS = 1000 };      /* of ZeroMQ, behind a drain */
enum { EVICTION_MS = 10000 };   /* between two looks at the policy of Redis */

/* All modules of the process, each with those before it. */
struct broker {
	struct broker_conf conf;
	struct cgroup cgroup;
	uint64_t boot;
	struct loop *loop;
	struct metrics *metrics;
	struct store *store;
	struct eviction *eviction;
	struct tables *tables;
	struct connection_items *connection_items;
	struct declared *declared;
	struct project *project;
	struct commands *commands;
	struct http_client *http_client;
	struct http_functions *http_functions;
	struct lambdas *lambdas;
	struct integration integrations[INTEGRATIONS];
	struct members *members;
	struct fences *fences;
	struct channels *channels;
	struct presence_edges *presence_edges;
	struct clients *clients;
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

static void set_name(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;

	log_init(conf->name, (enum log_level)conf->log_level,
		 (enum log_format)conf->log_format);
	evutil_secure_rng_get_bytes(&b->boot, sizeof b->boot);
	b->boot |= 1; /* 0 is nobody */
}

/* ---- from one module to another ---- */

static void on_up(void *arg, struct edge_link *edge)
{
	struct broker *b = arg;

	channels_link_up(b->channels, edge);
}

static void on_event(void *arg, struct edge_link *from, const Gatepost__Event *e)
{
	struct broker *b = arg;

	dispatch_event(b->dispatch, from, e);
}

static void on_outcome(void *arg, struct edge_link *from, const Gatepost__Outcome *o)
{
	struct broker *b = arg;

	if (!channels_outcome(b->channels, from, o))
		commands_outcome(b->commands, from, o);
}

static void on_resync(void *arg, struct edge_link *from, const Gatepost__Roster *m)
{
	struct broker *b = arg;

	resync_receive(b->resync, from, m);
}

static void on_interest(void *arg, struct edge_link *from, const Gatepost__Interest *m)
{
	struct broker *b = arg;

	channels_interest(b->channels, from, m);
}

static void on_gap(void *arg, struct edge_link *from, const Gatepost__Gap *m)
{
	struct broker *b = arg;

	channels_gap(b->channels, from, m);
}

static void on_gone(void *arg, struct edge_link *edge)
{
	struct broker *b = arg;

	commands_lost(b->commands, edge);
	channels_link_lost(b->channels, edge);
}

static bool on_due(void *arg, uint16_t edge)
{
	struct broker *b = arg;

	return redelivery_claim(b->redelivery, edge);
}

static void on_present(void *arg, uint16_t edge)
{
	struct broker *b = arg;

	presence_edges_reap(b->presence_edges, edge);
}

static void put_memberships(void *arg, const Gatepost__Roster__Row *row,
			    store_done_fn *fn, void *fn_arg)
{
	struct broker *b = arg;

	presence_edges_restore(b->presence_edges, row, fn, fn_arg);
}

static void reconcile_presence(void *arg, uint16_t edge)
{
	struct broker *b = arg;

	presence_edges_reconcile(b->presence_edges, edge);
}

static bool on_pending(void *arg, const struct disconnect *d)
{
	struct broker *b = arg;

	return dispatch_pending(b->dispatch, d);
}

static const struct config_namespace *namespace_of(void *arg, struct span channel)
{
	const struct broker *b = arg;

	return config_namespace(routes_config(project_routes(b->project)), channel);
}

static const char *stage_of(void *arg)
{
	const struct broker *b = arg;

	return project_stage(b->project);
}

static struct routes *routes_of(void *arg)
{
	const struct broker *b = arg;

	return project_routes(b->project);
}

static bool was_stopped(void *arg, int64_t since_ms)
{
	const struct broker *b = arg;

	return edges_were_suspended(b->edges, since_ms);
}

static void on_loaded(void *arg)
{
	const struct broker *b = arg;

	lambdas_notify(b->lambdas);
	declared_reload(b->declared);
	if (b->channels != NULL) /* not at the start */
		occupancy_reload(channels_occupancies(b->channels));
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

	if (drain_has_begun(b->drain))
		return "draining";
	if (!store_is_up(b->store))
		return "Redis is unreachable";
	if (!members_cluster(b->members)[0])
		return "not yet a member";
	return declared_missing(b->declared) ? declared_missing(b->declared)
					     : channels_missing(b->channels);
}

/* ---- opening ---- */

static void open_functions(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;
	struct loop *l = b->loop;
	struct metrics *m = b->metrics;

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
static bool open_project(struct broker *b)
{
	/* In the order of the setting's choices. */
	static const char *const default_handlers[] = {"builtin:reject", "builtin:echo"};
	const struct broker_conf *conf = &b->conf;

	b->project = project_new(
		&(struct project_conf){.file = conf->config,
				       .stage = conf->stage,
				       .selection = conf->selection,
				       .default_handler =
					       default_handlers[conf->default_route]},
		&(struct project_uses){.routes = {.loop = b->loop,
						  .integrations = b->integrations,
						  .api_id = conf->api_id,
						  .account = conf->account_id},
				       .loaded = on_loaded,
				       .arg = b});
	return b->project != NULL;
}

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
			 &(struct edges_callbacks){.up = on_up,
						   .event = on_event,
						   .outcome = on_outcome,
						   .resync = on_resync,
						   .interest = on_interest,
						   .gap = on_gap,
						   .gone = on_gone},
			 b);
}

/* The edges, and the other brokers. False after an error line. */
static bool open_cluster(struct broker *b, void *zctx)
{
	const struct broker_conf *conf = &b->conf;
	struct loop *l = b->loop;
	struct store *st = b->store;
	struct metrics *m = b->metrics;

	b->members = members_new(l, st,
				 &(struct members_conf){.name = conf->name,
							.boot = b->boot,
							.member_ms = conf->member_ms});
	b->fences = fences_new(st, b->members);
	b->channels = channels_new(
		&(struct channels_uses){.loop = l,
					.store = st,
					.members = b->members,
					.metrics = m,
					.boot = b->boot,
					.webhook_tries = conf->disconnect_tries,
					.ns = namespace_of,
					.routes = routes_of,
					.arg = b});
	b->edges = open_edges(b, zctx);
	if (b->edges == NULL)
		return false;
	b->commands = commands_new(l, st, b->edges, m, conf->command_ms);
	b->presence_edges =
		presence_edges_new(l, st, channels_presence(b->channels), b->commands);
	b->resync = resync_new(conf->audit_ms,
			       &(struct resync_uses){.loop = l,
						     .store = st,
						     .members = b->members,
						     .edges = b->edges,
						     .commands = b->commands,
						     .metrics = m,
						     .stage = stage_of,
						     .memberships = put_memberships,
						     .reconcile = reconcile_presence,
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
								 .present = on_present,
								 .arg = b});
	return true;
}

static void open_events(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;
	struct loop *l = b->loop;
	struct store *st = b->store;
	struct metrics *m = b->metrics;

	b->redelivery = redelivery_new(
		&(struct redelivery_conf){.claim_ms = conf->lease_ms,
					  .tries = conf->disconnect_tries,
					  .dead_letters_most = conf->parked_most},
		&(struct redelivery_uses){.loop = l,
					  .store = st,
					  .metrics = m,
					  .deliver = on_pending,
					  .arg = b});
	b->clients = clients_new(
		&(struct clients_uses){.loop = l,
				       .store = st,
				       .commands = b->commands,
				       .publishers = channels_publishers(b->channels),
				       .readers = channels_readers(b->channels),
				       .presence = channels_presence(b->channels),
				       .metrics = m});
	b->dispatch = dispatch_new(
		&(struct dispatch_uses){.store = st,
					.redelivery = b->redelivery,
					.clients = b->clients,
					.presence = channels_presence(b->channels),
					.project = b->project,
					.metrics = m});
	b->dead_letters = dead_letters_new(l, st, m);
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
				 .functions = conf->function_keys,
				 .region = conf->region},
			.connections = (size_t)conf->management_connections,
			.requests = (size_t)conf->management_requests,
			.memory = (uint64_t)conf->management_memory,
			.timeout_ms = conf->management_ms,
			.max_post = (size_t)conf->max_post,
			.max_bulk = (size_t)conf->max_bulk},
		&(struct management_uses){
			.loop = b->loop,
			.metrics = b->metrics,
			.store = b->store,
			.commands = b->commands,
			.tables = b->tables,
			.channels = {.store = b->store,
				     .commands = b->commands,
				     .clients = b->clients,
				     .publishers = channels_publishers(b->channels),
				     .readers = channels_readers(b->channels),
				     .presence = channels_presence(b->channels),
				     .interest = channels_carried(b->channels),
				     .routes = routes_of,
				     .arg = b},
			.stage = stage_of,
			.arg = b});
}

static struct tables *open_tables(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;
	const struct store_conf *st = &conf->store;

	return tables_new(
		b->loop, b->metrics,
		&(struct tables_conf){.store = {.redis = st->redis,
						.tls = {st->ca, st->cert, st->key},
						.prefix = st->prefix,
						.timeout_ms = st->timeout_ms,
						.max_in_flight = st->max_in_flight},
				      .region = conf->region,
				      .account = conf->account_id});
}

/* The HTTP servers. False after an error line. */
static bool open_servers(struct broker *b)
{
	struct tables_foreign connections;

	b->tables = open_tables(b);
	if (b->tables == NULL)
		return false;
	b->connection_items = connection_items_new(b->store);
	connections = connection_items_table(b->connection_items);
	tables_set_foreign(b->tables, &connections);
	b->declared = declared_new(b->loop, b->tables, b->project);
	b->management = open_management(b);
	if (b->management == NULL)
		return false;
	b->health = health_new(b->loop, b->conf.metrics, b->metrics, missing, b);
	return b->health != NULL;
}

/* False: what cannot be opened has said why. */
static bool open_all(struct broker *b, void *zctx)
{
	const struct broker_conf *conf = &b->conf;
	struct loop *l = b->loop = loop_new();

	if (conf->config == NULL && conf->credentials == NULL &&
	    conf->function_keys == NULL)
		loop_ignore_reload(l);
	b->metrics = metrics_new();
	open_functions(b);
	if (!open_project(b))
		return false;
	b->store = store_new(l, &conf->store, b->metrics);
	if (b->store == NULL)
		return false;
	b->eviction = eviction_new(l, b->store, b->metrics, EVICTION_MS);
	if (!open_cluster(b, zctx))
		return false;
	open_events(b);
	if (!open_servers(b))
		return false;
	metrics_add_process(b->metrics);
	b->descriptors = descriptors_watch(l, DESCRIPTORS_MS);
	b->drain = drain_new(
		conf->drain_ms,
		&(struct drain_uses){.loop = l,
				     .members = b->members,
				     .edges = b->edges,
				     .reaper = b->reaper,
				     .redelivery = b->redelivery,
				     .dispatch = b->dispatch,
				     .occupancies = channels_occupancies(b->channels)});
	return true;
}

static void run(struct broker *b)
{
	char *runtimes = lambdas_addresses(b->lambdas), *text;
	struct loop *l = b->loop;
	struct ready *ready;

	store_on_up(b->store, on_store_up, b);
	members_start(b->members, edges_endpoint(b->edges));
	loop_at_turn_end(l, edges_flush, b->edges);
	log_info("broker.start", S("endpoint", edges_endpoint(b->edges)),
		 S("management", management_addresses(b->management)),
		 I("open_files", descriptors_limit()), I("memory", b->cgroup.memory),
		 I("credit-bytes", b->conf.credit_bytes),
		 I("http-memory", b->conf.http_memory),
		 I("management-memory", b->conf.management_memory),
		 I("cpu_milli", b->cgroup.cpu_milli));
	grace_check(b->conf.drain_ms + LINGER_MS, b->conf.grace_ms);
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

static void close_all(struct broker *b)
{
	drain_free(b->drain);
	descriptors_free(b->descriptors);
	health_free(b->health);
	connection_items_free(b->connection_items);
	tables_free(b->tables);
	declared_free(b->declared);
	management_free(b->management);
	edges_free(b->edges);
	store_free(b->store);
	eviction_free(b->eviction);
	dead_letters_free(b->dead_letters);
	reaper_free(b->reaper);
	resync_free(b->resync);
	presence_edges_free(b->presence_edges);
	commands_free(b->commands);
	channels_free(b->channels);
	fences_free(b->fences);
	members_free(b->members);
	dispatch_free(b->dispatch);
	clients_free(b->clients);
	redelivery_free(b->redelivery);
	http_client_free(b->http_client);
	project_free(b->project);
	http_functions_free(b->http_functions);
	lambdas_free(b->lambdas);
	loop_free(b->loop);
	metrics_free(b->metrics);
}

int main(int argc, char **argv)
{
	struct broker b = {0};
	enum err e;
	bool is_open;
	void *zctx;

	b.cgroup = cgroup_read();
	e = broker_conf_load(&b.conf, &b.cgroup, argc, argv);
	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	set_name(&b);
	json_set_depth((size_t)b.conf.json_depth);
	zctx = zmq_ctx_new();
	is_open = open_all(&b, zctx);
	if (is_open)
		run(&b);
	close_all(&b);
	zmq_ctx_term(zctx);
	return is_open ? 0 : 2;
}
