#include "edge/client/subscribers.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(subscribers, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static void receive(Gatepost__Item__BodyCase what, void *m)
{
	Gatepost__Item i = GATEPOST__ITEM__INIT;

	i.body_case = what;
	i.hello = m;
	channels_link_callbacks.item(fixture.channels, LINK, &i);
}

/* The broker has confirmed all interest. */
static void confirm(void)
{
	Gatepost__Confirmation m = GATEPOST__CONFIRMATION__INIT;

	fake_loop_turn(fixture.loop);
	m.serial = fixture.interest;
	receive(GATEPOST__ITEM__BODY_CONFIRMATION, &m);
}

static void deliver(const char *channel, struct blob *body, uint64_t ticket)
{
	Gatepost__Deliver m = GATEPOST__DELIVER__INIT;
	Gatepost__Publication p = GATEPOST__PUBLICATION__INIT;

	m.channel = data(channel);
	m.publication = &p;
	m.ticket = ticket;
	p.body = (ProtobufCBinaryData){body->n, body->p};
	receive(GATEPOST__ITEM__BODY_DELIVER, &m);
	blob_unref(body);
}

static void deliver_text(const char *channel, const char *body, uint64_t ticket)
{
	deliver(channel, blob_new(span_str(body)), ticket);
}

static Gatepost__Subscription subscription(const char *channel)
{
	Gatepost__Subscription s = GATEPOST__SUBSCRIPTION__INIT;

	s.channel = data(channel);
	return s;
}

/* The outcome of the command; 0: it was not given. */
static int subscribe(const struct client *k, Gatepost__Subscription *s)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	size_t before = fixture.outcomes;

	m.kind = GATEPOST__COMMAND__KIND__SUBSCRIBE;
	m.ticket = 5;
	m.subscription = s;
	client_command(k, &m);
	confirm();
	return fixture.outcomes > before ? (int)fixture.outcome : 0;
}

static Gatepost__Action activation(Gatepost__Activate *room, const char *channel)
{
	Gatepost__Action m = GATEPOST__ACTION__INIT;

	gatepost__activate__init(room);
	room->channel = data(channel);
	m.body_case = GATEPOST__ACTION__BODY_ACTIVATE;
	m.activate = room;
	return m;
}

/* As the management API does. */
static void apply(const struct client *k, Gatepost__Action *first,
		  Gatepost__Action *second)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	Gatepost__Action *list[] = {first, second};

	m.kind = GATEPOST__COMMAND__KIND__APPLY;
	m.actions = list;
	m.n_actions = second != NULL ? 2 : 1;
	client_command(k, &m);
}

static void make_live(const struct client *k, Gatepost__Subscription *s)
{
	Gatepost__Activate room;
	Gatepost__Action action;

	cr_assert(eq(int, subscribe(k, s), GATEPOST__OUTCOME__RESULT__OK));
	action = activation(&room, (const char *)s->channel.data);
	apply(k, &action, NULL);
	cr_assert(eq(int, fixture.outcome, GATEPOST__OUTCOME__RESULT__OK));
}

static struct client *open_live(Gatepost__Subscription *s)
{
	struct client *k = client_open();

	make_live(k, s);
	return k;
}

/* ---- commands and actions ---- */

Test(subscribers, get_what_is_published_to_their_channel)
{
	Gatepost__Subscription x = subscription("x"), y = subscription("y");
	struct client *k = open_live(&x), *other = open_live(&y);

	deliver_text("x", "hi", 7);
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x81\x02hi"));
	cr_assert(eq(str, (char *)client_read(other, NULL), ""));
	cr_assert(eq(u32, fixture.reached, 1));
}

Test(subscribers, are_activated_in_the_order_of_the_actions)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = client_open();
	Gatepost__Activate room;
	Gatepost__Action actions[] = {action_text("ack"), activation(&room, "x"),
				      action_text("end")};

	subscribe(k, &x);
	deliver_text("x", "kept", 0);
	client_send_frame(k, 0x81, "s", 1);
	client_answer_actions(k, actions, 3);
	cr_assert(eq(str, (char *)client_read(k, NULL),
		     "\x81\x03"
		     "ack\x81\x04kept\x81\x03"
		     "end"));
}

Test(subscribers, of_a_connect_are_pending_before_the_101_and_get_what_was_kept_behind_it)
{
	Gatepost__Subscription x = subscription("x");
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	struct client *k = client_new();
	Gatepost__Activate room;
	Gatepost__Action actions[] = {action_response(&r), action_text("ack"),
				      activation(&room, "x")};

	r.status = 200;
	client_send_text(k, UPGRADE);
	cr_assert(eq(int, subscribe(k, &x), GATEPOST__OUTCOME__RESULT__OK));
	deliver_text("x", "kept", 0);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	client_answer_actions(k, actions, 3);
	cr_assert(strstr(client_read(k, NULL), "\r\n\r\n\x81\x03"
					       "ack\x81\x04kept") != NULL);
}

Test(subscribers, that_are_no_websocket_are_gone)
{
	Gatepost__Subscription x = subscription("x");
	struct client *plain = client_new(), *closing = client_open();
	struct client nobody = {.fd = -1, .id = id_make(NUMBER, 40, 1)};
	Gatepost__Action text = action_text("t");

	client_send_text(plain, GET);
	cr_assert(eq(int, subscribe(plain, &x), GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(int, subscribe(&nobody, &x), GATEPOST__OUTCOME__RESULT__GONE));
	apply(plain, &text, NULL);
	cr_assert(eq(int, fixture.outcome, GATEPOST__OUTCOME__RESULT__GONE));
	client_send_frame(closing, 0x88, "\x03\xe8", 2);
	cr_assert(eq(int, subscribe(closing, &x), GATEPOST__OUTCOME__RESULT__GONE));
}

Test(subscribers, that_a_command_unsubscribes_are_told_why)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = open_live(&x);
	Gatepost__Command m = GATEPOST__COMMAND__INIT;

	m.kind = GATEPOST__COMMAND__KIND__UNSUBSCRIBE;
	m.channel = data("x");
	client_command(k, &m);
	cr_assert(fixture.subscribed);
	cr_assert(eq(str, (char *)client_read(k, NULL) + 2,
		     "{\"type\":\"unsubscribed\",\"channel\":\"x\",\"reason\":"
		     "\"server\"}"));
	client_command(k, &m);
	cr_assert(eq(int, fixture.outcome, GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(not(fixture.subscribed));
	make_live(k, &x);
	m.reason = data("forbidden");
	client_command(k, &m);
	cr_assert(strstr(client_read(k, NULL), "\"reason\":\"forbidden\"") != NULL);
}

Test(subscribers, that_unsubscribe_get_nothing_more)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = open_live(&x);
	Gatepost__Unsubscribe u = GATEPOST__UNSUBSCRIBE__INIT;
	Gatepost__Action text = action_text("ack"), action = GATEPOST__ACTION__INIT;

	u.channel = data("x");
	action.body_case = GATEPOST__ACTION__BODY_UNSUBSCRIBE;
	action.unsubscribe = &u;
	apply(k, &text, &action);
	deliver_text("x", "late", 0);
	cr_assert(eq(str, (char *)client_read(k, NULL),
		     "\x81\x03"
		     "ack"));
}

Test(subscribers, are_known_with_a_channel_when_they_take_part_in_its_presence)
{
	Gatepost__Subscription x = subscription("x"), y = subscription("y");
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	struct client *k, *other = client_open();
	uint8_t ids[2 * ID_BYTES];

	x.member = data("{}");
	k = open_live(&x);
	make_live(k, &y);
	make_live(other, &y);
	memcpy(ids, client_connection(k)->lane.id.b, ID_BYTES);
	memcpy(ids + ID_BYTES, client_connection(other)->lane.id.b, ID_BYTES);
	m.kind = GATEPOST__COMMAND__KIND__KNOW;
	m.ids = (ProtobufCBinaryData){sizeof ids, ids};
	client_command(k, &m);
	cr_assert(eq(int, memcmp(fixture.results, "\1\1", 2), 0));
	m.channel = data("x");
	client_command(k, &m);
	cr_assert(eq(int, memcmp(fixture.results, "\1\2", 2), 0));
	m.channel = data("y");
	client_command(k, &m);
	cr_assert(eq(int, memcmp(fixture.results, "\2\2", 2), 0));
}

/* ---- the end ---- */

Test(subscribers, that_take_part_in_presence_name_their_channels_when_they_disconnect)
{
	Gatepost__Subscription x = subscription("x"), y = subscription("y");
	struct client *k;
	const struct lane_event *e;

	x.member = data("{}");
	k = open_live(&x);
	make_live(k, &y);
	client_send_frame(k, 0x88, "\x03\xe8", 2);
	e = client_last_event(k);
	cr_assert(eq(int, e->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(sz, e->request->n, 2));
	cr_assert(eq(int, memcmp(e->request->p, "\1x", 2), 0));
	deliver_text("x", "late", 9);
	cr_assert(eq(u32, fixture.reached, 0));
}

Test(subscribers, of_a_client_that_left_before_its_connect_was_accepted_are_named_too)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = client_new();

	x.member = data("{}");
	client_send_text(k, UPGRADE);
	subscribe(k, &x);
	client_close(k);
	client_answer_status(k, 200);
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(sz, client_event(k)->request->n, 2));
}

Test(subscribers, whose_token_expires_have_an_event_when_they_take_part_in_presence)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = client_open();

	x.member = data("{}");
	x.expires_ms = loop_now(fixture.loop) + 1000;
	make_live(k, &x);
	fixture_pass(3000);
	cr_assert(strstr(client_read(k, NULL), "\"reason\":\"expired\"") != NULL);
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__UNSUBSCRIBED));
	cr_assert(span_is(blob_span(client_event(k)->body), "x"));
	client_answer(k, NULL);
}

/* ---- slow ones ---- */

enum { LARGE = 50 * 1000 };

static void deliver_large(uint64_t ticket)
{
	struct blob *b = blob_alloc(LARGE);

	memset(b->p, 'm', LARGE);
	deliver("x", b, ticket);
}

/* Its outbox and the socket's own buffer are full. */
static void fill_up(void)
{
	for (int i = 0; i < 100; i++) {
		deliver_large(9);
		if (fixture.reached == 0)
			return;
	}
	cr_assert(false, "the socket takes everything");
}

static size_t read_all(struct client *k)
{
	size_t all = 0, n;

	do {
		client_read(k, &n);
		all += n;
	} while (n > 0);
	return all;
}

Test(subscribers, that_do_not_read_are_closed_with_4408)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = open_live(&x), *healthy = open_live(&x);

	for (int i = 0; i < 100 && client_event(k) == NULL; i++) {
		deliver_large(0);
		read_all(healthy);
	}
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(u16, client_event(k)->code, 4408));
	cr_assert(client_event(healthy) == NULL);
	cr_assert(eq(i64,
		     fixture_metric("gatepost_edge_channel_slow_total",
				    "policy=\"disconnect\""),
		     1));
}

Test(subscribers, that_read_get_a_burst_that_is_larger_than_their_outbox)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k = open_live(&x);

	for (int i = 0; i < 10; i++)
		deliver_large(0); /* within one turn */
	cr_assert(eq(sz, read_all(k), 10 * (LARGE + 4)));
	cr_assert(client_event(k) == NULL);
}

Test(subscribers, that_read_again_get_the_latest_when_that_is_their_policy)
{
	Gatepost__Subscription x = subscription("x");
	struct client *k;
	size_t n;

	x.slow = GATEPOST__SUBSCRIPTION__SLOW__LATEST;
	k = open_live(&x);
	fill_up();
	deliver_text("x", "older", 0);
	deliver_text("x", "newest", 0);
	read_all(k);
	deliver_text("x", "after", 0);
	cr_assert(eq(str, (char *)client_read(k, &n),
		     "\x81\x05"
		     "after"));
	cr_assert(eq(
		i64,
		fixture_metric("gatepost_edge_channel_slow_total", "policy=\"latest\""),
		2));
	cr_assert(eq(
		i64,
		fixture_metric("gatepost_edge_channel_resets_total", "reason=\"slow\""),
		1));
}

static void end_in_a_burst(struct client *k, uint32_t want)
{
	client_close(k);
	for (int i = 0; i < 20 && client_event(k) == NULL; i++)
		deliver_large(9);
	cr_assert(eq(u32, fixture.reached, want));
}

Test(subscribers, that_have_gone_are_noticed_in_the_middle_of_a_burst)
{
	Gatepost__Subscription x = subscription("x"), y = subscription("y");
	struct client *k = open_live(&x), *other = open_live(&y);

	make_live(k, &y);
	end_in_a_burst(k, 0);
	deliver_text("y", "hi", 0);
	cr_assert(eq(str, (char *)client_read(other, NULL), "\x81\x02hi"));
}
