#include "edge/link/uplink.h"

#include "fixture.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(uplink, .init = links_start, .fini = links_stop);

/* Without links_start, for those who need other seeds. */
TestSuite(uplink_of_two, .fini = links_stop);

static void start_two(void)
{
	links_start_with(B1 "," B2);
	links_up(B1, 1);
	links_up(B2, 2);
}

static struct window *window_of(const char *broker)
{
	struct broker_link *b = edge.uplink->links;

	while (strcmp(b->endpoint, broker) != 0)
		b = b->next;
	return &b->link.ahead;
}

/* A link with this credit. */
static void up_with(uint64_t events, uint64_t bytes)
{
	Gatepost__Welcome *w;

	links_greet(B1);
	w = links_add_welcome(1);
	w->credit_events = events;
	w->credit_bytes = bytes;
	links_post(B1);
	links_turn();
}

/* ---- an event is sent ---- */

Test(uplink, a_message_is_sent_at_the_end_of_its_turn_with_all_that_a_broker_needs)
{
	const Gatepost__Event *e;
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "hi");
	e = links_read_event(B1);
	cr_assert(e != NULL);
	cr_assert(id_eq((const struct id *)(const void *)e->id.data, &l->id));
	cr_assert(eq(u32, e->term, l->term));
	cr_assert(eq(u64, e->seq, 0));
	cr_assert(eq(int, e->kind, GATEPOST__EVENT__KIND__MESSAGE));
	cr_assert(span_is(span_from(e->context), "ctx"));
	cr_assert(span_is(span_from(e->body), "hi"));
	cr_assert(e->binary);
	cr_assert(eq(u32, e->again, 0));
	cr_assert(links_read(B1) == NULL);
	cr_assert(eq(i64, links_metric("gatepost_edge_events_total"), 1));
}

Test(uplink, a_disconnect_has_its_code_and_reason_and_no_body)
{
	const Gatepost__Event *e;

	links_up(B1, 1);
	links_disconnect(links_lane());
	e = links_read_event(B1);
	cr_assert(eq(int, e->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(u32, e->code, 1001));
	cr_assert(span_is(span_from(e->reason), "bye"));
	cr_assert(eq(sz, e->body.len, 0));
}

Test(uplink, events_of_one_turn_go_in_one_message)
{
	struct lane *l;
	size_t before;

	links_up(B1, 1);
	before = fake_zsock_sent(B1);
	l = links_lane();
	edge.held += uplink_message(edge.uplink, l, blob_new(span_str("a")), false);
	edge.held += uplink_message(edge.uplink, l, blob_new(span_str("b")), false);
	edge.held +=
		uplink_message(edge.uplink, links_lane(), blob_new(span_str("c")), false);
	links_turn();
	cr_assert(eq(sz, fake_zsock_sent(B1), before + 1));
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 0"));
}

Test(uplink, an_event_waits_for_the_first_broker_and_is_counted_once_as_waiting)
{
	struct lane *l = links_lane();

	links_message(l, "a");
	links_message(l, "b");
	cr_assert(eq(str, (char *)links_owner(l), ""));
	cr_assert(eq(i64, links_metric("gatepost_edge_credit_waits_total"), 1));
	cr_assert(eq(str, (char *)uplink_missing(edge.uplink), "no broker is linked"));
	links_up(B1, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1"));
	cr_assert(l->waits_in == NULL);
	cr_assert(ge(sz, edge.wait_changes, 1));
	cr_assert(uplink_missing(edge.uplink) == NULL);
}

Test(uplink, what_an_event_held_is_given_back_when_it_is_done)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "hello");
	cr_assert(gt(i64, edge.held, 5));
	links_answer(B1, l, 0);
	cr_assert(eq(i64, edge.held, 0));
	cr_assert(eq(sz, edge.done, 1));
}

/* ---- credit ---- */

Test(uplink, a_lane_has_no_more_events_under_way_than_lane_in_flight)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	for (int i = 0; i < IN_FLIGHT + 2; i++)
		links_message(l, "x");
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 2 3"));
	cr_assert(l->waits_in == NULL); /* an answer is due, and sends the next */
	links_answer(B1, l, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "4"));
	links_answer(B1, l, 0);
	links_answer(B1, l, 2);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "5"));
}

Test(uplink, without_credit_of_events_a_lane_waits_until_another_is_answered)
{
	struct lane *lanes[3];

	up_with(2, CREDIT_BYTES);
	for (int i = 0; i < 3; i++) {
		lanes[i] = links_lane();
		links_message(lanes[i], "x");
	}
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 0"));
	cr_assert(lanes[2]->waits_in != NULL);
	cr_assert(eq(i64, links_metric("gatepost_edge_credit_waits_total"), 1));
	links_answer(B1, lanes[0], 0);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	cr_assert(lanes[2]->waits_in == NULL);
}

Test(uplink, without_credit_of_bytes_a_lane_waits_until_another_is_answered)
{
	struct lane *first, *second;

	up_with(100, 1000);
	first = links_lane();
	second = links_lane();
	links_message_of(first, 5000); /* one may be larger than all the credit */
	links_message_of(second, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	cr_assert(second->waits_in != NULL);
	links_answer(B1, first, 0);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
}

Test(uplink, an_event_takes_its_body_three_times_its_head_and_512_of_the_credit)
{
	struct window *w;
	struct lane *l;

	links_up(B1, 1);
	w = window_of(B1);
	l = links_lane();
	links_message_of(l, 100);
	cr_assert(eq(u64, w->used_bytes, 100 + 3 * CONTEXT_BYTES + 512));
	cr_assert(eq(u64, w->used_items, 1));
	edge.held += uplink_request(edge.uplink, l, GATEPOST__EVENT__KIND__HTTP,
				    blob_new(span_str("request")), NULL);
	links_turn();
	cr_assert(eq(u64, w->used_bytes,
		     100 + 3 * CONTEXT_BYTES + 512 + 3 * (7 + CONTEXT_BYTES) + 512));
	/* Another context in between: what was taken is given back. */
	blob_unref(l->context);
	l->context = blob_new(span_str("a longer context"));
	links_answer(B1, l, 0);
	links_answer(B1, l, 1);
	cr_assert(eq(u64, w->used_bytes, 0));
	cr_assert(eq(u64, w->used_items, 0));
}

/* With 8 events of credit, 2 are in reserve. */
Test(uplink, the_reserve_is_for_small_events_of_lanes_with_nothing_under_way)
{
	struct lane *busy[2], *big, *idle, *last;

	up_with(8, CREDIT_BYTES);
	for (int i = 0; i < 2; i++) {
		busy[i] = links_lane();
		for (int k = 0; k < IN_FLIGHT; k++)
			links_message(busy[i], "x");
	}
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 2 3 0 1"));
	cr_assert(busy[1]->waits_in != NULL);
	big = links_lane();
	links_message_of(big, 16 * 1024);
	cr_assert(eq(str, (char *)links_read_seqs(B1), ""));
	idle = links_lane();
	links_message(idle, "small");
	last = links_lane();
	links_connect(last);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 0"));
	/* As it comes back, it goes to those who wait, first come, first served. */
	links_answer(B1, busy[0], 0);
	links_answer(B1, busy[0], 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), ""));
	links_answer(B1, busy[0], 2);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "2"));
	cr_assert(busy[1]->waits_in != NULL);
	links_answer(B1, idle, 0);
	cr_assert(big->waits_in == NULL);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
}

Test(uplink, a_lane_that_waits_is_not_overtaken_by_one_that_comes_later)
{
	struct lane *lanes[4];

	up_with(1, CREDIT_BYTES);
	for (int i = 0; i < 4; i++)
		lanes[i] = links_lane();
	links_message(lanes[0], "a");
	links_message(lanes[2], "b");
	links_message(lanes[1], "c");
	/* Its own next one, with the credit that its answer gives back. */
	links_message(lanes[0], "d");
	links_answer(B1, lanes[0], 0);
	cr_assert(eq(u32, lane_under_way(lanes[2]), 1));
	links_answer(B1, lanes[2], 0);
	cr_assert(eq(u32, lane_under_way(lanes[1]), 1));
	links_answer(B1, lanes[1], 0);
	cr_assert(eq(u32, lane_under_way(lanes[0]), 1));
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 0 0 1"));
}

Test(uplink, no_more_than_512_disconnects_are_under_way_at_a_broker)
{
	struct lane *first = NULL, *l, *message;
	size_t n = 0;

	up_with(10000, 100 * CREDIT_BYTES);
	for (int i = 0; i < 600; i++) {
		l = links_lane();
		first = first ? first : l;
		edge.held += uplink_disconnect(edge.uplink, l, 1006, span_str(""), NULL);
	}
	links_turn();
	while (links_read_event(B1) != NULL)
		n++;
	cr_assert(eq(sz, n, 512));
	message = links_lane();
	links_message(message, "not held back by them");
	cr_assert(eq(u32, lane_under_way(message), 1));
	cr_assert(links_read_event(B1) != NULL);
	links_answer(B1, first, 0);
	cr_assert(links_read_event(B1)->kind == GATEPOST__EVENT__KIND__DISCONNECT);
	cr_assert(links_read_event(B1) == NULL);
}

Test(uplink, a_new_link_has_room_for_512_disconnects_again)
{
	size_t n = 0;

	up_with(10000, 100 * CREDIT_BYTES);
	for (int i = 0; i < 600; i++)
		edge.held += uplink_disconnect(edge.uplink, links_lane(), 1006,
					       span_str(""), NULL);
	links_turn();
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	while (links_read(B1) != NULL)
		;
	up_with(10000, 100 * CREDIT_BYTES);
	while (links_read_event(B1) != NULL)
		n++;
	cr_assert(eq(sz, n, 512));
}

Test(uplink, disconnects_wait_behind_messages)
{
	struct lane *first, *leaver, *talker;

	up_with(4, CREDIT_BYTES);
	first = links_lane();
	leaver = links_lane();
	talker = links_lane();
	for (int i = 0; i < 3; i++) /* and one is in reserve */
		links_message(first, "x");
	links_disconnect(leaver);
	cr_assert(leaver->waits_in != NULL);
	links_message(talker, "x");
	cr_assert(eq(u32, lane_under_way(talker), 1));
	links_answer(B1, first, 0);
	cr_assert(eq(u32, lane_under_way(leaver), 0));
	links_answer(B1, first, 1);
	cr_assert(eq(u32, lane_under_way(leaver), 1));
}

/* ---- once more ---- */

Test(uplink,
     an_event_that_could_not_be_done_is_sent_again_after_a_pause_with_all_that_follows)
{
	const Gatepost__Event *e;
	struct lane *l;
	uint32_t term;

	links_up(B1, 1);
	l = links_lane();
	links_connect(l);
	links_message(l, "x");
	term = l->term;
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1"));
	links_add_actions(l, 0, "")->retry = true;
	links_post(B1);
	links_turn();
	cr_assert(eq(sz, edge.answers + edge.done, 0));
	links_run(RETRY_MS - 100, B1);
	cr_assert(links_read(B1) == NULL);
	links_run(300, B1);
	e = links_read_event(B1);
	cr_assert(eq(u64, e->seq, 0));
	cr_assert(eq(u32, e->again, EVENT_AGAIN));
	cr_assert(eq(u32, e->term, term)); /* the same owner */
	cr_assert(eq(u64, links_read_event(B1)->seq, 1));
	cr_assert(eq(i64, links_metric("gatepost_edge_events_resent_total"), 1));
}

Test(uplink_of_two, an_event_that_could_not_be_done_is_sent_to_another_broker)
{
	struct lane *l;
	int to_b2 = 0;

	start_two();
	for (int i = 0; i < 20; i++) {
		l = links_lane_at(B1);
		links_connect(l);
		links_add_actions(l, 0, "")->retry = true;
		links_post(B1);
		links_run(RETRY_MS + 200, B1 " " B2);
		to_b2 += strcmp(links_owner(l), B2) == 0;
		links_answer(links_owner(l), l, 0);
		cr_assert(eq(u32, l->n, 0));
	}
	/* By hash: about every second one. */
	cr_assert(gt(int, to_b2, 2));
}

/* ---- its owner ---- */

Test(uplink_of_two,
     a_lane_moves_to_a_broker_that_joins_only_when_nothing_of_it_is_under_way)
{
	struct lane *busy = NULL, *l;
	uint32_t term;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	for (int i = 0; i < 64; i++)
		links_message(links_lane(), "x");
	links_up(B2, 2);
	for (uint32_t i = 0; i < edge.n_lanes; i++) {
		struct broker_link *b =
			ring_pick(edge.uplink->ring, id_hash(&edge.lanes[i].id));

		if (strcmp(b->endpoint, B2) == 0)
			busy = &edge.lanes[i];
	}
	cr_assert(busy != NULL);
	l = busy;
	term = l->term;
	links_message(l, "still there");
	cr_assert(eq(str, (char *)links_owner(l), B1));
	cr_assert(eq(u32, l->term, term));
	links_answer(B1, l, 0);
	links_answer(B1, l, 1);
	links_message(l, "moved");
	cr_assert(eq(str, (char *)links_owner(l), B2));
	cr_assert(eq(u32, l->term, term + 1));
	cr_assert(eq(str, (char *)links_read_seqs(B2), "2"));
}

Test(uplink_of_two,
     events_that_need_the_store_go_to_a_broker_with_it_and_others_to_the_owner)
{
	struct lane *l;
	uint32_t term;

	start_two();
	l = links_lane_at(B1);
	LINKS_ITEM(STORE, store);
	links_letter()->items[0]->store->away = true;
	links_post(B1);
	links_connect(l);
	cr_assert(eq(str, (char *)links_owner(l), B2));
	term = l->term;
	links_answer(B2, l, 0);
	links_message(l, "x");
	cr_assert(eq(str, (char *)links_owner(l), B1));
	cr_assert(eq(u32, l->term, term + 1));
	links_answer(B1, l, 1);
	LINKS_ITEM(STORE, store); /* it is back */
	links_post(B1);
	links_disconnect(l);
	cr_assert(eq(str, (char *)links_owner(l), B1));
}

Test(uplink_of_two, when_no_broker_has_the_store_events_go_to_the_owner)
{
	struct lane *l;

	start_two();
	l = links_lane_at(B1);
	LINKS_ITEM(STORE, store);
	links_letter()->items[0]->store->away = true;
	links_post(B1);
	LINKS_ITEM(STORE, store);
	links_letter()->items[0]->store->away = true;
	links_post(B2);
	links_connect(l);
	cr_assert(eq(str, (char *)links_owner(l), B1));
}

/* ---- cancel ---- */

Test(uplink, a_request_that_no_broker_has_seen_is_forgotten)
{
	struct lane *l = links_lane();
	uint32_t bytes;

	links_connect(l);
	bytes = l->first->memory;
	cr_assert(eq(u32, uplink_cancel(edge.uplink, l), bytes));
	edge.held -= bytes;
	cr_assert(eq(u32, l->n, 0));
	cr_assert(l->waits_in == NULL);
	links_up(B1, 1);
	cr_assert(links_read(B1) == NULL);
	cr_assert(eq(u32, uplink_cancel(edge.uplink, l), 0));
}

Test(uplink, what_a_broker_may_have_seen_is_not_forgotten)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_connect(l);
	cr_assert(eq(u32, uplink_cancel(edge.uplink, l), 0));
	fake_zsock_transport(B1, false); /* it waits for a broker, and was sent */
	links_turn();
	cr_assert(l->first == l->unsent);
	cr_assert(eq(u32, uplink_cancel(edge.uplink, l), 0));
	cr_assert(eq(u32, l->n, 1));
}

Test(uplink, a_disconnect_is_never_forgotten)
{
	struct lane *l = links_lane();

	links_disconnect(l);
	cr_assert(eq(u32, uplink_cancel(edge.uplink, l), 0));
	links_up(B1, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
}

/* ---- the rest ---- */

Test(uplink_of_two, leaving_is_sent_to_each_broker_with_a_link)
{
	links_start_with(B1 "," B2);
	links_up(B1, 1);
	fake_zsock_transport(B2, true); /* no Welcome yet */
	links_turn();
	cr_assert(eq(int, links_read_kind(B2), GATEPOST__ITEM__BODY_HELLO));
	uplink_leave(edge.uplink);
	links_turn();
	cr_assert(eq(int, links_read_kind(B1), GATEPOST__ITEM__BODY_LEAVING));
	cr_assert(links_read(B2) == NULL);
}

Test(uplink, a_link_whose_queue_takes_no_more_ends_and_its_events_are_sent_on_the_next)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	fake_zsock_fail(B1, ERR_BUSY);
	links_message(l, "x");
	cr_assert(eq(i64, links_metric("gatepost_edge_links_full_total"), 1));
	cr_assert(eq(str, (char *)links_owner(l), ""));
	fake_zsock_fail(B1, OK);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	cr_assert(eq(i64, links_metric("gatepost_edge_links_full_total"), 1));
}

Test(uplink, a_link_that_is_down_when_something_is_sent_is_not_counted_as_full)
{
	links_up(B1, 1);
	fake_zsock_fail(B1, ERR_DOWN);
	links_message(links_lane(), "x");
	cr_assert(eq(i64, links_metric("gatepost_edge_links_full_total"), 0));
	cr_assert(ne(ptr, (void *)uplink_missing(edge.uplink), NULL));
}

Test(uplink, an_outcome_goes_back_on_the_link_that_its_command_came_by)
{
	Gatepost__Command *m;
	const Gatepost__Outcome *o;

	links_up(B1, 1);
	m = LINKS_ITEM(COMMAND, command);
	m->kind = GATEPOST__COMMAND__KIND__LOOK;
	m->ticket = 99;
	m->id = batch_copy(links_letter(), id_span(&links_lane()->id));
	links_post(B1);
	links_turn();
	cr_assert(eq(sz, edge.commands, 1));
	o = links_read(B1)->outcome;
	cr_assert(eq(u64, o->ticket, 99));
	cr_assert(eq(int, o->result, GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(span_is(span_from(o->context), "cx"));
	cr_assert(span_is(span_from(o->results), "rs"));
	cr_assert(eq(i64, o->last_active_ms, 77));
}

Test(uplink_of_two, seeds_that_cannot_be_read_give_no_uplink)
{
	links_start_with("nonsense");
	cr_assert(edge.uplink == NULL);
}

Test(uplink, freeing_none_is_fine)
{
	uplink_free(NULL);
}
