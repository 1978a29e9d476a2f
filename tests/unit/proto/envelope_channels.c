/* What the reader of envelopes lets through of channels, and what it refuses. */
#include "proto/envelope.h"

#include "proto/batch.h"
#include "proto/id.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct batch b;
static struct proto_arena arena;

static void start(void)
{
	batch_init(&b);
	proto_arena_init(&arena);
}

static void end(void)
{
	batch_close(&b);
	proto_arena_close(&arena);
}

TestSuite(envelope_channels, .init = start, .fini = end);

#define ADD(KIND, kind)                                                                  \
	batch_add(&b, GATEPOST__ITEM__BODY_##KIND, &gatepost__##kind##__descriptor)

/* A message in the batch's memory. */
#define NEW(type, name)                                                                  \
	type *name = proto_arena_alloc(&b.arena, sizeof *name);                          \
	protobuf_c_message_init(&type##_DESCRIPTOR, name)
#define Gatepost__Position_DESCRIPTOR     gatepost__position__descriptor
#define Gatepost__Publication_DESCRIPTOR  gatepost__publication__descriptor
#define Gatepost__FilterNode_DESCRIPTOR   gatepost__filter_node__descriptor
#define Gatepost__Subscription_DESCRIPTOR gatepost__subscription__descriptor
#define Gatepost__Activate_DESCRIPTOR     gatepost__activate__descriptor
#define Gatepost__Action_DESCRIPTOR       gatepost__action__descriptor
#define Gatepost__Tag_DESCRIPTOR          gatepost__tag__descriptor

static ProtobufCBinaryData text(const char *s)
{
	return batch_copy(&b, span_str(s));
}

static ProtobufCBinaryData bytes(size_t n)
{
	static const uint8_t some[2048] = "x";

	return batch_copy(&b, span_of(some, n));
}

static Gatepost__Position *position(const char *epoch, uint64_t offset)
{
	NEW(Gatepost__Position, p);
	p->epoch = text(epoch);
	p->offset = offset;
	return p;
}

static Gatepost__Publication **run(uint64_t first, size_t n)
{
	Gatepost__Publication **list =
		proto_arena_alloc(&b.arena, (n + 1) * sizeof *list);

	for (size_t i = 0; i < n; i++) {
		NEW(Gatepost__Publication, p);
		p->offset = first + i;
		p->body = text("{}");
		list[i] = p;
	}
	return list;
}

/* What the reader says of all that is in the batch, which is empty then. */
static enum err read_batch(void)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT, *out;
	zmq_msg_t m;
	enum err e;

	head.version = LINK_VERSION;
	batch_pack(&b, &head, &m);
	e = envelope_read(span_of(zmq_msg_data(&m), zmq_msg_size(&m)), &arena, &out);
	zmq_msg_close(&m);
	proto_arena_reset(&arena);
	return e;
}

#define ACCEPTED() cr_assert(eq(int, read_batch(), OK))
#define REFUSED()  cr_assert(eq(int, read_batch(), ERR_MALFORMED))

/* ---- filters ---- */

static Gatepost__FilterNode *node(int op, unsigned operands, size_t values)
{
	NEW(Gatepost__FilterNode, n);
	n->op = (Gatepost__FilterNode__Op)op;
	n->operands = operands;
	n->tag = text("k");
	n->n_values = values;
	n->values = proto_arena_alloc(&b.arena, (values + 1) * sizeof *n->values);
	for (size_t i = 0; i < values; i++)
		n->values[i] = text("v");
	return n;
}

#define OP(NAME) GATEPOST__FILTER_NODE__OP__##NAME

Test(envelope_channels, a_filter_is_a_tree_that_is_complete)
{
	Gatepost__FilterNode *and_two[] = {node(OP(AND), 2, 0), node(OP(EQ), 0, 1),
					   node(OP(NOT), 1, 0), node(OP(IN), 0, 3),
					   node(OP(EQ), 0, 1)};

	cr_assert(envelope_filter_ok(and_two, 0));
	cr_assert(envelope_filter_ok(and_two, 4));
	for (size_t n = 1; n < 4; n++)
		cr_assert(not(envelope_filter_ok(and_two, n)), "its first %zu nodes", n);
	cr_assert(not(envelope_filter_ok(and_two, 5)), "one too many");
}

Test(envelope_channels, a_filter_has_at_most_32_nodes)
{
	Gatepost__FilterNode *all[ENVELOPE_FILTER + 1];

	for (size_t i = 0; i <= ENVELOPE_FILTER; i++)
		all[i] = node(OP(NOT), 1, 0);
	all[ENVELOPE_FILTER - 1] = node(OP(EXISTS), 0, 1);
	cr_assert(envelope_filter_ok(all, ENVELOPE_FILTER));
	all[ENVELOPE_FILTER - 1] = node(OP(NOT), 1, 0);
	all[ENVELOPE_FILTER] = node(OP(EXISTS), 0, 1);
	cr_assert(not(envelope_filter_ok(all, ENVELOPE_FILTER + 1)));
}

Test(envelope_channels, a_node_of_a_filter_has_what_its_kind_needs)
{
	static const struct {
		int op;
		unsigned operands;
		size_t values;
		bool ok;
	} cases[] = {
		{OP(NONE), 0, 1, false},
		{16, 0, 1, false},
		{-1, 0, 1, false},
		{OP(EQ), 0, 0, false},
		{OP(EQ), 0, 2, false},
		{OP(EQ), 0, 1, true},
		{OP(LTE), 0, 1, true},
		{OP(IN), 0, 0, true},
		{OP(NIN), 0, ENVELOPE_VALUES, true},
		{OP(IN), 0, ENVELOPE_VALUES + 1, false},
		{OP(AND), 0, 0, false},
		{OP(NOT), 0, 0, false},
		{OP(EQ), 1, 1, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Gatepost__FilterNode *n[] = {
			node(cases[i].op, cases[i].operands, cases[i].values)};

		cr_assert(eq(int, envelope_filter_ok(n, 1), cases[i].ok), "case %zu", i);
	}
}

/* ---- subscriptions ---- */

static Gatepost__Command *subscribe(void)
{
	Gatepost__Command *c = ADD(COMMAND, command);
	NEW(Gatepost__Subscription, s);

	c->kind = GATEPOST__COMMAND__KIND__SUBSCRIBE;
	c->id = bytes(ID_BYTES);
	c->subscription = s;
	s->channel = text("room:1");
	return c;
}

Test(envelope_channels, a_subscribe_has_a_connection_and_a_channel)
{
	subscribe();
	ACCEPTED();
	subscribe()->id = bytes(ID_BYTES - 1);
	REFUSED();
	subscribe()->subscription = NULL;
	REFUSED();
	subscribe()->subscription->channel = bytes(0);
	REFUSED();
	subscribe()->subscription->channel = bytes(ENVELOPE_CHANNEL);
	ACCEPTED();
	subscribe()->subscription->channel = bytes(ENVELOPE_CHANNEL + 1);
	REFUSED();
}

Test(envelope_channels, a_subscription_has_a_known_policy_and_a_time_that_is_one)
{
	subscribe()->subscription->slow = GATEPOST__SUBSCRIPTION__SLOW__LATEST;
	ACCEPTED();
	subscribe()->subscription->slow = (Gatepost__Subscription__Slow)3;
	REFUSED();
	subscribe()->subscription->slow = (Gatepost__Subscription__Slow)-1;
	REFUSED();
	subscribe()->subscription->expires_ms = -1;
	REFUSED();
	subscribe()->subscription->expires_ms = ENVELOPE_TIME_MOST + 1;
	REFUSED();
}

Test(envelope_channels, an_unsubscribe_has_a_channel)
{
	Gatepost__Command *c = ADD(COMMAND, command);

	c->kind = GATEPOST__COMMAND__KIND__UNSUBSCRIBE;
	c->id = bytes(ID_BYTES);
	c->channel = text("room:1");
	ACCEPTED();
	c = ADD(COMMAND, command);
	c->kind = GATEPOST__COMMAND__KIND__UNSUBSCRIBE;
	c->id = bytes(ID_BYTES);
	REFUSED();
}

/* ---- activations ---- */

static Gatepost__Activate *activate(uint64_t first, size_t n, uint64_t top)
{
	Gatepost__Command *c = ADD(COMMAND, command);
	NEW(Gatepost__Action, action);
	NEW(Gatepost__Activate, a);

	c->kind = GATEPOST__COMMAND__KIND__APPLY;
	c->id = bytes(ID_BYTES);
	c->n_actions = 1;
	c->actions = proto_arena_alloc(&b.arena, sizeof *c->actions);
	c->actions[0] = action;
	action->body_case = GATEPOST__ACTION__BODY_ACTIVATE;
	action->activate = a;
	a->channel = text("room:1");
	a->position = position("e1", top);
	a->n_missed = n;
	a->missed = run(first, n);
	return a;
}

Test(envelope_channels, what_was_missed_ends_at_the_position_at_most_and_has_no_hole)
{
	activate(5, 3, 7);
	ACCEPTED();
	activate(5, 3, 6);
	REFUSED();
	activate(0, 1, 7);
	REFUSED();
	activate(5, 3, 9)->missed[1]->offset = 7;
	REFUSED();
	activate(1, ENVELOPE_PUBLICATIONS, 5000);
	ACCEPTED();
	activate(1, ENVELOPE_PUBLICATIONS + 1, 5000);
	REFUSED();
}

Test(envelope_channels, without_a_position_nothing_was_missed)
{
	activate(1, 0, 1)->position = NULL;
	ACCEPTED();
	activate(1, 1, 1)->position = NULL;
	REFUSED();
}

Test(envelope_channels, a_position_has_an_epoch)
{
	activate(1, 0, 1)->position->epoch = bytes(0);
	REFUSED();
	activate(1, 0, 1)->position->epoch = bytes(ENVELOPE_EPOCH);
	ACCEPTED();
	activate(1, 0, 1)->position->epoch = bytes(ENVELOPE_EPOCH + 1);
	REFUSED();
	activate(1, 0, 1)->position->offset = UINT64_MAX;
	REFUSED();
}

Test(envelope_channels, a_command_applies_at_least_one_action_and_no_response)
{
	Gatepost__Command *c = ADD(COMMAND, command);

	c->kind = GATEPOST__COMMAND__KIND__APPLY;
	c->id = bytes(ID_BYTES);
	REFUSED();
	activate(1, 0, 1);
	b.items[0]->command->actions[0]->body_case = GATEPOST__ACTION__BODY_RESPONSE;
	b.items[0]->command->actions[0]->response =
		proto_arena_alloc(&b.arena, sizeof(Gatepost__Response));
	gatepost__response__init(b.items[0]->command->actions[0]->response);
	b.items[0]->command->actions[0]->response->status = 200;
	REFUSED();
}

/* ---- interest, publications, gaps ---- */

static Gatepost__Interest *interest(size_t n)
{
	Gatepost__Interest *m = ADD(INTEREST, interest);

	m->serial = 1;
	m->n_channels = n;
	m->channels = proto_arena_alloc(&b.arena, (n + 1) * sizeof *m->channels);
	for (size_t i = 0; i < n; i++) {
		m->channels[i] = proto_arena_alloc(&b.arena, sizeof *m->channels[i]);
		gatepost__interest__channel__init(m->channels[i]);
		m->channels[i]->name = text("c");
	}
	return m;
}

Test(envelope_channels, an_interest_names_channels_and_has_a_serial)
{
	interest(0)->all = true;
	ACCEPTED();
	interest(ENVELOPE_NAMES);
	ACCEPTED();
	interest(ENVELOPE_NAMES + 1);
	REFUSED();
	interest(1)->serial = 0;
	REFUSED();
	interest(2)->channels[1]->name = bytes(0);
	REFUSED();
	interest(1)->channels[0]->position = position("", 3);
	REFUSED();
	interest(1)->channels[0]->position = position("e1", 3);
	ACCEPTED();
}

static Gatepost__Deliver *deliver(const char *epoch, uint64_t offset)
{
	Gatepost__Deliver *m = ADD(DELIVER, deliver);

	m->channel = text("room:1");
	m->epoch = text(epoch);
	m->publication = run(offset, 1)[0];
	return m;
}

static Gatepost__Deliver *deliver_tags(size_t n)
{
	Gatepost__Deliver *m = deliver("", 0);

	m->publication->n_tags = n;
	m->publication->tags =
		proto_arena_alloc(&b.arena, n * sizeof *m->publication->tags);
	for (size_t i = 0; i < n; i++) {
		NEW(Gatepost__Tag, t);
		m->publication->tags[i] = t;
	}
	return m;
}

Test(envelope_channels, a_publication_has_an_offset_and_an_epoch_or_neither)
{
	deliver("", 0);
	ACCEPTED();
	deliver("e1", 1);
	ACCEPTED();
	deliver("e1", 0);
	REFUSED();
	deliver("", 1);
	REFUSED();
	deliver("e1", (uint64_t)INT64_MAX + 1);
	REFUSED();
	deliver("e1", 1)->channel = bytes(0);
	REFUSED();
	deliver("e1", 1)->publication = NULL;
	REFUSED();
	deliver_tags(ENVELOPE_TAGS);
	ACCEPTED();
	deliver_tags(ENVELOPE_TAGS + 1);
	REFUSED();
}

Test(envelope_channels, a_gap_has_a_channel_and_a_position)
{
	Gatepost__Gap *m = ADD(GAP, gap);

	m->channel = text("c");
	m->position = position("e1", 0);
	ACCEPTED();
	m = ADD(GAP, gap);
	m->channel = text("c");
	REFUSED();
}

static Gatepost__Fill *fill(uint64_t from, uint64_t first, size_t n, uint64_t top)
{
	Gatepost__Fill *m = ADD(FILL, fill);

	m->channel = text("c");
	m->from = position("e1", from);
	m->top = position("e1", top);
	m->n_publications = n;
	m->publications = run(first, n);
	return m;
}

Test(envelope_channels, a_fill_follows_the_position_that_was_asked_about)
{
	fill(3, 4, 0, 3);
	ACCEPTED();
	fill(3, 4, 2, 9);
	ACCEPTED();
	fill(3, 5, 2, 9);
	REFUSED();
	fill(3, 4, 2, 4);
	REFUSED();
	fill(3, 4, 2, 9)->top = position("e2", 9);
	REFUSED();
	fill(3, 9, 1, 9)->lost = true;
	ACCEPTED();
	fill(3, 4, 2, 9)->from = NULL;
	REFUSED();
}

Test(envelope_channels, presence_names_at_most_1024_members_each_way)
{
	Gatepost__Presence *m = ADD(PRESENCE, presence);

	m->channel = text("c");
	ACCEPTED();
	m = ADD(PRESENCE, presence);
	m->channel = text("c");
	m->n_joined = ENVELOPE_NAMES + 1;
	m->joined = proto_arena_alloc(&b.arena, m->n_joined * sizeof *m->joined);
	REFUSED();
}

Test(envelope_channels, an_event_names_the_channels_that_it_leaves)
{
	Gatepost__Event *e = ADD(EVENT, event);

	e->id = bytes(ID_BYTES);
	e->kind = GATEPOST__EVENT__KIND__UNSUBSCRIBED;
	e->body = text("room:1");
	ACCEPTED();
	e = ADD(EVENT, event);
	e->id = bytes(ID_BYTES);
	e->kind = GATEPOST__EVENT__KIND__UNSUBSCRIBED;
	REFUSED();
	e = ADD(EVENT, event);
	e->id = bytes(ID_BYTES);
	e->kind = GATEPOST__EVENT__KIND__DISCONNECT;
	e->n_channels = 1;
	e->channels = proto_arena_alloc(&b.arena, sizeof *e->channels);
	REFUSED();
}
