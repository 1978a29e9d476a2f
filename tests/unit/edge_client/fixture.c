#include "fixture.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge/client/accept.h"
#include "edge/client/clients.h"
#include "edge/client/lanes.h"
#include "edge/client/registry.h"
#include "edge/client/subscribers.h"
#include "edge/link/outcome.h"
#include "edge/link/uplink.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture fixture;
static struct client clients[MOST];
static size_t n_clients;
static struct id newest;

const char UPGRADE[] = "GET /dev HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		       "Sec-WebSocket-Protocol: a, b\r\n\r\n";
const char GET[] = "GET /dev/ping HTTP/1.1\r\nHost: a\r\n\r\n";
const char POST[] = "POST /dev/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

/* ---- in place of edge/link/uplink.c ---- */

uint16_t uplink_number(const struct uplink *u)
{
	(void)u;
	return fixture.number;
}

static struct lane_event *append(struct lane *l, uint8_t kind, struct blob *request,
				 struct blob *body)
{
	struct lane_event *e = lane_append(l, kind, clock_wall_ms(), request, body);

	if (fixture.is_seen) {
		l->unsent = NULL;
		e->was_sent = true;
	}
	return e;
}

uint32_t uplink_request(struct uplink *u, struct lane *l, uint8_t kind,
			struct blob *request, struct blob *body)
{
	(void)u;
	return append(l, kind, request, body)->memory;
}

uint32_t uplink_message(struct uplink *u, struct lane *l, struct blob *body, bool binary)
{
	struct lane_event *e = append(l, GATEPOST__EVENT__KIND__MESSAGE, NULL, body);

	(void)u;
	e->binary = binary;
	return e->memory;
}

uint32_t uplink_unsubscribed(struct uplink *u, struct lane *l, struct span channel)
{
	(void)u;
	return append(l, GATEPOST__EVENT__KIND__UNSUBSCRIBED, NULL, blob_new(channel))
		->memory;
}

uint32_t uplink_disconnect(struct uplink *u, struct lane *l, uint16_t code,
			   struct span reason, struct blob *channels)
{
	struct lane_event *e =
		append(l, GATEPOST__EVENT__KIND__DISCONNECT, channels, blob_new(reason));

	(void)u;
	e->code = code;
	return e->memory;
}

uint32_t uplink_cancel(struct uplink *u, struct lane *l)
{
	struct lane_event *e = l->first;
	uint32_t bytes;

	(void)u;
	if (e == NULL || e->was_sent || e->kind == GATEPOST__EVENT__KIND__DISCONNECT)
		return 0;
	l->unsent = e->next;
	bytes = e->memory;
	lane_done(l, e);
	return bytes;
}

void outcome_send(struct broker_link *from, const Gatepost__Outcome *o)
{
	(void)from;
	fixture.outcome = o->result;
	fixture.reached = o->reached;
	fixture.subscribed = o->subscribed;
	cr_assert(le(sz, o->results.len, MOST));
	fixture.n_results = o->results.len;
	if (o->results.len > 0)
		memcpy(fixture.results, o->results.data, o->results.len);
	fixture.outcomes++;
}

/* ---- in place of edge/link/channel_link.c: one link, which has the serial LINK ---- */

uint64_t channel_link_serial(const struct broker_link *b)
{
	(void)b;
	return LINK;
}

void channel_link_interest(struct uplink *u, uint64_t link, const Gatepost__Interest *m)
{
	(void)u;
	cr_assert(eq(u64, link, LINK));
	fixture.interest = m->serial;
}

void channel_link_gap(struct uplink *u, uint64_t link, const Gatepost__Gap *m)
{
	(void)u;
	(void)link;
	(void)m;
	fixture.gaps++;
}

void channel_link_outcome(struct uplink *u, uint64_t link, const Gatepost__Outcome *o)
{
	(void)u;
	cr_assert(eq(u64, link, LINK));
	outcome_send(NULL, o);
}

bool channel_link_is_complete(const struct uplink *u)
{
	(void)u;
	return true;
}

uint64_t channel_link_pick(struct uplink *u, uint64_t but)
{
	(void)u;
	(void)but;
	return LINK;
}

void uplink_leave(struct uplink *u)
{
	(void)u;
	fixture.left++;
}

/* ---- all of it ---- */

void fixture_defaults(void)
{
	fixture = (struct fixture){
		.conf =
			{
				.max_message = 100000,
				.max_frame = 50000,
				.max_target = 1000,
				.max_head = 4000,
				.handshake_ms = 10000,
				.verdict_ms = 35000,
				.keep_alive_ms = 75000,
				.close_ms = 5000,
				.ping_ms = 25000,
				.pong_ms = 20000,
				.stall_ms = 30000,
				.outbox_bytes = 60000,
				.outbox_memory = 1000000,
				.held_bytes = 1000000,
				.early_posts = 2,
				.lane_events = 8,
				.lane_bytes = 100000,
			},
		.most = MOST,
		.number = NUMBER,
		.is_seen = true,
	};
	n_clients = 0;
}

void fixture_start(void)
{
	log_init("edge", LOG_WARN, LOG_TEXT);
	fixture.loop = loop_new();
	fixture.metrics = metrics_new();
	fixture.channels =
		channels_new(fixture.loop, fixture.metrics, &subscribers_callbacks);
	fixture.clients =
		clients_new(&fixture.conf, fixture.loop, fixture.metrics, fixture.most);
	channels_use(fixture.channels, (struct uplink *)(void *)&fixture);
	clients_use(fixture.clients, NULL, fixture.channels);
	channels_link_callbacks.linked(fixture.channels, LINK, 0);
}

void fixture_init(void)
{
	fixture_defaults();
	fixture_start();
}

void fixture_stop(void)
{
	for (size_t i = 0; i < n_clients; i++)
		client_close(&clients[i]);
	clients_stop(fixture.clients);
	channels_stop(fixture.channels);
	fake_loop_turn(fixture.loop);
	cr_assert(eq(u32, clients_connections(fixture.clients), 0));
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	cr_assert(eq(u64, fixture.clients->held_bytes, 0));
	cr_assert(eq(u64, fixture.clients->outbox_bytes, 0));
	loop_free(fixture.loop);
	clients_free(fixture.clients);
	channels_free(fixture.channels);
	metrics_free(fixture.metrics);
}

void fixture_pass(int64_t ms)
{
	fake_loop_run(fixture.loop, ms);
	fake_loop_turn(fixture.loop);
}

int64_t fixture_metric(const char *name, const char *labels)
{
	struct evbuffer *out = evbuffer_new();
	char *want =
		labels ? xasprintf("\n%s{%s} ", name, labels) : xasprintf("\n%s ", name);
	const char *at;
	int64_t value;

	metrics_print(fixture.metrics, out);
	evbuffer_add(out, "", 1);
	at = strstr((char *)evbuffer_pullup(out, -1), want);
	cr_assert(at != NULL, "no metric %s", want + 1);
	value = strtoll(at + strlen(want), NULL, 10);
	free(want);
	evbuffer_free(out);
	return value;
}

/* ---- a client ---- */

static void note_if(void *arg, struct connection *c)
{
	if (c->state != CONNECTION_GONE && c->transport.fd == *(int *)arg)
		newest = c->lane.id;
}

struct client *client_new(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0xc0000201)};
	struct client *k = &clients[n_clients++];
	int pair[2];

	cr_assert(n_clients <= MOST);
	cr_assert(eq(
		int,
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
		0));
	k->fd = pair[0];
	accept_client(fixture.clients, pair[1], (struct sockaddr *)&peer);
	memset(&newest, 0xff, sizeof newest); /* it may be refused */
	registry_each(fixture.clients->registry, 0, UINT32_MAX, note_if, &pair[1]);
	k->id = newest;
	fake_loop_turn(fixture.loop);
	return k;
}

static void find(void *arg, struct connection *c)
{
	struct connection **out = (struct connection **)arg;

	*out = c;
}

struct connection *client_connection(const struct client *k)
{
	struct connection *c = NULL;
	uint32_t slot = id_slot(&k->id);

	/* By its slot: the id is another one for each request. */
	registry_each(fixture.clients->registry, slot, slot + 1, find, &c);
	return c;
}

void client_send(struct client *k, const void *p, size_t n)
{
	cr_assert(eq(long, send(k->fd, p, n, MSG_NOSIGNAL), (long)n));
	fake_loop_turn(fixture.loop);
}

void client_send_text(struct client *k, const char *text)
{
	client_send(k, text, strlen(text));
}

void client_send_frame(struct client *k, uint8_t op, const void *p, size_t n)
{
	uint8_t *frame = xmalloc(n + 8);
	size_t head = n < 126 ? 2 : 4;

	frame[0] = op;
	frame[1] = (uint8_t)(0x80 | (n < 126 ? n : 126));
	frame[2] = (uint8_t)(n >> 8);
	frame[3] = (uint8_t)n;
	memset(frame + head, 0, 4); /* a mask that changes nothing */
	if (n > 0)
		memcpy(frame + head + 4, p, n);
	client_send(k, frame, head + 4 + n);
	free(frame);
}

const char *client_read(struct client *k, size_t *n)
{
	static char room[READ_MOST + 1];
	size_t all = 0;
	ssize_t got;

	fake_loop_turn(fixture.loop);
	while ((got = recv(k->fd, room + all, READ_MOST - all, MSG_DONTWAIT)) > 0)
		all += (size_t)got;
	room[all] = '\0';
	if (n != NULL)
		*n = all;
	return room;
}

bool client_is_at_end(struct client *k)
{
	char byte;
	ssize_t n;

	fake_loop_turn(fixture.loop);
	n = recv(k->fd, &byte, 1, MSG_DONTWAIT);
	cr_assert(n <= 0, "it was sent a byte more: %d", byte);
	return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void client_close(struct client *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	fake_loop_turn(fixture.loop);
}

void client_upgrade(struct client *k)
{
	client_send_text(k, UPGRADE);
	client_answer_status(k, 200);
	cr_assert(strncmp(client_read(k, NULL), "HTTP/1.1 101 ", 13) == 0);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

struct client *client_open(void)
{
	struct client *k = client_new();

	client_upgrade(k);
	return k;
}

/* ---- brokers ---- */

const struct lane_event *client_event(const struct client *k)
{
	struct connection *c = client_connection(k);

	return c != NULL ? c->lane.first : NULL;
}

const struct lane_event *client_last_event(const struct client *k)
{
	struct connection *c = client_connection(k);

	return c != NULL && c->lane.first != NULL ? c->lane.last : NULL;
}

static void done(struct lane *l, struct lane_event *e)
{
	uint32_t bytes = e->memory;

	if (l->unsent == e)
		l->unsent = e->next;
	lane_done(l, e);
	lanes_callbacks.done(fixture.clients, l, bytes);
	fake_loop_turn(fixture.loop);
}

void client_answer(struct client *k, const Gatepost__Answer *a)
{
	static const Gatepost__Answer nothing = GATEPOST__ANSWER__INIT;
	struct lane *l = &client_connection(k)->lane;

	cr_assert(l->first != NULL, "there is nothing to answer");
	lanes_callbacks.answer(fixture.clients, l, l->first, a ? a : &nothing);
	done(l, l->first);
}

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

Gatepost__Action action_response(Gatepost__Response *r)
{
	Gatepost__Action m = GATEPOST__ACTION__INIT;

	m.body_case = GATEPOST__ACTION__BODY_RESPONSE;
	m.response = r;
	return m;
}

Gatepost__Action action_text(const char *text)
{
	Gatepost__Action m = GATEPOST__ACTION__INIT;

	m.body_case = GATEPOST__ACTION__BODY_TEXT;
	m.text = data(text);
	return m;
}

Gatepost__Action action_binary(const char *text)
{
	Gatepost__Action m = GATEPOST__ACTION__INIT;

	m.body_case = GATEPOST__ACTION__BODY_BINARY;
	m.binary = data(text);
	return m;
}

Gatepost__Action action_close(Gatepost__Close *room, uint32_t code, const char *reason)
{
	Gatepost__Action m = GATEPOST__ACTION__INIT;

	gatepost__close__init(room);
	room->code = code;
	room->reason = data(reason);
	m.body_case = GATEPOST__ACTION__BODY_CLOSE;
	m.close = room;
	return m;
}

void client_answer_actions(struct client *k, Gatepost__Action *actions, size_t n)
{
	Gatepost__Answer a = GATEPOST__ANSWER__INIT;
	Gatepost__Action *list[MOST];

	cr_assert(le(sz, n, MOST));
	for (size_t i = 0; i < n; i++)
		list[i] = &actions[i];
	a.actions = list;
	a.n_actions = n;
	client_answer(k, &a);
}

void client_answer_status(struct client *k, uint32_t status)
{
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Action action = action_response(&r);

	r.status = status;
	r.body = data("ok");
	client_answer_actions(k, &action, 1);
}

void client_answer_frame(struct client *k, const char *text)
{
	Gatepost__Action action = action_text(text);

	client_answer_actions(k, &action, 1);
}

void client_poison(struct client *k)
{
	struct lane *l = &client_connection(k)->lane;
	struct lane_event *e = l->first;

	lanes_callbacks.poisoned(fixture.clients, l, e);
	done(l, e);
}

void client_command(const struct client *k, Gatepost__Command *m)
{
	struct connection *c = client_connection(k);
	struct id id = c != NULL ? c->lane.id : k->id;

	if (m->ids.len == 0)
		m->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = id.b};
	lanes_callbacks.command(fixture.clients, NULL, m);
	fake_loop_turn(fixture.loop);
}
