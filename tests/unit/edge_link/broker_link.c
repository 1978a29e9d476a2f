#include "fixture.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(broker_link, .init = links_start, .fini = links_stop);

/* Without links_start, for those who need other seeds. */
TestSuite(broker_link_seeds, .fini = links_stop);

static const struct broker_link *link_of(const char *broker)
{
	const struct broker_link *b = edge.uplink->links;

	while (b != NULL && strcmp(b->endpoint, broker) != 0)
		b = b->next;
	return b;
}

static bool is_up(const char *broker)
{
	const struct broker_link *b = link_of(broker);

	return b != NULL && b->z != NULL && b->link.state == LINK_UP;
}

/* There is no link now: its socket is freed at the end of the turn. */
static bool is_closed(const char *broker)
{
	links_turn();
	return link_of(broker)->z == NULL && !fake_zsock_exists(broker);
}

/* ---- the link comes up ---- */

Test(broker_link, a_hello_has_the_name_boot_and_credit_of_this_edge)
{
	const Gatepost__Hello *h;

	cr_assert(fake_zsock_exists(B1));
	links_turn();
	cr_assert(eq(sz, fake_zsock_sent(B1), 0)); /* no transport yet */
	fake_zsock_transport(B1, true);
	links_turn();
	h = links_read(B1)->hello;
	cr_assert(eq(str, h->name, "edge-0"));
	cr_assert(eq(u64, h->boot, EDGE_BOOT));
	cr_assert(eq(u32, h->number, 0));
	cr_assert(eq(u64, h->credit_items, 50));
	cr_assert(eq(u64, h->credit_bytes, 5000));
	fake_zsock_transport(B1, true); /* once more says nothing new */
	links_turn();
	cr_assert(links_read(B1) == NULL);
}

Test(broker_link, the_first_welcome_gives_the_edge_its_number)
{
	cr_assert(eq(u16, uplink_number(edge.uplink), 0));
	links_up(B1, 1);
	cr_assert(eq(u16, uplink_number(edge.uplink), NUMBER));
	cr_assert(eq(sz, edge.fenced, 0));
	cr_assert(is_up(B1));
}

Test(broker_link, after_the_number_was_given_each_hello_has_it)
{
	links_up(B1, 1);
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	fake_zsock_transport(B1, true);
	links_turn();
	cr_assert(eq(u32, links_read(B1)->hello->number, NUMBER));
}

Test(broker_link, a_second_welcome_changes_nothing)
{
	Gatepost__Welcome *w;

	links_up(B1, 1);
	w = links_add_welcome(99);
	w->number = NUMBER + 1;
	w->credit_events = 1;
	links_post(B1);
	cr_assert(eq(u16, uplink_number(edge.uplink), NUMBER));
	cr_assert(eq(sz, edge.fenced, 0));
	cr_assert(eq(u64, link_of(B1)->boot, 1));
	cr_assert(eq(u64, link_of(B1)->link.ahead.items, CREDIT_EVENTS));
}

/* Before the Welcome nothing that a broker sends counts: not even in the message that has it. */
Test(broker_link, what_comes_before_the_welcome_is_dropped)
{
	struct lane *l = links_lane();
	Gatepost__Command *m;

	l->is_open = true;
	links_greet(B1);
	links_add_answer(l, 0);
	m = LINKS_ITEM(COMMAND, command);
	m->kind = GATEPOST__COMMAND__KIND__LOOK;
	m->id = batch_copy(links_letter(), id_span(&l->id));
	LINKS_ITEM(RESYNC, resync);
	LINKS_ITEM(STORE, store);
	LINKS_ITEM(LEAVING, leaving);
	links_add_welcome(1);
	links_post(B1);
	links_turn();
	cr_assert(is_up(B1));
	cr_assert(eq(sz, edge.commands + edge.answers, 0));
	cr_assert(links_read(B1) == NULL);
	cr_assert(eq(i64, links_metric("gatepost_edge_stale_answers_total"), 0));
	cr_assert(uplink_missing(edge.uplink) == NULL);
}

Test(broker_link, a_broker_that_cannot_be_connected_to_is_tried_again_each_retry)
{
	size_t made;

	links_up(B1, 1);
	fake_zsock_connect_fails(B1, ERR_MALFORMED);
	fake_zsock_transport(B1, false);
	made = fake_zsock_made(B1);
	links_run(10 * RETRY_MS, "");
	cr_assert(ge(sz, fake_zsock_made(B1) - made, 8));
	cr_assert(le(sz, fake_zsock_made(B1) - made, 11));
	fake_zsock_connect_fails(B1, OK);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	cr_assert(is_up(B1));
}

/* ---- the link ends ---- */

static void refuse(const char *reason)
{
	Gatepost__Refusal *r = LINKS_ITEM(REFUSAL, refusal);

	r->version = LINK_VERSION;
	r->reason = (char *)(uintptr_t)reason;
	links_post(B1);
}

Test(broker_link, a_refused_hello_ends_the_link_until_the_next_retry)
{
	size_t made;

	links_greet(B1);
	made = fake_zsock_made(B1);
	refuse("no number is free");
	cr_assert(is_closed(B1));
	links_run(RETRY_MS - 100, "");
	cr_assert(eq(sz, fake_zsock_made(B1), made));
	links_run(200, "");
	cr_assert(eq(sz, fake_zsock_made(B1), made + 1));
}

Test(broker_link, a_broker_of_another_version_is_not_linked_to)
{
	links_greet(B1);
	links_add_welcome(1);
	links_post_version(B1, LINK_VERSION + 1);
	cr_assert(is_closed(B1));
	cr_assert(eq(u16, uplink_number(edge.uplink), 0));
}

Test(broker_link, what_is_no_envelope_ends_the_link)
{
	links_up(B1, 1);
	links_post_bytes(B1, span_str("\xff\xff\xff"));
	cr_assert(is_closed(B1));
}

Test(broker_link, what_only_an_edge_sends_ends_the_link)
{
	for (int i = 0; i < 4; i++) {
		links_up(B1, 1);
		if (i == 0)
			((Gatepost__Hello *)LINKS_ITEM(HELLO, hello))->boot = 1;
		if (i == 1)
			LINKS_ITEM(ROSTER, roster);
		if (i == 2) {
			Gatepost__Event *e = LINKS_ITEM(EVENT, event);

			e->id = batch_copy(links_letter(), id_span(&links_lane()->id));
			e->kind = GATEPOST__EVENT__KIND__HTTP;
		}
		if (i == 3)
			((Gatepost__Outcome *)LINKS_ITEM(OUTCOME, outcome))->result =
				GATEPOST__OUTCOME__RESULT__OK;
		links_post(B1);
		cr_assert(is_closed(B1), "%d", i);
		links_run(RETRY_MS + 100, "");
	}
}

Test(broker_link, what_follows_an_item_that_ends_the_link_is_dropped)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	LINKS_ITEM(ROSTER, roster);
	links_add_answer(l, 0);
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 0));
	cr_assert(eq(u32, l->n, 1));
}

Test(broker_link, what_comes_through_a_closed_link_in_the_same_turn_is_dropped)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	fake_zsock_transport(B1, false);
	links_add_answer(l, 0);
	links_post(B1);
	fake_zsock_transport(B1, false);
	fake_zsock_transport(B1, true);
	cr_assert(eq(sz, edge.answers, 0));
	cr_assert(is_closed(B1));
}

Test(broker_link, a_silent_broker_is_given_up_and_heartbeats_keep_it)
{
	links_up(B1, 1);
	links_run(3 * SILENCE_MS, B1);
	cr_assert(is_up(B1));
	links_run(SILENCE_MS - HEARTBEAT_MS - 100,
		  ""); /* its last one was a second ago */
	cr_assert(is_up(B1));
	links_run(300, "");
	cr_assert(not(is_up(B1)));
}

Test(broker_link, a_broker_that_never_answers_the_hello_is_given_up)
{
	links_greet(B1);
	links_run(SILENCE_MS + 200, "");
	cr_assert(not(is_up(B1)));
	cr_assert(eq(sz, fake_zsock_made(B1), 2));
}

Test(broker_link, this_edge_sends_heartbeats)
{
	size_t before;

	links_up(B1, 1);
	before = fake_zsock_sent(B1);
	links_run(10 * HEARTBEAT_MS, B1);
	cr_assert(ge(sz, fake_zsock_sent(B1) - before, 9));
}

/* ---- what was under way ---- */

Test(broker_link_seeds,
     when_a_link_ends_its_lanes_go_to_the_next_broker_with_all_that_is_unanswered)
{
	const Gatepost__Event *e;
	struct lane *l, *other;
	uint32_t term;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	links_up(B2, 2);
	l = links_lane_at(B1);
	other = links_lane_at(B2);
	links_message(l, "a");
	links_message(l, "b");
	links_message(other, "c");
	links_answer(B1, l, 0);
	cr_assert(eq(str, (char *)links_read_seqs(B2), "0"));
	term = l->term;
	fake_zsock_transport(B1, false);
	links_turn();
	cr_assert(eq(str, (char *)links_owner(l), B2));
	e = links_read_event(B2);
	cr_assert(eq(u64, e->seq, 1));
	cr_assert(eq(u32, e->term, term + 1));
	cr_assert(eq(u32, e->again, EVENT_AGAIN));
	cr_assert(links_read(B2) == NULL); /* the other's is not sent again */
	cr_assert(eq(u32, other->term, 1));
	cr_assert(eq(i64, links_metric("gatepost_edge_events_resent_total"), 1));
}

/* Whatever step the link was at, an event that waits is answered by the broker that comes. */
Test(broker_link, the_end_of_a_link_at_each_step_loses_no_event)
{
	for (int step = 0; step < 5; step++) {
		struct lane *l = links_lane();

		if (step >= 1)
			links_greet(B1);
		if (step >= 2) {
			links_add_welcome(1);
			links_post(B1);
		}
		links_message(l, "x");
		if (step >= 3)
			LINKS_ITEM(LEAVING, leaving), links_post(B1);
		if (step >= 4)
			links_add_answer(l, 5), links_post(B1);
		if (step == 2)
			cr_assert(eq(u32, lane_under_way(l), 1));
		fake_zsock_transport(B1, false);
		links_run(RETRY_MS + 100, "");
		while (links_read(B1) != NULL)
			;
		links_up(B1, 1);
		cr_assert(eq(u32, lane_under_way(l), 1), "step %d", step);
		links_answer(B1, l, 0);
		cr_assert(eq(u32, l->n, 0), "step %d", step);
		fake_zsock_transport(B1, false);
		links_run(RETRY_MS + 100, "");
		while (links_read(B1) != NULL)
			;
	}
	cr_assert(eq(sz, edge.answers, 5));
}

Test(broker_link, the_credit_of_a_new_link_is_whole)
{
	const struct window *w;
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	w = &link_of(B1)->link.ahead;
	cr_assert(eq(u64, w->used_items, 1)); /* sent again */
	links_answer(B1, l, 0);
	cr_assert(eq(u64, w->used_items, 0));
	cr_assert(eq(u64, w->used_bytes, 0));
}

/* ---- a broker that leaves ---- */

Test(broker_link_seeds, a_broker_that_leaves_gets_no_new_lanes_and_answers_what_it_has)
{
	struct lane *old, *fresh;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	links_up(B2, 2);
	old = links_lane_at(B1);
	links_message(old, "a");
	LINKS_ITEM(LEAVING, leaving);
	links_post(B1);
	for (int i = 0; i < 10; i++) {
		fresh = links_lane();
		links_message(fresh, "x");
		cr_assert(eq(str, (char *)links_owner(fresh), B2));
	}
	links_message(old, "b"); /* while something is under way it stays */
	cr_assert(eq(str, (char *)links_owner(old), B1));
	links_answer(B1, old, 0);
	links_answer(B1, old, 1);
	cr_assert(eq(sz, edge.answers, 2));
	links_message(old, "c");
	cr_assert(eq(str, (char *)links_owner(old), B2));
}

Test(broker_link, when_the_only_broker_leaves_none_is_there)
{
	links_up(B1, 1);
	cr_assert(uplink_missing(edge.uplink) == NULL);
	LINKS_ITEM(LEAVING, leaving);
	links_post(B1);
	cr_assert(uplink_missing(edge.uplink) != NULL);
	cr_assert(is_up(B1));
}

/* ---- which brokers there are ---- */

static void add_member(Gatepost__Members *m, const char *endpoint)
{
	struct batch *b = links_letter();
	Gatepost__Members__Member *one = proto_arena_alloc(&b->arena, sizeof *one);

	if (m->members == NULL)
		m->members = proto_arena_alloc(&b->arena, 256 * sizeof *m->members);
	gatepost__members__member__init(one);
	one->endpoint = (char *)(uintptr_t)endpoint;
	m->members[m->n_members++] = one;
}

Test(broker_link, a_member_that_a_broker_names_is_connected_to)
{
	links_up(B1, 1);
	add_member(LINKS_ITEM(MEMBERS, members), B2);
	links_post(B1);
	links_run(200, B1);
	links_up(B2, 2);
	cr_assert(is_up(B2));
}

Test(broker_link, the_members_of_a_welcome_are_connected_to)
{
	links_greet(B1);
	add_member(links_add_welcome(1)->members, B2);
	links_post(B1);
	links_run(200, B1);
	cr_assert(fake_zsock_exists(B2));
}

Test(broker_link, a_member_of_a_transport_that_no_broker_has_is_ignored)
{
	static const char *const others[] = {
		"inproc://a", "udp://127.0.0.1:7400", "",
		"pgm://x",    "TCP://127.0.0.1:1",    "tcp:/x"};

	links_up(B1, 1);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		add_member(LINKS_ITEM(MEMBERS, members), others[i]);
		links_post(B1);
	}
	links_run(200, B1);
	cr_assert(eq(sz, edge.uplink->n_links, 1));
}

Test(broker_link, no_more_than_200_brokers_are_known)
{
	static char names[250][32];
	Gatepost__Members *m;

	links_up(B1, 1);
	m = LINKS_ITEM(MEMBERS, members);
	for (int i = 0; i < 250; i++) {
		snprintf(names[i], sizeof names[i], "tcp://10.0.0.%d:7400", i);
		add_member(m, names[i]);
	}
	links_post(B1);
	cr_assert(eq(sz, edge.uplink->n_links, 200));
}

Test(broker_link,
     a_broker_that_nobody_names_any_more_is_forgotten_once_its_link_has_ended)
{
	links_up(B1, 1);
	add_member(LINKS_ITEM(MEMBERS, members), B2);
	links_post(B1);
	links_run(200, B1);
	links_up(B2, 2);
	LINKS_ITEM(MEMBERS, members); /* of which B2 is none */
	links_post(B1);
	links_run(70 * 1000, B1 " " B2);
	cr_assert(is_up(B2)); /* a link that works is kept */
	fake_zsock_transport(B2, false);
	links_run(500, B1);
	cr_assert(link_of(B2) == NULL);
	cr_assert(link_of(B1) != NULL);
}

Test(broker_link, a_seed_is_never_forgotten)
{
	links_run(200 * 1000, "");
	cr_assert(link_of(B1) != NULL);
}

Test(broker_link_seeds, a_broker_with_two_names_has_one_link_the_newer)
{
	struct lane *l;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	links_up(B2, 1); /* the same process */
	cr_assert(is_up(B2));
	cr_assert(is_closed(B1));
	cr_assert(eq(str, (char *)links_owner(l), B2));
	links_run(10 * RETRY_MS, B2);
	cr_assert(eq(sz, fake_zsock_made(B1), 1)); /* not tried while that link is up */
	cr_assert(eq(sz, ring_size(edge.uplink->ring), 1));
}

/* ---- another number ---- */

Test(broker_link_seeds, another_number_closes_all_lanes_and_takes_back_all_credit)
{
	Gatepost__Welcome *w;
	struct lane *l;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	links_disconnect(links_lane());
	cr_assert(eq(u64, link_of(B1)->link.ahead.used_items, 2));
	links_greet(B2);
	w = links_add_welcome(2);
	w->number = NUMBER + 1;
	links_post(B2);
	links_turn();
	cr_assert(eq(sz, edge.fenced, 1));
	cr_assert(eq(u16, uplink_number(edge.uplink), NUMBER + 1));
	cr_assert(eq(u64, link_of(B1)->link.ahead.used_items, 0));
	cr_assert(eq(u64, link_of(B1)->link.ahead.used_bytes, 0));
	cr_assert(eq(sz, link_of(B1)->n_disconnecting, 0));
	cr_assert(eq(u32, l->n, 0));
	links_add_answer(l, 0); /* of the old life */
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 0));
}

Test(broker_link, the_same_number_again_closes_nothing)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 2);
	cr_assert(eq(sz, edge.fenced, 0));
	cr_assert(eq(u32, l->n, 1));
}

/* ---- commands ---- */

Test(broker_link, the_credit_of_commands_is_told_in_the_next_message)
{
	static Gatepost__Frame frame = GATEPOST__FRAME__INIT;
	struct lane *l = links_lane();

	links_up(B1, 1);
	frame.body = (ProtobufCBinaryData){5, (uint8_t *)(uintptr_t) "hello"};
	for (int i = 0; i < 3; i++) {
		Gatepost__Command *m = LINKS_ITEM(COMMAND, command);

		m->kind = GATEPOST__COMMAND__KIND__SEND;
		m->id = batch_copy(links_letter(), id_span(&l->id));
		m->frame = &frame;
	}
	links_post(B1);
	links_turn();
	cr_assert(eq(sz, edge.commands, 3));
	cr_assert(eq(u64, fake_zsock_last(B1)->taken_items, 3));
	cr_assert(eq(u64, fake_zsock_last(B1)->taken_bytes, 15));
}

/* ---- what a broker may not send ---- */

static Gatepost__Frame frame = GATEPOST__FRAME__INIT;

static ProtobufCBinaryData bytes(size_t n)
{
	static uint8_t some[64];

	return (ProtobufCBinaryData){n, some};
}

static void bad_answer(int i)
{
	struct lane none = {.id = id_make(NUMBER, 0, 1), .term = 1};
	Gatepost__Answer *a = links_add_actions(&none, 0, "rc");
	Gatepost__Response *response = a->actions[0]->response;
	Gatepost__Close *close = a->actions[1]->close;

	switch (i) {
	case 0: a->id.len = 0; break;
	case 1: a->id = bytes(10); break;
	case 2: a->id = bytes(12); break;
	case 3: response->status = 0; break;
	case 4: response->status = 101; break;
	case 5: response->status = 600; break;
	case 6: response->status = UINT32_MAX; break;
	case 7: a->expires_ms = -1; break;
	case 8: a->expires_ms = ENVELOPE_TIME_MOST + 1; break;
	case 9: a->expires_ms = INT64_MIN; break;
	case 10: close->code = 1; break;
	case 11: close->code = 1005; break;
	case 12: close->code = 65536 + 1000; break;
	case 13: response->status = 403; break; /* and something behind it */
	case 14: a->actions[1]->body_case = GATEPOST__ACTION__BODY__NOT_SET; break;
	case 15: a->actions[1] = a->actions[0]; break; /* twice */
	case 16: a->retry = true; break;
	default: break;
	}
}

static void bad_command(int i)
{
	struct id id = id_make(NUMBER, 0, 1);
	Gatepost__Command *m = LINKS_ITEM(COMMAND, command);

	m->id = batch_copy(links_letter(), id_span(&id));
	m->kind = GATEPOST__COMMAND__KIND__SEND;
	m->frame = &frame;
	switch (i) {
	case 0: m->kind = GATEPOST__COMMAND__KIND__NONE; break;
	case 1: m->kind = (Gatepost__Command__Kind)99; break;
	case 2: m->frame = NULL; break;
	case 3: m->id = bytes(3); break;
	case 4: m->ids = bytes(11); break; /* beside an id */
	case 5: m->id = bytes(0), m->ids = bytes(12); break;
	case 6: m->kind = GATEPOST__COMMAND__KIND__KNOW; break; /* without ids */
	case 7:
		m->kind = GATEPOST__COMMAND__KIND__CLOSE;
		m->code = 1006;
		break;
	case 8:
		m->kind = GATEPOST__COMMAND__KIND__LOOK;
		m->ids = bytes(22);
		break;
	default: break;
	}
}

static void bad_welcome(int i)
{
	Gatepost__Welcome *w = links_add_welcome(1);

	switch (i) {
	case 0: w->boot = 0; break;
	case 1: w->number = 0; break;
	case 2: w->number = UINT16_MAX + 1; break;
	case 3: w->members = NULL; break;
	default: break;
	}
}

static void bad_item(int i)
{
	(void)i;
	LINKS_ITEM(LEAVING, leaving);
	links_letter()->items[0]->body_case = GATEPOST__ITEM__BODY__NOT_SET;
}

/* The lane is not touched, the link ends, and the next one answers the event. */
Test(broker_link, a_message_with_a_malformed_field_ends_the_link_and_loses_nothing)
{
	static const struct {
		void (*add)(int i);
		int n;
	} bad[] = {{bad_answer, 17}, {bad_command, 9}, {bad_welcome, 4}, {bad_item, 1}};
	struct lane *l = links_lane();

	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		for (int i = 0; i < bad[k].n; i++) {
			links_up(B1, 1);
			bad[k].add(i);
			links_post(B1);
			cr_assert(is_closed(B1), "%d %d", (int)k, i);
			links_run(RETRY_MS + 100, "");
		}
	}
	cr_assert(eq(sz, edge.answers + edge.commands + edge.fenced, 0));
	links_up(B1, 1);
	links_message(l, "x");
	links_answer(B1, l, 0);
	cr_assert(eq(sz, edge.answers, 1));
}

/* ---- the end ---- */

Test(broker_link_seeds, the_last_words_of_this_edge_have_a_second_to_be_written)
{
	links_start_with(B1 "," B2);
	links_up(B1, 1);
	uplink_free(edge.uplink);
	edge.uplink = NULL;
	cr_assert(eq(int, fake_zsock_linger(B1), 1000));
}
