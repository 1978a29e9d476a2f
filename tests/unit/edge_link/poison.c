#include "edge/link/poison.h"

#include "fixture.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(poison, .init = links_start, .fini = links_stop);

enum { CLEAR = 4, PERHAPS = 1, SUDDEN_MS = 1000 };

/* ---- what an end of a link counts ---- */

Test(poison, each_end_counts_as_much_as_it_says_of_what_was_sent)
{
	static const struct {
		enum link_end end;
		int64_t after_ms;
		int points;
	} rows[] = {
		{LINK_ENDED_BY_US, 0, 0},
		{LINK_ENDED_SILENT, 0, PERHAPS},
		{LINK_ENDED_CLOSED, 0, CLEAR},
		{LINK_ENDED_CLOSED, SUDDEN_MS - 1, CLEAR},
		{LINK_ENDED_CLOSED, SUDDEN_MS, PERHAPS},
		{LINK_ENDED_UNREADABLE, 0, CLEAR},
		{LINK_ENDED_UNREADABLE, 100 * SUDDEN_MS, CLEAR},
	};
	struct lane *l = links_lane();

	links_message(l, "x");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		l->first->blame = 0;
		l->unsent = NULL; /* it is under way */
		l->first->sent_ms = loop_now(edge.loop) - rows[i].after_ms;
		cr_assert(poison_blame(edge.uplink, l, rows[i].end) == NULL);
		cr_assert(eq(int, l->first->blame, rows[i].points), "row %d", (int)i);
	}
	l->unsent = l->first;
}

Test(poison, only_what_was_under_way_is_blamed)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	for (int i = 0; i < IN_FLIGHT + 1; i++)
		links_message(l, "x");
	poison_blame(edge.uplink, l, LINK_ENDED_UNREADABLE);
	cr_assert(eq(int, l->first->blame, CLEAR));
	cr_assert(eq(int, l->last->blame, 0));
}

Test(poison, an_accused_event_is_guilty_only_when_it_was_on_trial_and_the_end_counts)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	l->first->blame = POISON_SUSPECT;
	cr_assert(poison_blame(edge.uplink, l, LINK_ENDED_UNREADABLE) == NULL);
	edge.uplink->suspect = l->first;
	cr_assert(poison_blame(edge.uplink, l, LINK_ENDED_BY_US) == NULL);
	cr_assert(edge.uplink->suspect == NULL);
	edge.uplink->suspect = l->first;
	cr_assert(poison_blame(edge.uplink, l, LINK_ENDED_SILENT) == l->first);
	cr_assert(edge.uplink->suspect == NULL);
	cr_assert(eq(int, l->first->blame, POISON_SUSPECT));
}

/* ---- through links ---- */

/* The link ends as one side could not read the other, and a new one comes up. */
static void end_link(void)
{
	links_post_bytes(B1, span_str("\xff\xff\xff"));
	links_run(RETRY_MS + 200, "");
	while (links_read(B1) != NULL)
		;
	links_up(B1, 1);
	links_run(RETRY_MS + 200, B1);
}

Test(poison, an_event_that_ends_three_links_is_accused_and_after_the_fourth_answered_here)
{
	const Gatepost__Event *e;
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	e = links_read_event(B1);
	cr_assert(eq(u32, e->again, EVENT_FIRST));
	for (int i = 1; i < 3; i++) {
		end_link();
		e = links_read_event(B1);
		cr_assert(eq(u32, e->again, EVENT_AGAIN), "after end %d", i);
	}
	end_link();
	e = links_read_event(B1);
	cr_assert(eq(u32, e->again, EVENT_ACCUSED));
	cr_assert(edge.uplink->suspect == l->first);
	end_link();
	cr_assert(links_read(B1) == NULL);
	cr_assert(eq(sz, edge.poisoned, 1));
	cr_assert(eq(sz, edge.done, 1));
	cr_assert(eq(u32, l->n, 0));
	cr_assert(eq(i64, links_metric("gatepost_edge_poisonous_total"), 1));
}

Test(poison, after_two_clear_ends_an_event_is_sent_again_only_after_a_pause)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	end_link();
	cr_assert(eq(str, (char *)links_read_seqs(B1), "0"));
	links_post_bytes(B1, span_str("\xff\xff\xff"));
	links_turn();
	cr_assert(l->waits_in == &edge.uplink->retrying);
	cr_assert(eq(u64, l->unsent->seq, 0));
}

/* Three lanes were under way each time: only the one that is guilty ends the link alone. */
Test(poison, those_that_were_only_there_at_the_same_time_are_cleared_one_by_one)
{
	struct lane *lanes[3];
	int tried = 0;

	links_up(B1, 1);
	for (int i = 0; i < 3; i++) {
		lanes[i] = links_lane();
		links_message(lanes[i], "x");
	}
	for (int i = 0; i < 3; i++)
		end_link();
	/* Each comes alone; lane 1's ends the link. */
	for (int turn = 0; turn < 6 && lanes[0]->n + lanes[1]->n + lanes[2]->n > 0;
	     turn++) {
		const struct lane_event *e = edge.uplink->suspect;
		int under_way = 0;

		cr_assert(e != NULL);
		for (int i = 0; i < 3; i++)
			under_way += (int)lane_under_way(lanes[i]);
		cr_assert(eq(int, under_way, 1));
		tried++;
		if (e == lanes[1]->first)
			end_link();
		else
			links_answer(B1, e == lanes[0]->first ? lanes[0] : lanes[2], 0);
	}
	cr_assert(eq(int, tried, 3));
	cr_assert(eq(sz, edge.poisoned, 1));
	cr_assert(eq(sz, edge.answers, 2));
	cr_assert(edge.uplink->suspect == NULL);
}

Test(poison, what_follows_a_poisonous_event_is_sent)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "poison");
	for (int i = 0; i < 3; i++)
		end_link();
	links_message(l, "good");
	end_link();
	cr_assert(eq(sz, edge.poisoned, 1));
	links_run(3 * RETRY_MS, B1);
	cr_assert(eq(u32, l->n, 1));
	cr_assert(eq(u64, l->first->seq, 1));
	links_answer(B1, l, 1);
	cr_assert(eq(sz, edge.answers, 1));
}

static void disconnect_too(struct lane *l)
{
	edge.held += uplink_disconnect(edge.uplink, l, 1006, span_str(""), NULL);
}

Test(poison, the_disconnect_after_a_poisonous_connect_is_sent_and_the_connect_is_not)
{
	const Gatepost__Event *e;
	struct lane *l;

	edge.on_poisoned = disconnect_too;
	links_up(B1, 1);
	l = links_lane();
	links_connect(l);
	for (int i = 0; i < 4; i++)
		end_link();
	cr_assert(eq(sz, edge.poisoned, 1));
	e = links_read_event(B1);
	cr_assert(eq(int, e->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(u64, e->seq, 1));
	cr_assert(links_read(B1) == NULL);
	links_answer(B1, l, 1);
	cr_assert(eq(u32, l->n, 0));
}

Test(poison, links_that_we_end_or_that_had_announced_it_accuse_nothing)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	for (int i = 0; i < 20; i++) {
		LINKS_ITEM(LEAVING, leaving);
		links_post(B1);
		end_link();
	}
	cr_assert(eq(int, l->first->blame, 0));
	cr_assert(eq(sz, edge.poisoned, 0));
}

/* Else no accused event would ever be sent again. */
Test(poison, an_edge_that_was_fenced_tries_accused_events_of_its_new_life)
{
	struct lane *l;

	links_up(B1, 1);
	l = links_lane();
	links_message(l, "x");
	for (int i = 0; i < 3; i++)
		end_link();
	cr_assert(edge.uplink->suspect == l->first);
	/* By a second broker, while the first one has the event. */
	broker_links_named(edge.uplink, B2);
	links_run(200, B1);
	links_greet(B2);
	links_add_welcome(2)->number = NUMBER + 1;
	links_post(B2);
	cr_assert(eq(sz, edge.fenced, 1));
	cr_assert(edge.uplink->suspect == NULL);
}
