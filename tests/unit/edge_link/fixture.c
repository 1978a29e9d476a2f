#include "fixture.h"

#include "base/mem.h"
#include "edge/link/outcome.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture edge;
static struct batch letter;

static struct lane *find(void *arg, const struct id *id)
{
	uint32_t slot = id_slot(id);

	(void)arg;
	return slot < edge.n_lanes && id_eq(&edge.lanes[slot].id, id) ? &edge.lanes[slot]
								      : NULL;
}

static void each(void *arg, uplink_lane_fn *fn, void *fn_arg)
{
	(void)arg;
	for (uint32_t i = 0; i < edge.n_lanes; i++)
		fn(fn_arg, &edge.lanes[i]);
}

static void memberships(void *arg, struct lane *l, uplink_membership_fn *fn, void *fn_arg)
{
	(void)arg;
	(void)l;
	for (size_t i = 0; i < edge.n_memberships; i++)
		fn(fn_arg, span_str("room:1"), span_str("{}"));
}

static uint32_t count(void *arg)
{
	(void)arg;
	return edge.n_lanes;
}

static void on_answer(void *arg, struct lane *l, const struct lane_event *e,
		      const Gatepost__Answer *a)
{
	(void)arg;
	edge.answers++;
	edge.answered = e->seq;
	cr_assert(lt(sz, a->n_actions, sizeof edge.actions));
	memset(edge.actions, 0, sizeof edge.actions);
	for (size_t i = 0; i < a->n_actions; i++)
		edge.actions[i] = "?rtbc"[a->actions[i]->body_case];
	if (e->kind == GATEPOST__EVENT__KIND__CONNECT)
		l->is_open = true;
}

static void on_poisoned(void *arg, struct lane *l, const struct lane_event *e)
{
	(void)arg;
	(void)e;
	edge.poisoned++;
	if (edge.on_poisoned != NULL)
		edge.on_poisoned(l);
}

static void on_done(void *arg, struct lane *l, uint32_t bytes)
{
	(void)arg;
	(void)l;
	edge.done++;
	edge.held -= bytes;
}

static void on_wait_changed(void *arg, struct lane *l)
{
	(void)arg;
	(void)l;
	edge.wait_changes++;
}

static void on_command(void *arg, struct broker_link *from, const Gatepost__Command *m)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	(void)arg;
	edge.commands++;
	o.ticket = m->ticket;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.context = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "cx"};
	o.results = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "rs"};
	o.last_active_ms = 77;
	outcome_send(from, &o);
}

static void close_lane(void *arg, struct lane *l)
{
	(void)arg;
	edge.held -= l->bytes;
	lane_close(l);
}

static void on_fenced(void *arg)
{
	edge.fenced++;
	each(arg, close_lane, NULL);
}

void links_start_with(const char *brokers)
{
	struct uplink_conf conf = {
		.name = "edge-0",
		.boot = EDGE_BOOT,
		.brokers = brokers,
		.heartbeat_ms = HEARTBEAT_MS,
		.silence_ms = SILENCE_MS,
		.retry_ms = RETRY_MS,
		.resolve_ms = 10000,
		.credit_items = 50,
		.credit_bytes = 5000,
		.lane_in_flight = IN_FLIGHT,
	};
	struct uplink_callbacks on = {
		.find = find,
		.each = each,
		.memberships = memberships,
		.count = count,
		.answer = on_answer,
		.poisoned = on_poisoned,
		.done = on_done,
		.wait_changed = on_wait_changed,
		.command = on_command,
		.fenced = on_fenced,
	};

	batch_init(&letter);
	edge.loop = loop_new();
	edge.metrics = metrics_new();
	edge.uplink = uplink_new(
		&conf, &(struct uplink_uses){.loop = edge.loop, .metrics = edge.metrics},
		&on, NULL);
	if (edge.uplink != NULL)
		loop_at_turn_end(edge.loop, uplink_flush, edge.uplink);
}

void links_start(void)
{
	links_start_with(B1);
}

void links_stop(void)
{
	each(NULL, close_lane, NULL);
	cr_assert(eq(i64, edge.held, 0), "memory that was not given back");
	uplink_free(edge.uplink);
	loop_free(edge.loop);
	metrics_free(edge.metrics);
	fake_zsock_close();
	batch_close(&letter);
}

void links_turn(void)
{
	fake_loop_run(edge.loop, 0);
}

void links_run(int64_t ms, const char *brokers)
{
	while (ms > 0) {
		int64_t step = ms < HEARTBEAT_MS ? ms : HEARTBEAT_MS;
		char names[128], *rest = names, *name;

		snprintf(names, sizeof names, "%s", brokers);
		while ((name = strsep(&rest, " ")) != NULL)
			if (*name != '\0')
				links_post(name);
		fake_loop_run(edge.loop, step);
		ms -= step;
	}
}

int64_t links_metric(const char *name)
{
	return metric_value(metric_counter(edge.metrics, name, NULL, ""));
}

/* ---- lanes ---- */

struct lane *links_lane(void)
{
	struct lane *l = &edge.lanes[edge.n_lanes];
	struct id id = id_make(NUMBER, edge.n_lanes, 1);

	cr_assert(lt(u32, edge.n_lanes, LANES));
	edge.n_lanes++;
	lane_begin(l, &id, blob_new(span_str("ctx")));
	return l;
}

struct lane *links_lane_at(const char *broker)
{
	for (;;) {
		struct lane *l = links_lane();
		const struct broker_link *b =
			ring_pick(edge.uplink->ring, id_hash(&l->id));

		cr_assert(b != NULL);
		if (strcmp(b->endpoint, broker) == 0)
			return l;
	}
}

static void request(struct lane *l, uint8_t kind)
{
	edge.held += uplink_request(edge.uplink, l, kind, blob_new(span_str("")), NULL);
	links_turn();
}

void links_connect(struct lane *l)
{
	request(l, GATEPOST__EVENT__KIND__CONNECT);
}

void links_request(struct lane *l)
{
	request(l, GATEPOST__EVENT__KIND__HTTP);
}

static void send_message(struct lane *l, struct blob *body)
{
	edge.held += uplink_message(edge.uplink, l, body, true);
	links_turn();
}

void links_message(struct lane *l, const char *body)
{
	send_message(l, blob_new(span_str(body)));
}

void links_message_of(struct lane *l, size_t bytes)
{
	struct blob *body = blob_alloc(bytes);

	memset(body->p, 'x', bytes);
	send_message(l, body);
}

void links_disconnect(struct lane *l)
{
	edge.held += uplink_disconnect(edge.uplink, l, 1001, span_str("bye"), NULL);
	links_turn();
}

const char *links_owner(const struct lane *l)
{
	return l->owner != NULL ? l->owner->endpoint : "";
}

/* ---- what brokers send ---- */

struct batch *links_letter(void)
{
	return &letter;
}

static void post(const char *broker, uint32_t version)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	zmq_msg_t m;

	head.version = version;
	batch_pack(&letter, &head, &m);
	fake_zsock_receive(broker, &m);
}

void links_post(const char *broker)
{
	post(broker, LINK_VERSION);
}

void links_post_version(const char *broker, uint32_t version)
{
	post(broker, version);
}

void links_post_bytes(const char *broker, struct span bytes)
{
	zmq_msg_t m;

	zmq_msg_init_size(&m, bytes.n);
	memcpy(zmq_msg_data(&m), bytes.p, bytes.n);
	fake_zsock_receive(broker, &m);
}

Gatepost__Welcome *links_add_welcome(uint64_t boot)
{
	Gatepost__Welcome *w = LINKS_ITEM(WELCOME, welcome);

	w->name = (char *)(uintptr_t) "broker";
	w->boot = boot;
	w->number = NUMBER;
	w->credit_events = CREDIT_EVENTS;
	w->credit_bytes = CREDIT_BYTES;
	w->members = proto_arena_alloc(&letter.arena, sizeof *w->members);
	gatepost__members__init(w->members);
	return w;
}

void links_greet(const char *broker)
{
	fake_zsock_transport(broker, true);
	links_turn();
	cr_assert(eq(int, links_read_kind(broker), GATEPOST__ITEM__BODY_HELLO));
}

void links_up(const char *broker, uint64_t boot)
{
	links_greet(broker);
	links_add_welcome(boot);
	links_post(broker);
	links_turn();
}

Gatepost__Answer *links_add_answer(const struct lane *l, uint64_t seq)
{
	const struct lane_event *e = lane_find(l, seq);

	/* What has an answer of its own has it, or the edge would not read it. */
	return links_add_actions(
		l, seq,
		e != NULL && (e->kind == GATEPOST__EVENT__KIND__CONNECT ||
			      e->kind == GATEPOST__EVENT__KIND__HTTP)
			? "r"
			: "");
}

static Gatepost__Action *action(char kind)
{
	struct proto_arena *a = &letter.arena;
	Gatepost__Action *m = proto_arena_alloc(a, sizeof *m);

	gatepost__action__init(m);
	if (kind == 'r') {
		m->body_case = GATEPOST__ACTION__BODY_RESPONSE;
		m->response = proto_arena_alloc(a, sizeof *m->response);
		gatepost__response__init(m->response);
		m->response->status = 200;
	} else if (kind == 'c') {
		m->body_case = GATEPOST__ACTION__BODY_CLOSE;
		m->close = proto_arena_alloc(a, sizeof *m->close);
		gatepost__close__init(m->close);
		m->close->code = 1000;
	} else {
		m->body_case = kind == 't' ? GATEPOST__ACTION__BODY_TEXT
					   : GATEPOST__ACTION__BODY_BINARY;
	}
	return m;
}

Gatepost__Answer *links_add_actions(const struct lane *l, uint64_t seq,
				    const char *letters)
{
	Gatepost__Answer *a = LINKS_ITEM(ANSWER, answer);

	a->id = batch_copy(&letter, id_span(&l->id));
	a->term = l->term;
	a->seq = seq;
	a->actions = proto_arena_alloc(&letter.arena,
				       (strlen(letters) + 1) * sizeof *a->actions);
	for (; *letters != '\0'; letters++)
		a->actions[a->n_actions++] = action(*letters);
	return a;
}

void links_answer(const char *broker, const struct lane *l, uint64_t seq)
{
	links_add_answer(l, seq);
	links_post(broker);
	links_turn();
}

/* ---- what brokers get ---- */

const Gatepost__Item *links_read(const char *broker)
{
	return fake_zsock_read(broker);
}

Gatepost__Item__BodyCase links_read_kind(const char *broker)
{
	const Gatepost__Item *i = links_read(broker);

	return i != NULL ? i->body_case : GATEPOST__ITEM__BODY__NOT_SET;
}

const Gatepost__Event *links_read_event(const char *broker)
{
	const Gatepost__Item *i = links_read(broker);

	cr_assert(i == NULL || i->body_case == GATEPOST__ITEM__BODY_EVENT);
	return i != NULL ? i->event : NULL;
}

const char *links_read_seqs(const char *broker)
{
	static char out[256];
	const Gatepost__Event *e;
	size_t n = 0;

	out[0] = '\0';
	while ((e = links_read_event(broker)) != NULL && n < sizeof out - 16)
		n += (size_t)sprintf(out + n, n > 0 ? " %d" : "%d", (int)e->seq);
	return out;
}
