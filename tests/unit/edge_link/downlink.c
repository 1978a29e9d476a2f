#include "edge/link/downlink.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct lane *lane;

/* One link, and a lane with three events of it under way: connect and two messages. */
static void start(void)
{
	links_start();
	links_up(B1, 1);
	lane = links_lane();
	links_connect(lane);
	links_message(lane, "a");
	links_message(lane, "b");
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 2"));
}

TestSuite(downlink, .init = start, .fini = links_stop);

static struct window *window(void)
{
	return &edge.uplink->links->link.ahead;
}

/* The letter is sent, and what it says is dropped: nothing but the counter has changed. */
static void expect_stale(void)
{
	int64_t before = links_metric("gatepost_edge_stale_answers_total");
	size_t answers = edge.answers, done = edge.done;
	uint64_t used = window()->used_bytes;
	uint32_t n = lane->n;

	links_post(B1);
	links_turn();
	cr_assert(eq(i64, links_metric("gatepost_edge_stale_answers_total"), before + 1));
	cr_assert(eq(sz, edge.answers, answers));
	cr_assert(eq(sz, edge.done, done));
	cr_assert(eq(u64, window()->used_bytes, used));
	cr_assert(eq(u32, lane->n, n));
}

/* Every kind that an answer can be of. */
enum kind { PLAIN, RETRY, RESPONSE, FRAME, CLOSE, CONTEXT, KINDS };

static Gatepost__Answer *answer(enum kind k, uint64_t seq)
{
	static const char *const actions[KINDS] = {
		[RETRY] = "", [RESPONSE] = "r", [FRAME] = "t", [CLOSE] = "c"};
	Gatepost__Answer *a = actions[k] != NULL
				      ? links_add_actions(lane, seq, actions[k])
				      : links_add_answer(lane, seq);

	a->retry = k == RETRY;
	a->expires_ms = k == CONTEXT ? 5 : 0;
	if (k == CONTEXT)
		a->context = batch_copy(links_letter(), span_str("new"));
	return a;
}

Test(downlink, an_answer_is_given_on_and_then_its_event_is_done)
{
	answer(RESPONSE, 0);
	links_post(B1);
	links_turn();
	cr_assert(eq(sz, edge.answers, 1));
	cr_assert(eq(sz, edge.done, 1));
	cr_assert(eq(str, edge.actions, "r"));
	cr_assert(eq(u32, lane->n, 2));
	answer(FRAME, 2);
	links_post(B1);
	cr_assert(eq(u64, edge.answered, 2));
	cr_assert(eq(str, edge.actions, "t"));
	cr_assert(eq(u32, lane->n, 1));
}

Test(downlink, an_answer_of_another_term_is_dropped)
{
	for (enum kind k = 0; k < KINDS; k++) {
		answer(k, 1)->term = lane->term - 1;
		expect_stale();
		answer(k, 1)->term = lane->term + 1;
		expect_stale();
	}
}

Test(downlink, an_answer_to_an_unknown_connection_is_dropped)
{
	struct id other = id_make(NUMBER, 0, 2); /* the slot, with another random part */
	struct id beyond = id_make(NUMBER, UINT32_MAX, 1);

	for (enum kind k = 0; k < KINDS; k++) {
		answer(k, 1)->id = batch_copy(links_letter(), id_span(&other));
		expect_stale();
		answer(k, 1)->id = batch_copy(links_letter(), id_span(&beyond));
		expect_stale();
	}
}

Test(downlink, a_second_answer_to_an_event_is_dropped)
{
	links_answer(B1, lane, 1);
	cr_assert(eq(sz, edge.done, 1));
	for (enum kind k = 0; k < KINDS; k++) {
		answer(k, 1);
		expect_stale();
	}
}

Test(downlink, an_answer_to_an_event_that_was_not_sent_is_dropped)
{
	links_message(lane, "c");
	links_message(lane, "does not go: four are under way");
	cr_assert(eq(u64, lane->unsent->seq, 4));
	for (enum kind k = 0; k < KINDS; k++) {
		answer(k, 4);
		expect_stale();
		answer(k, UINT64_MAX);
		expect_stale();
	}
}

Test(downlink, two_answers_of_one_message_may_be_to_the_same_event)
{
	answer(FRAME, 1);
	answer(FRAME, 1);
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 1));
	cr_assert(eq(i64, links_metric("gatepost_edge_stale_answers_total"), 1));
}

Test(downlink, after_a_retry_no_answer_of_the_first_sending_counts)
{
	answer(RETRY, 0);
	links_post(B1);
	links_turn();
	cr_assert(eq(u32, lane->n, 3));
	for (enum kind k = 0; k < KINDS; k++) {
		answer(k, 0);
		expect_stale();
		answer(k, 2); /* it follows, and is sent again too */
		expect_stale();
	}
	links_run(RETRY_MS + 200, B1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 2"));
	for (int i = 0; i < 3; i++)
		links_answer(B1, lane, (uint64_t)i);
	cr_assert(eq(sz, edge.done, 3));
}

/* Those that follow it are sent twice, and answered once. */
Test(downlink, a_retry_of_the_first_of_several_gives_back_all_of_their_credit)
{
	answer(RETRY, 0);
	links_post(B1);
	links_run(RETRY_MS + 200, B1);
	for (int i = 0; i < 3; i++)
		links_answer(B1, lane, (uint64_t)i);
	cr_assert(eq(u32, lane->n, 0));
	cr_assert(eq(u64, window()->used_items, 0));
	cr_assert(eq(u64, window()->used_bytes, 0));
}

/* ---- which actions an event may have ---- */

static void answer_with(uint64_t seq, const char *actions)
{
	links_add_actions(lane, seq, actions);
	links_post(B1);
	links_turn();
}

Test(downlink, an_answer_with_several_actions_is_given_on_as_one)
{
	answer_with(0, "rtbc");
	cr_assert(eq(str, edge.actions, "rtbc"));
	answer_with(1, "ttbc");
	cr_assert(eq(str, edge.actions, "ttbc"));
	cr_assert(eq(sz, edge.answers, 2));
	cr_assert(eq(sz, edge.done, 2));
}

/* The link has ended, nothing was applied, and the event is sent again on the next link. */
static void expect_unreadable(void)
{
	size_t answers = edge.answers;

	links_post(B1);
	links_turn();
	cr_assert(eq(sz, edge.answers, answers));
	cr_assert(eq(sz, edge.done, 0));
	cr_assert(eq(u32, lane->n, 3));
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0 1 2"));
}

Test(downlink, a_connect_without_a_response_ends_the_link)
{
	links_add_actions(lane, 0, "");
	expect_unreadable();
	links_add_actions(lane, 0, "tc");
	expect_unreadable();
}

Test(downlink, a_message_with_a_response_ends_the_link)
{
	links_add_actions(lane, 1, "r");
	expect_unreadable();
	links_add_actions(lane, 1, "rt");
	expect_unreadable();
}

/* The first is within the rules, but it is in the answer that is not. */
Test(downlink, of_actions_that_are_out_of_order_none_is_applied)
{
	links_add_actions(lane, 1, "tct");
	expect_unreadable();
}

Test(downlink, a_disconnect_with_an_action_ends_the_link)
{
	for (uint64_t seq = 0; seq < 3; seq++)
		links_answer(B1, lane, seq);
	links_disconnect(lane);
	for (const char *kind = "rtc"; *kind != '\0'; kind++) {
		cr_assert(eq(str, (char *)links_read_seqs(B1), "3"));
		links_add_actions(lane, 3, (char[]){*kind, '\0'});
		links_post(B1);
		cr_assert(eq(u32, lane->n, 1));
		links_run(RETRY_MS + 100, "");
		links_up(B1, 1);
	}
	links_answer(B1, lane, 3);
	cr_assert(eq(u32, lane->n, 0));
}

Test(downlink, a_plain_request_has_a_response_and_nothing_behind_it)
{
	struct lane *plain = links_lane();

	links_request(plain);
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	links_add_actions(plain, 0, "rt");
	links_post(B1);
	cr_assert(eq(u32, plain->n, 1));
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	links_add_actions(plain, 0, "r");
	links_post(B1);
	cr_assert(eq(str, edge.actions, "r"));
	cr_assert(eq(u32, plain->n, 0));
}

/* What a broker says of an event that it does not have is dropped before anything else is asked of it. */
Test(downlink, a_stale_answer_does_not_end_the_link_whatever_it_has)
{
	links_add_actions(lane, 1, "r")->term = lane->term - 1;
	expect_stale();
	links_add_actions(lane, 77, "r");
	expect_stale();
}

/* A second suite: here another broker is there. */
TestSuite(downlink_of_two, .fini = links_stop);

Test(downlink_of_two, an_answer_of_a_broker_that_does_not_own_the_lane_is_dropped)
{
	links_start_with(B1 "," B2);
	links_up(B1, 1);
	links_up(B2, 2);
	lane = links_lane_at(B1);
	links_message(lane, "a");
	answer(FRAME, 0);
	links_post(B2);
	cr_assert(eq(sz, edge.answers, 0));
	cr_assert(eq(i64, links_metric("gatepost_edge_stale_answers_total"), 1));
	answer(FRAME, 0);
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 1));
}

Test(downlink_of_two,
     a_late_answer_of_the_former_owner_is_dropped_also_when_it_is_the_owner_again)
{
	uint32_t old;

	links_start_with(B1 "," B2);
	links_up(B1, 1);
	lane = links_lane();
	links_message(lane, "a");
	old = lane->term;
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	fake_zsock_transport(B1, false);
	links_run(RETRY_MS + 100, "");
	links_up(B1, 1);
	cr_assert(eq(str, (char *)links_owner(lane), B1));
	answer(FRAME, 0)->term = old;
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 0));
	answer(FRAME, 0);
	links_post(B1);
	cr_assert(eq(sz, edge.answers, 1));
}
