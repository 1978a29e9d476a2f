/*
 * What a broker says to an edge with clients in all states. The input is a play of steps, a
 * byte for the kind of each and then what it needs: clients come, ask, talk and go; the broker answers
 * rightly or with anything, or sends bytes that are no envelope. The edge is the real one, over inproc; nothing
 * here may break an assertion, and
 *
 *   what the edge says in turn can be read by a broker
 *   when its connections are given up, nothing of them is left
 */
#include "base/log.h"
#include "base/mem.h"
#include "edge/client/accept.h"
#include "edge/client/connection.h"
#include "edge/client/lanes.h"
#include "edge/client/subscribers.h"
#include "edge/client/registry.h"
#include "edge/link/uplink_internal.h"
#include "proto/batch.h"
#include "proto/envelope.h"
#include "tests/fuzz/input.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER = 7, CLIENTS = 6, STEPS = 200, BATCH = 40, MOST_ACTIONS = 8 };

static const char endpoint[] = "inproc://broker";

static struct loop *loop;
static struct channels *channels;
static struct clients *all;
static struct uplink *uplink;
static void *zctx, *router;
static uint8_t route[256];
static size_t route_n; /* 0: no link yet */
static int clients[CLIENTS];
static struct id ids[CLIENTS]; /* of the connection that it has now */
static struct batch saying;    /* by the broker */
static struct proto_arena arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static ProtobufCBinaryData bytes(void)
{
	return batch_copy(&saying, input_text());
}

static char *string(void)
{
	struct span s = input_text();
	char *out = proto_arena_alloc(&saying.arena, s.n + 1);

	if (s.n > 0)
		memcpy(out, s.p, s.n);
	return out;
}

/* ---- the world ---- */

static void stop(void *arg)
{
	loop_stop(arg);
}

static void turn(void)
{
	loop_defer(loop, stop, loop);
	loop_run(loop);
}

/* What the edge has said. A broker must be able to read it. */
static void hear(void)
{
	zmq_msg_t from, said;

	zmq_msg_init(&from);
	zmq_msg_init(&said);
	while (zmq_msg_recv(&from, router, ZMQ_DONTWAIT) >= 0) {
		Gatepost__Envelope *e;

		check(zmq_msg_recv(&said, router, 0) >= 0);
		route_n = zmq_msg_size(&from);
		memcpy(route, zmq_msg_data(&from), route_n);
		check(envelope_read(span_of(zmq_msg_data(&said), zmq_msg_size(&said)),
				    &arena, &e) == OK);
		proto_arena_reset(&arena);
	}
	zmq_msg_close(&from);
	zmq_msg_close(&said);
}

static void say_bytes(struct span s)
{
	(void)zmq_send(router, route, route_n, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	(void)zmq_send(router, s.p, s.n, ZMQ_DONTWAIT);
	turn();
	hear();
}

static void say(void)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	batch_pack(&saying, &head, &m);
	say_bytes(span_of(zmq_msg_data(&m), zmq_msg_size(&m)));
	zmq_msg_close(&m);
}

static void *item(Gatepost__Item__BodyCase what, const ProtobufCMessageDescriptor *d)
{
	return batch_add(&saying, what, d);
}

#define ITEM(KIND, kind)                                                                 \
	item(GATEPOST__ITEM__BODY_##KIND, &gatepost__##kind##__descriptor)

static struct broker_link *our_broker(void)
{
	struct broker_link *b = uplink->links;

	while (strcmp(b->endpoint, endpoint) != 0)
		b = b->next;
	return b;
}

/* No other is ever dialled: whoever that may be. */
static void tick(void)
{
	for (struct broker_link *b = uplink->links; b != NULL; b = b->next)
		b->reconnect_ms = strcmp(b->endpoint, endpoint) == 0 ? 0 : INT64_MAX;
	broker_links_tick(uplink);
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	(void)from;
	broker_link_receive(arg, span_of(zmq_msg_data(body), zmq_msg_size(body)));
}

static void greet(void)
{
	struct broker_link *b = our_broker();
	Gatepost__Hello *h;

	if (b->z == NULL)
		tick();
	check(b->z != NULL);
	if (b->link.state != LINK_CONNECTING)
		return;
	/* Unwatched: ZeroMQ tells nothing of the transport of inproc, so it would count as down. */
	zsock_free(b->z);
	b->z = b->link.z = zsock_new(loop, zctx, ZMQ_DEALER, on_message, b);
	check(zsock_connect(b->z, endpoint) == OK);
	link_set_state(&b->link, LINK_GREETING);
	h = link_add(&b->link, GATEPOST__ITEM__BODY_HELLO, &gatepost__hello__descriptor);
	h->boot = 1;
	turn();
	hear();
}

static void add_welcome(void)
{
	static uint64_t boot = 100;
	Gatepost__Welcome *w = ITEM(WELCOME, welcome);

	w->boot = ++boot;
	w->number = NUMBER;
	w->credit_events = 20;
	w->credit_bytes = 1024 * 1024;
	w->members = proto_arena_alloc(&saying.arena, sizeof *w->members);
	gatepost__members__init(w->members);
}

static void link_up(void)
{
	greet();
	if (our_broker()->link.state == LINK_UP)
		return;
	add_welcome();
	say();
}

static void start(void)
{
	static const struct clients_conf conf = {
		.max_message = 100000,
		.max_frame = 100000,
		.max_target = 1000,
		.max_head = 8000,
		.handshake_ms = 60000,
		.verdict_ms = 60000,
		.keep_alive_ms = 60000,
		.close_ms = 60000,
		.ping_ms = 60000,
		.pong_ms = 60000,
		.stall_ms = 60000,
		.outbox_bytes = 60000,
		.outbox_memory = 200000,
		.held_bytes = 1000000,
		.early_posts = 2,
		.lane_events = 8,
		.lane_bytes = 100000,
	};
	static const struct uplink_conf link_conf = {
		.name = "edge",
		.boot = 1,
		.brokers = "ipc://@nobody-is-there",
		.heartbeat_ms = 60000,
		.silence_ms = 600000,
		.retry_ms = 60000,
		.resolve_ms = 3600000,
		.credit_items = 100,
		.credit_bytes = 100000,
		.lane_in_flight = 2,
	};
	struct metrics *metrics = metrics_new();

	log_init("fuzz", (enum log_level)(LOG_ERROR + 1), LOG_TEXT);
	zctx = zmq_ctx_new();
	zmq_ctx_set(zctx, ZMQ_MAX_SOCKETS, 16384); /* a closed one counts for a while */
	router = zmq_socket(zctx, ZMQ_ROUTER);
	check(zmq_bind(router, endpoint) == 0);
	loop = loop_new();
	channels = channels_new(loop, metrics, &subscribers_callbacks);
	all = clients_new(&conf, loop, metrics, CLIENTS);
	timer_stop(all->tick);
	uplink = uplink_new(
		&link_conf,
		&(struct uplink_uses){.loop = loop, .zctx = zctx, .metrics = metrics},
		&lanes_callbacks, all);
	timer_stop(uplink->timer);
	channels_use(channels, uplink);
	channel_link_use(uplink, &channels_link_callbacks, channels);
	clients_use(all, uplink, channels);
	loop_at_turn_end(loop, uplink_flush, uplink);
	broker_links_named(uplink, endpoint);
	batch_init(&saying);
	proto_arena_init(&arena);
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = -1;
}

/* ---- clients ---- */

static void find(void *arg, struct connection *c)
{
	(void)arg;
	if (c->slot < CLIENTS)
		ids[c->slot] = c->lane.id;
}

static struct connection *connection(uint8_t which)
{
	registry_each(all->registry, 0, UINT32_MAX, find, NULL);
	return registry_find(all->registry, &ids[which % CLIENTS]);
}

static void client_says(int fd, const void *p, size_t n)
{
	(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void come(uint8_t which, bool upgrade)
{
	static const char ws[] =
		"GET /dev HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
		"13\r\n"
		"Sec-WebSocket-Protocol: a, b\r\n\r\n";
	static const char plain[] = "POST /dev/x HTTP/1.1\r\nHost: a\r\n"
				    "Content-Length: 2\r\n\r\nhi";
	struct sockaddr_in peer = {.sin_family = AF_INET};
	int *fd = &clients[which % CLIENTS], pair[2];

	if (*fd < 0) {
		check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				 pair) == 0);
		*fd = pair[0];
		accept_client(all, pair[1], (struct sockaddr *)&peer);
	}
	client_says(*fd, upgrade ? ws : plain,
		    upgrade ? sizeof ws - 1 : sizeof plain - 1);
	turn();
}

/* A masked frame; the mask is 0. */
static void talk(uint8_t which, uint8_t op)
{
	int fd = clients[which % CLIENTS];
	uint8_t frame[6 + 125] = {(uint8_t)(0x80 | op), 0x80};
	struct span s = input_text();
	size_t n = s.n < 125 ? s.n : 125;

	frame[1] = (uint8_t)(0x80 | n);
	if (n > 0)
		memcpy(frame + 6, s.p, n);
	if (fd >= 0)
		client_says(fd, frame, 6 + n);
	turn();
}

static void read_all(uint8_t which)
{
	char room[4096];

	while (clients[which % CLIENTS] >= 0 &&
	       recv(clients[which % CLIENTS], room, sizeof room, MSG_DONTWAIT) > 0)
		;
	turn();
}

static void hang_up(uint8_t which)
{
	int *fd = &clients[which % CLIENTS];

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	turn();
}

/* ---- what a broker says ---- */

static ProtobufCBinaryData id_of(uint8_t which)
{
	(void)connection(which);
	return batch_copy(&saying, id_span(&ids[which % CLIENTS]));
}

static Gatepost__Frame *frame(void)
{
	Gatepost__Frame *f = proto_arena_alloc(&saying.arena, sizeof *f);

	gatepost__frame__init(f);
	f->binary = input_byte() & 1;
	f->body = bytes();
	return f;
}

static Gatepost__Response *response(uint32_t status)
{
	Gatepost__Response *r = proto_arena_alloc(&saying.arena, sizeof *r);
	size_t n = input_byte() % 20;

	gatepost__response__init(r);
	r->status = status;
	r->headers = proto_arena_alloc(&saying.arena, n * sizeof *r->headers);
	r->n_headers = n;
	for (size_t i = 0; i < n; i++) {
		r->headers[i] = proto_arena_alloc(&saying.arena, sizeof *r->headers[i]);
		gatepost__request__header__init(r->headers[i]);
		r->headers[i]->name = bytes();
		r->headers[i]->value = bytes();
	}
	r->body = bytes();
	return r;
}

static Gatepost__Action *action(Gatepost__Answer *a, Gatepost__Action__BodyCase what)
{
	Gatepost__Action *m = proto_arena_alloc(&saying.arena, sizeof *m);

	gatepost__action__init(m);
	m->body_case = what;
	a->actions[a->n_actions++] = m;
	return m;
}

/* Some messages, mostly one. */
static void messages(Gatepost__Answer *a)
{
	uint8_t how = input_byte();

	for (int i = 0; i <= (how >> 1) % 4; i++) {
		if (how & 1)
			action(a, GATEPOST__ACTION__BODY_BINARY)->binary = bytes();
		else
			action(a, GATEPOST__ACTION__BODY_TEXT)->text = bytes();
	}
}

static void closes(Gatepost__Answer *a, uint32_t code, bool with_reason)
{
	Gatepost__Action *m = action(a, GATEPOST__ACTION__BODY_CLOSE);

	m->close = proto_arena_alloc(&saying.arena, sizeof *m->close);
	gatepost__close__init(m->close);
	m->close->code = code;
	if (with_reason)
		m->close->reason = bytes();
}

/* To the event that waits, unless the input wants it otherwise. */
static Gatepost__Answer *answer(uint8_t which)
{
	Gatepost__Answer *a = ITEM(ANSWER, answer);
	struct connection *c = connection(which);

	a->id = id_of(which);
	a->actions = proto_arena_alloc(&saying.arena, MOST_ACTIONS * sizeof *a->actions);
	if (c != NULL && c->lane.first != NULL) {
		a->term = c->lane.term;
		a->seq = c->lane.first->seq;
	}
	return a;
}

/* As a function that is well does. */
static void answer_well(uint8_t which)
{
	Gatepost__Answer *a = answer(which);
	struct connection *c = connection(which);

	if (c == NULL || c->lane.first == NULL)
		return;
	switch (c->lane.first->kind) {
	case GATEPOST__EVENT__KIND__MESSAGE: messages(a); break;
	case GATEPOST__EVENT__KIND__DISCONNECT: break;
	default: action(a, GATEPOST__ACTION__BODY_RESPONSE)->response = response(200);
	}
}

static void answer_anything(uint8_t which)
{
	Gatepost__Answer *a = answer(which);
	uint8_t has = input_byte();

	if (has & 1)
		action(a, GATEPOST__ACTION__BODY_RESPONSE)->response =
			response((uint32_t)input_number());
	if (has & 2)
		messages(a);
	if (has & 4)
		closes(a, (uint32_t)input_number(), has & 8);
	else if (has & 8)
		action(a, GATEPOST__ACTION__BODY__NOT_SET);
	if (has & 16)
		a->context = bytes();
	if (has & 32)
		a->expires_ms = (int64_t)input_number();
	if (has & 64)
		a->seq = input_number();
	if (has & 128)
		a->retry = true;
}

static void command(uint8_t which)
{
	Gatepost__Command *c = ITEM(COMMAND, command);
	uint8_t has = input_byte();

	c->ticket = which;
	c->kind = (Gatepost__Command__Kind)(has % 6);
	if (has & 8)
		c->ids = batch_copy(&saying, span_of(ids, sizeof ids));
	else
		c->id = id_of(which);
	if (has & 16)
		c->frame = frame();
	if (has & 32)
		c->code = (uint32_t)input_number();
	if (has & 64)
		c->reason = bytes();
}

static void members(void)
{
	Gatepost__Members *m = ITEM(MEMBERS, members);
	size_t n = input_byte() % 8;

	m->members = proto_arena_alloc(&saying.arena, n * sizeof *m->members);
	m->n_members = n;
	for (size_t i = 0; i < n; i++) {
		m->members[i] = proto_arena_alloc(&saying.arena, sizeof *m->members[i]);
		gatepost__members__member__init(m->members[i]);
		m->members[i]->endpoint = string();
		m->members[i]->name = string();
	}
}

static void welcome_anything(void)
{
	Gatepost__Welcome *w;

	add_welcome();
	w = saying.items[saying.n - 1]->welcome;
	w->boot = input_number();
	w->number = (uint32_t)input_number();
	w->credit_events = input_number();
	w->credit_bytes = input_number();
	w->name = string();
}

static void refusal(void)
{
	Gatepost__Refusal *r = ITEM(REFUSAL, refusal);

	r->reason = input_byte() & 1 ? (char *)(uintptr_t)ENVELOPE_UNREADABLE : string();
}

static void store(void)
{
	Gatepost__Store *s = ITEM(STORE, store);

	s->away = input_byte() & 1;
}

/* The time of those that wait to be tried again has come. */
static void time_goes_by(void)
{
	uplink_retry_due(uplink, INT64_MAX);
	connections_tick(all);
	turn();
	hear();
}

static void step(uint8_t kind)
{
	uint8_t which = kind < 200 ? input_byte() : 0;

	switch (kind % 20) {
	case 0: link_up(); break;
	case 1: greet(); break;
	case 2: come(which, true); break;
	case 3: come(which, false); break;
	case 4: talk(which, 1); break;
	case 5: talk(which, input_byte() & 0x0f); break;
	case 6: hang_up(which); break;
	case 7: read_all(which); break;
	case 8:
	case 9: answer_well(which); break;
	case 10:
	case 11: answer_anything(which); break;
	case 12: command(which); break;
	case 13: ITEM(RESYNC, resync); break;
	case 14: ITEM(LEAVING, leaving); break;
	case 15: members(); break;
	case 16: welcome_anything(); break;
	case 17: which & 1 ? refusal() : store(); break;
	case 18: say_bytes(input_text()); break;
	case 19: time_goes_by(); break;
	default: break;
	}
	/* Some go together. */
	if (route_n > 0 && saying.n > 0 && (kind & 0x40 || saying.n > BATCH))
		say();
}

static void give_up(void *arg, struct connection *c)
{
	(void)arg;
	connection_end(c, CAUSE_FENCED, NULL);
}

/* Nothing is left of it, and the next begins as the first did. */
static void end_play(void)
{
	if (saying.n > 0 && route_n > 0)
		say();
	batch_drop(&saying);
	registry_each(all->registry, 0, UINT32_MAX, give_up, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		hang_up((uint8_t)i);
	broker_link_close(our_broker(), "the play is over", LINK_ENDED_BY_US);
	for (struct broker_link *b = uplink->links; b != NULL; b = b->next) {
		b->reconnect_ms = INT64_MAX;
		b->listed_ms = -3600000; /* who was only a member is forgotten */
	}
	broker_links_named(uplink, endpoint);
	broker_links_tick(uplink);
	turn();
	hear();
	route_n = 0;
	uplink->number = 0;
	uplink->suspect = NULL;
	check(registry_count(all->registry) == 0);
	check(all->sockets == 0);
	check(all->held_bytes == 0);
	check(all->outbox_bytes == 0);
	memset(ids, 0, sizeof ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (loop == NULL)
		start();
	input_begin(span_of(p, n));
	for (int steps = 0; input_is_left() && steps < STEPS; steps++)
		step(input_byte());
	end_play();
	return 0;
}
