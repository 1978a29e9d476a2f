#include "edge/link/lane.h"

#include <proto/gatepost.pb-c.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>

enum { KIND = GATEPOST__EVENT__KIND__MESSAGE };

static struct lane l;
static const struct id ID = {{0, 7, 0, 0, 0, 1}};

static void start(void)
{
	l = (struct lane){0};
	lane_begin(&l, &ID, NULL);
}

static void end(void)
{
	lane_close(&l);
}

TestSuite(lane, .init = start, .fini = end);

static struct lane_event *append(const char *body)
{
	return lane_append(&l, KIND, 0, NULL, body ? blob_new(span_str(body)) : NULL);
}

/* As the uplink does when there is credit. */
static void send_next(void)
{
	cr_assert(l.unsent != NULL);
	l.unsent = l.unsent->next;
}

static void append_and_send(int n)
{
	for (int i = 0; i < n; i++) {
		append("x");
		send_next();
	}
}

/* The numbers that are kept, first to last, as text: "0 1 2". */
static const char *kept(void)
{
	static char out[64];
	size_t n = 0;
	const struct lane_event *last = NULL;

	out[0] = '\0';
	for (const struct lane_event *e = l.first; e != NULL; last = e, e = e->next)
		n += (size_t)sprintf(out + n, n ? " %d" : "%d", (int)e->seq);
	cr_assert(l.last == last);
	return out;
}

static void done(uint64_t seq)
{
	struct lane_event *e = lane_find(&l, seq);

	cr_assert(e != NULL, "%d is not there", (int)seq);
	lane_done(&l, e);
}

Test(lane, events_are_numbered_from_0_and_keep_what_they_were_given)
{
	struct lane_event *e =
		lane_append(&l, GATEPOST__EVENT__KIND__HTTP, 77,
			    blob_new(span_str("head")), blob_new(span_str("body!")));

	cr_assert(eq(u64, e->seq, 0));
	cr_assert(eq(i64, e->time_ms, 77));
	cr_assert(eq(u8, e->kind, GATEPOST__EVENT__KIND__HTTP));
	cr_assert(span_is(blob_span(e->request), "head"));
	cr_assert(span_is(blob_span(e->body), "body!"));
	cr_assert(eq(u32, e->memory, l.bytes));
	cr_assert(eq(u64, append(NULL)->seq, 1));
	cr_assert(eq(u32, l.n, 2));
	cr_assert(eq(u32, l.bytes, e->memory + l.last->memory));
}

Test(lane, an_event_is_found_only_between_sending_and_done)
{
	append("a");
	cr_assert(lane_find(&l, 0) == NULL);
	send_next();
	cr_assert(lane_find(&l, 0) == l.first);
	cr_assert(lane_find(&l, 1) == NULL);
	done(0);
	cr_assert(lane_find(&l, 0) == NULL);
}

Test(lane, of_many_only_those_sent_are_found)
{
	for (int i = 0; i < 3; i++)
		append("x");
	send_next();
	send_next();
	cr_assert(lane_find(&l, 0) != NULL);
	cr_assert(lane_find(&l, 1) != NULL);
	cr_assert(lane_find(&l, 2) == NULL);
}

/* All orders of four: whichever is done, the rest stays in order. */
Test(lane, events_may_be_done_in_every_order)
{
	for (int order = 0; order < 256; order++) {
		bool is_done[4] = {false};

		append_and_send(4);

		uint64_t base = l.first->seq;
		uint32_t left = 4, one = l.bytes / 4;

		for (int i = 0; i < 4; i++) {
			int pick = order >> 2 * i & 3;

			if (is_done[pick])
				continue;
			is_done[pick] = true;
			done(base + (uint64_t)pick);
			cr_assert(eq(u32, l.n, --left));
			cr_assert(eq(u32, l.bytes, left * one));
			kept();
		}
		lane_close(&l);
	}
}

Test(lane, the_rest_stays_in_order_when_one_in_the_middle_is_done)
{
	append_and_send(4);
	done(2);
	cr_assert(eq(str, (char *)kept(), "0 1 3"));
	done(3);
	cr_assert(eq(str, (char *)kept(), "0 1"));
	done(0);
	cr_assert(eq(str, (char *)kept(), "1"));
	append("x");
	cr_assert(eq(str, (char *)kept(), "1 4"));
}

Test(lane, an_event_appended_after_all_were_done_is_the_next_to_be_sent)
{
	append_and_send(1);
	done(0);
	cr_assert(eq(u32, lane_under_way(&l), 0));

	struct lane_event *e = append("y");

	cr_assert(l.unsent == e);
	cr_assert(l.first == e);
	cr_assert(eq(u64, e->seq, 1));
}

Test(lane, is_quiet_while_nothing_is_under_way)
{
	cr_assert(eq(u32, lane_under_way(&l), 0));
	append("x");
	cr_assert(eq(u32, lane_under_way(&l), 0));
	send_next();
	cr_assert(gt(u32, lane_under_way(&l), 0));
	append("y");
	cr_assert(gt(u32, lane_under_way(&l), 0));
	done(0);
	cr_assert(eq(u32, lane_under_way(&l), 0));
}

Test(lane, a_restart_sends_all_that_is_not_done_again_under_a_new_term)
{
	int owner;
	uint32_t term = l.term;

	append_and_send(3);
	append("unsent");
	done(1);
	lane_restart(&l, (struct broker_link *)&owner, 5);
	cr_assert(eq(u32, l.term, term + 1));
	cr_assert(eq(u32, l.ring_version, 5));
	cr_assert(l.owner == (struct broker_link *)&owner);
	cr_assert(l.unsent == l.first);
	cr_assert(lane_find(&l, 0) ==
		  NULL); /* a late answer to what is to be sent again */
	cr_assert(eq(str, (char *)kept(), "0 2 3"));
	cr_assert(eq(u32, lane_under_way(&l), 0));
}

Test(lane, a_restart_of_an_empty_lane_only_raises_the_term)
{
	lane_restart(&l, NULL, 2);
	cr_assert(l.unsent == NULL);
	cr_assert(eq(u32, l.term, 1));
	cr_assert(append("x") == l.unsent);
}

Test(lane, a_second_lane_of_a_connection_counts_from_0_and_its_term_goes_on)
{
	append_and_send(2);
	lane_restart(&l, NULL, 2);
	send_next();
	send_next();
	done(0);
	done(1);
	lane_begin(&l, &ID, NULL);
	cr_assert(eq(u64, append("x")->seq, 0));
	cr_assert(eq(u32, l.term, 1));
}

Test(lane, a_second_lane_of_a_connection_has_its_own_id_and_context)
{
	static const struct id other = {{0, 7, 0, 0, 0, 2}};
	struct blob *first = blob_new(span_str("first"));

	lane_close(&l);
	lane_begin(&l, &ID, blob_ref(first));
	lane_begin(&l, &other, blob_new(span_str("second")));
	cr_assert(id_eq(&l.id, &other));
	cr_assert(span_is(blob_span(l.context), "second"));
	cr_assert(eq(u32, first->refs, 1));
	blob_unref(first);
}

Test(lane, beginning_anew_with_events_in_it_aborts, .signal = SIGABRT)
{
	append("x");
	lane_begin(&l, &ID, NULL);
}

Test(lane, closing_forgets_sent_and_unsent_events)
{
	append_and_send(2);
	append("unsent");
	lane_close(&l);
	cr_assert(l.first == NULL && l.last == NULL && l.unsent == NULL);
	cr_assert(eq(u32, l.n, 0));
	cr_assert(eq(u32, l.bytes, 0));
	cr_assert(eq(u32, lane_under_way(&l), 0));
}

Test(lane, a_body_shared_with_others_outlives_the_event)
{
	struct blob *b = blob_new(span_str("shared"));

	lane_append(&l, KIND, 0, NULL, blob_ref(b));
	send_next();
	done(0);
	cr_assert(eq(u32, b->refs, 1));
	blob_unref(b);
}

/* Queues of lanes. */

static struct lane_queue q, other;
static struct lane lanes[3];

static void start_queues(void)
{
	lane_queue_init(&q);
	lane_queue_init(&other);
}

TestSuite(lane_queue, .init = start_queues);

/* Which of the lanes wait, in order: "ab". */
static const char *waiting(const struct lane_queue *in)
{
	static char out[8];
	size_t n = 0;
	struct lane *i;

	TAILQ_FOREACH (i, &in->lanes, waiting)
		out[n++] = (char)('a' + (i - lanes));
	out[n] = '\0';
	return out;
}

Test(lane_queue, lanes_wait_in_the_order_they_came)
{
	for (int i = 0; i < 3; i++)
		lane_join_queue(&lanes[i], &q);
	cr_assert(eq(str, (char *)waiting(&q), "abc"));
	lane_leave_queue(&lanes[1]);
	cr_assert(eq(str, (char *)waiting(&q), "ac"));
	lane_leave_queue(&lanes[0]);
	lane_leave_queue(&lanes[2]);
	cr_assert(eq(str, (char *)waiting(&q), ""));
}

Test(lane_queue, a_lane_that_waits_already_keeps_its_place)
{
	lane_join_queue(&lanes[0], &q);
	lane_join_queue(&lanes[1], &q);
	lane_join_queue(&lanes[0], &q);
	cr_assert(eq(str, (char *)waiting(&q), "ab"));
}

Test(lane_queue, a_lane_waits_in_one_queue_at_a_time)
{
	lane_join_queue(&lanes[0], &q);
	lane_join_queue(&lanes[0], &other);
	cr_assert(eq(str, (char *)waiting(&q), ""));
	cr_assert(eq(str, (char *)waiting(&other), "a"));
	cr_assert(lanes[0].waits_in == &other);
}

Test(lane_queue, a_lane_that_is_closed_waits_no_more)
{
	lane_join_queue(&lanes[0], &q);
	lane_join_queue(&lanes[1], &q);
	lane_close(&lanes[0]);
	cr_assert(eq(str, (char *)waiting(&q), "b"));
	cr_assert(lanes[0].waits_in == NULL);
	lane_leave_queue(&lanes[0]);
	cr_assert(eq(str, (char *)waiting(&q), "b"));
}

Test(lane, what_its_events_take_of_memory_counts_also_without_a_body)
{
	for (int i = 0; i < 1000; i++)
		append("");
	cr_assert(ge(u32, l.bytes,
		     1000 * (sizeof(struct lane_event) + sizeof(struct blob))));
	while (l.first != NULL) {
		l.unsent = l.first->next;
		lane_done(&l, l.first);
	}
	cr_assert(eq(u32, l.bytes, 0));
}

Test(lane, what_was_sent_and_not_answered_is_under_way)
{
	append_and_send(3);
	append("x");
	cr_assert(eq(u32, lane_under_way(&l), 3));
	lane_done(&l, lane_find(&l, 1));
	cr_assert(eq(u32, lane_under_way(&l), 2));
	lane_restart(&l, NULL, 0);
	cr_assert(eq(u32, lane_under_way(&l), 0));
}
