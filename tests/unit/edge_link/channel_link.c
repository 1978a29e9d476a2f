#include "edge/link/channel_link.h"

#include "edge/link/outcome.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

/* What edge/channels would get, a word for each call. */
static char calls[1024];
static int64_t settled;

static void note(const char *what, uint64_t link)
{
	size_t n = strlen(calls);

	snprintf(calls + n, sizeof calls - n, "%s%llu ", what, (unsigned long long)link);
}

static void on_linked(void *arg, uint64_t link, int64_t settled_ms)
{
	cr_assert(arg == calls);
	note("up", link);
	settled = settled_ms - loop_now(edge.loop);
}

static void on_unlinked(void *arg, uint64_t link)
{
	(void)arg;
	note("down", link);
}

static void on_item(void *arg, uint64_t link, const Gatepost__Item *i)
{
	static const char *const names[] = {
		[GATEPOST__ITEM__BODY_CONFIRMATION] = "confirmation",
		[GATEPOST__ITEM__BODY_DELIVER] = "deliver",
		[GATEPOST__ITEM__BODY_FILL] = "fill",
		[GATEPOST__ITEM__BODY_PRESENCE] = "presence",
	};

	(void)arg;
	note(names[i->body_case], link);
}

static void start(void)
{
	static const struct channel_link_callbacks on = {on_linked, on_unlinked, on_item};

	calls[0] = '\0';
	links_start();
	channel_link_use(edge.uplink, &on, calls);
}

TestSuite(channel_link, .init = start, .fini = links_stop);

static void called(const char *want)
{
	cr_assert(eq(str, calls, (char *)want));
	calls[0] = '\0';
}

static ProtobufCBinaryData data(const char *text)
{
	return batch_copy(links_letter(), span_str(text));
}

static Gatepost__Position *position(const char *epoch, uint64_t offset)
{
	Gatepost__Position *p = proto_arena_alloc(&links_letter()->arena, sizeof *p);

	gatepost__position__init(p);
	p->epoch = data(epoch);
	p->offset = offset;
	return p;
}

static void add_deliver(const char *body)
{
	Gatepost__Deliver *m = LINKS_ITEM(DELIVER, deliver);

	m->channel = data("x");
	m->publication =
		proto_arena_alloc(&links_letter()->arena, sizeof *m->publication);
	gatepost__publication__init(m->publication);
	m->publication->body = data(body);
}

static void add_fill(void)
{
	Gatepost__Fill *m = LINKS_ITEM(FILL, fill);

	m->channel = data("x");
	m->from = position("e", 1);
	m->top = position("e", 1);
}

static void name_brokers(const char *a, const char *b)
{
	broker_links_named(edge.uplink, a);
	broker_links_named(edge.uplink, b);
	links_run(RETRY_MS, "");
}

static void add_store(bool away)
{
	Gatepost__Store *m = LINKS_ITEM(STORE, store);

	m->away = away;
}

Test(channel_link, has_a_serial_that_no_later_link_gets)
{
	links_up(B1, 1);
	called("up1 ");
	cr_assert(eq(i64, settled, 2000),
		  "two beats of a broker that does not tell them");
	fake_zsock_transport(B1, false);
	called("down1 ");
	links_run(RETRY_MS + 100, "");
	links_greet(B1);
	links_add_welcome(1)->beat_ms = 50;
	links_post(B1);
	called("up2 ");
	cr_assert(eq(i64, settled, 100));
}

Test(channel_link, that_was_never_up_does_not_end)
{
	links_greet(B1);
	fake_zsock_transport(B1, false);
	called("");
}

Test(channel_link, passes_on_the_items_of_channels)
{
	links_up(B1, 1);
	called("up1 ");
	LINKS_ITEM(CONFIRMATION, confirmation);
	add_deliver("hello");
	add_fill();
	((Gatepost__Presence *)LINKS_ITEM(PRESENCE, presence))->channel = data("x");
	links_post(B1);
	called("confirmation1 deliver1 fill1 presence1 ");
}

Test(channel_link, items_before_the_welcome_are_dropped)
{
	links_greet(B1);
	add_deliver("hello");
	links_post(B1);
	called("");
	links_turn();
	cr_assert(eq(u64, edge.uplink->links->link.taken_items, 0));
}

Test(channel_link, a_deliver_counts_as_taken_as_a_command_does)
{
	links_up(B1, 1);
	add_deliver("hello");
	add_deliver("you");
	add_fill();
	links_post(B1);
	links_run(HEARTBEAT_MS, B1);
	cr_assert(eq(u64, fake_zsock_last(B1)->taken_items, 2));
	cr_assert(eq(u64, fake_zsock_last(B1)->taken_bytes, 8));
}

Test(channel_link, sends_copies_of_interest_gap_and_outcome)
{
	char name[] = "x", epoch[] = "e";
	Gatepost__Position p = GATEPOST__POSITION__INIT;
	Gatepost__Interest__Channel c = GATEPOST__INTEREST__CHANNEL__INIT, *list[] = {&c};
	Gatepost__Interest interest = GATEPOST__INTEREST__INIT;
	Gatepost__Gap gap = GATEPOST__GAP__INIT;
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	const Gatepost__Item *i;

	p.epoch = (ProtobufCBinaryData){1, (uint8_t *)epoch};
	p.offset = 7;
	c.name = gap.channel = (ProtobufCBinaryData){1, (uint8_t *)name};
	c.position = gap.position = o.position = &p;
	c.ends = true;
	interest.serial = 3;
	interest.all = true;
	interest.channels = list;
	interest.n_channels = 1;
	o.ticket = 5;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.subscribed = true;
	o.reached = 9;
	links_up(B1, 1);
	channel_link_interest(edge.uplink, 1, &interest);
	channel_link_gap(edge.uplink, 1, &gap);
	channel_link_outcome(edge.uplink, 1, &o);
	name[0] = epoch[0] = '?';
	links_turn();
	i = links_read(B1);
	cr_assert(eq(u64, i->interest->serial, 3));
	cr_assert(i->interest->all);
	cr_assert(i->interest->channels[0]->ends);
	cr_assert(span_is(span_from(i->interest->channels[0]->name), "x"));
	cr_assert(eq(u64, i->interest->channels[0]->position->offset, 7));
	i = links_read(B1);
	cr_assert(span_is(span_from(i->gap->channel), "x"));
	cr_assert(span_is(span_from(i->gap->position->epoch), "e"));
	i = links_read(B1);
	cr_assert(eq(u64, i->outcome->ticket, 5));
	cr_assert(i->outcome->subscribed);
	cr_assert(eq(u32, i->outcome->reached, 9));
	cr_assert(span_is(span_from(i->outcome->position->epoch), "e"));
}

Test(channel_link, what_is_sent_on_one_that_has_ended_is_dropped)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	links_up(B1, 1);
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	o.ticket = 5;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	channel_link_outcome(edge.uplink, 1, &o);
	links_turn();
	cr_assert(links_read(B1) == NULL);
	channel_link_outcome(edge.uplink, 2, &o);
	links_turn();
	cr_assert(eq(u64, links_read(B1)->outcome->ticket, 5));
}

Test(channel_link, for_gaps_are_picked_in_turn)
{
	name_brokers(B2, B3);
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 0), "none is up");
	links_up(B1, 1);
	links_up(B2, 2);
	links_up(B3, 3);
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 1));
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 2));
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 3), 1), "another one");
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 2));
}

Test(channel_link, for_gaps_is_one_whose_broker_has_the_store_if_there_is_one)
{
	name_brokers(B2, B3);
	links_up(B1, 1);
	links_up(B2, 2);
	add_store(true);
	links_post(B1);
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 2));
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 2), 2), "rather the same again");
	add_store(true);
	links_post(B2);
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 2), 1));
	cr_assert(eq(u64, channel_link_pick(edge.uplink, 0), 2));
}

static void add_members(const char *a, uint64_t boot_a, const char *b, uint64_t boot_b)
{
	Gatepost__Members *m = LINKS_ITEM(MEMBERS, members);

	m->members = proto_arena_alloc(&links_letter()->arena, 2 * sizeof *m->members);
	for (; m->n_members < 2; m->n_members++) {
		Gatepost__Members__Member *one =
			proto_arena_alloc(&links_letter()->arena, sizeof *one);

		gatepost__members__member__init(one);
		one->name = (char *)(uintptr_t) "broker";
		one->boot = m->n_members == 0 ? boot_a : boot_b;
		one->endpoint = (char *)(uintptr_t)(m->n_members == 0 ? a : b);
		m->members[m->n_members] = one;
	}
}

Test(channel_link, all_are_there_when_each_member_is_linked_by_whatever_endpoint)
{
	links_up(B1, 1);
	cr_assert(channel_link_is_complete(edge.uplink));
	add_members(B1, 1, B2, 2);
	links_post(B1);
	cr_assert(not(channel_link_is_complete(edge.uplink)));
	links_run(RETRY_MS, B1);
	links_up(B2, 2);
	cr_assert(channel_link_is_complete(edge.uplink));
	add_members(B3, 1, B2, 2);
	links_post(B1);
	cr_assert(channel_link_is_complete(edge.uplink), "B3 is another name of B1");
	add_members(B1, 1, B2, 3);
	links_post(B1);
	cr_assert(not(channel_link_is_complete(edge.uplink)), "another process there");
	add_members(B1, 1, "udp://nowhere", 2);
	links_post(B1);
	cr_assert(not(channel_link_is_complete(edge.uplink)));
}

/* ---- events and rows ---- */

static struct blob *names(void)
{
	return blob_new(span_str("\1x\3yyy"));
}

Test(channel_link, a_disconnect_names_the_channels_in_whose_presence_the_connection_was)
{
	struct lane *l;
	const Gatepost__Event *e;

	links_up(B1, 1);
	l = links_lane();
	links_connect(l);
	links_read_event(B1);
	links_answer(B1, l, 0);
	edge.held += uplink_disconnect(edge.uplink, l, 1001, span_str("bye"), names());
	links_turn();
	e = links_read_event(B1);
	cr_assert(eq(sz, e->n_channels, 2));
	cr_assert(span_is(span_from(e->channels[0]), "x"));
	cr_assert(span_is(span_from(e->channels[1]), "yyy"));
	cr_assert(span_is(span_from(e->reason), "bye"));
	cr_assert(eq(sz, e->request.len, 0));
	links_answer(B1, l, 1);
	cr_assert(eq(i64, edge.held, 0));
}

Test(channel_link, a_subscription_that_has_ended_by_itself_is_an_event)
{
	struct lane *l;
	const Gatepost__Event *e;

	links_up(B1, 1);
	l = links_lane();
	links_connect(l);
	links_read_event(B1);
	links_answer(B1, l, 0);
	edge.held += uplink_unsubscribed(edge.uplink, l, span_str("x"));
	links_turn();
	e = links_read_event(B1);
	cr_assert(eq(int, e->kind, GATEPOST__EVENT__KIND__UNSUBSCRIBED));
	cr_assert(span_is(span_from(e->body), "x"));
	links_answer(B1, l, 1);
	cr_assert(l->first == NULL);
	cr_assert(eq(i64, edge.held, 0));
}

Test(channel_link, rows_of_a_roster_have_the_memberships)
{
	Gatepost__Resync *m;
	const Gatepost__Roster *roster;

	links_up(B1, 1);
	links_lane()->is_open = true;
	links_lane()->is_open = true;
	edge.n_memberships = 9;
	m = LINKS_ITEM(RESYNC, resync);
	m->ticket = 5;
	links_post(B1);
	links_turn();
	roster = links_read(B1)->roster;
	cr_assert(eq(sz, roster->n_rows, 2));
	for (size_t i = 0; i < 2; i++) {
		cr_assert(eq(sz, roster->rows[i]->n_memberships, 9));
		cr_assert(span_is(span_from(roster->rows[i]->memberships[8]->channel),
				  "room:1"));
		cr_assert(span_is(span_from(roster->rows[i]->memberships[8]->member),
				  "{}"));
	}
}
