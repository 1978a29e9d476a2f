#include "edge/client/clients.h"

#include "base/mem.h"
#include "edge/client/connection.h"
#include "edge/client/address_limit.h"
#include "edge/client/registry.h"
#include "edge/client/shed.h"

#include <stdlib.h>

static void count_events(struct client_counts *n, struct metrics *m);
static void count_ends(struct client_counts *n, struct metrics *m);
static void show(struct clients *clients, struct metrics *m);

struct clients *clients_new(const struct clients_conf *conf, struct loop *loop,
			    struct metrics *metrics, uint32_t most)
{
	struct clients *clients = xcalloc(1, sizeof *clients);

	clients->conf = *conf;
	clients->message_limits = (struct message_limits){
		.max_message = (uint64_t)conf->max_message,
		.max_frame = (uint64_t)conf->max_frame,
	};
	clients->request_limits = (struct request_limits){
		.max_target = (size_t)conf->max_target,
		.max_head = (size_t)conf->max_head,
		.max_headers = REQUEST_HEADERS,
	};
	clients->loop = loop;
	clients->registry = registry_new(most);
	clients->address_limit = address_limit_new(
		conf->address_connections, conf->address_rate, conf->address_burst);
	clients->shed = shed_new(clients, conf->drain_rate);
	clients->scratch = xmalloc(CLIENTS_SCRATCH);
	count_events(&clients->counts, metrics);
	count_ends(&clients->counts, metrics);
	show(clients, metrics);
	loop_at_turn_end(loop, connections_flush, clients);
	clients->tick = timer_new(loop, connections_tick, clients);
	timer_every(clients->tick, CONNECTIONS_TICK_MS);
	return clients;
}

void clients_use(struct clients *clients, struct uplink *u, struct channels *channels)
{
	clients->uplink = u;
	clients->channels = channels;
}

static void stop_one(void *arg, struct connection *c)
{
	(void)arg;
	connection_end(c, CAUSE_STOPPED, NULL);
}

void clients_stop(struct clients *clients)
{
	if (clients == NULL)
		return;
	registry_each(clients->registry, 0, UINT32_MAX, stop_one, NULL);
	timer_free(clients->tick);
	clients->tick = NULL;
	shed_free(clients->shed);
	clients->shed = NULL;
}

void clients_free(struct clients *clients)
{
	if (clients == NULL)
		return;
	registry_free(clients->registry);
	address_limit_free(clients->address_limit);
	free(clients->scratch);
	free(clients);
}

void clients_drain(struct clients *clients)
{
	clients->is_draining = true;
}

void clients_close(struct clients *clients)
{
	clients->is_closing = true;
}

bool clients_are_draining(const struct clients *clients)
{
	return clients->is_draining;
}

uint32_t clients_sockets(const struct clients *clients)
{
	return clients->sockets;
}

uint32_t clients_connections(const struct clients *clients)
{
	return registry_count(clients->registry);
}

/* ---- metrics ---- */

static void count_events(struct client_counts *n, struct metrics *m)
{
	n->accepted = metric_counter(m, "gatepost_edge_accepted_total", NULL,
				     "Sockets accepted");
	n->refused = metric_counter(m, "gatepost_edge_refused_total", NULL,
				    "Requests refused by the edge");
	n->opened = metric_counter(m, "gatepost_edge_opened_total", NULL,
				   "WebSocket connections opened");
	n->closed = metric_counter(m, "gatepost_edge_closed_total", NULL,
				   "WebSocket connections ended");
	n->messages_in = metric_counter(m, "gatepost_edge_messages_received_total", NULL,
					"Messages from clients");
	n->bytes_in = metric_counter(m, "gatepost_edge_message_bytes_received_total",
				     NULL, "Bytes of messages from clients");
	n->frames_out = metric_counter(m, "gatepost_edge_messages_sent_total", NULL,
				       "Messages queued for clients");
	n->bytes_out = metric_counter(m, "gatepost_edge_bytes_written_total", NULL,
				      "Bytes written to clients' sockets");
	n->held_back = metric_counter(m, "gatepost_edge_held_back_total", NULL,
				      "Times that the edge stopped reading a client, "
				      "since it sent too fast or read too slowly");
	n->reply_seconds = metric_seconds(m, "gatepost_edge_request_seconds", NULL,
					  "From a request to its answer");
}

static void count_ends(struct client_counts *n, struct metrics *m)
{
	n->slow = metric_counter(m, "gatepost_edge_stalled_total", NULL,
				 "Clients disconnected since they did not read");
	n->shed = metric_counter(m, "gatepost_edge_shed_total", NULL,
				 "Pushes refused since outboxes were full, large "
				 "messages refused since memory was short");
	n->broken = metric_counter(m, "gatepost_edge_broken_total", NULL,
				   "WebSockets closed since their clients sent malformed "
				   "or refused messages");
	n->silent = metric_counter(
		m, "gatepost_edge_silent_total", NULL,
		"Clients disconnected since they sent no request or no pong in time");
	n->unanswered = metric_counter(
		m, "gatepost_edge_unanswered_total", NULL,
		"Clients disconnected since they did not answer a close frame");
	n->over_connections =
		metric_counter(m, "gatepost_edge_limited_total", "why=\"connections\"",
			       "Sockets refused by the limits of their address");
	n->over_rate =
		metric_counter(m, "gatepost_edge_limited_total", "why=\"rate\"", NULL);
}

static int64_t ask_connections(void *arg)
{
	return clients_connections(arg);
}

static int64_t ask_draining(void *arg)
{
	return clients_are_draining(arg);
}

static int64_t ask_held(void *arg)
{
	return (int64_t)((struct clients *)arg)->held_bytes;
}

static int64_t ask_outboxes(void *arg)
{
	return (int64_t)((struct clients *)arg)->outbox_bytes;
}

static void show(struct clients *clients, struct metrics *m)
{
	if (m == NULL)
		return;
	metric_asked_gauge(m, "gatepost_edge_connections", NULL,
			   "Sockets, and slots that wait for an acknowledgement",
			   ask_connections, clients);
	metric_asked_gauge(m, "gatepost_edge_draining", NULL,
			   "1 from the first SIGTERM on", ask_draining, clients);
	metric_asked_gauge(m, "gatepost_edge_held_bytes", NULL,
			   "Memory for unanswered data of clients", ask_held, clients);
	metric_asked_gauge(m, "gatepost_edge_outbox_bytes", NULL,
			   "Bytes queued for clients", ask_outboxes, clients);
}
