#include "proto/link.h"

#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>

enum { MOST_GOT = 8 };

/* One envelope as the other side has read it: how many items, the first and last event's number. */
struct got {
	size_t n;
	uint64_t first, last;
	uint64_t taken_items, taken_bytes;
};

static struct loop *loop;
static struct timer *guard;
static void *zctx;
static struct zsock *here, *there;
static struct link l;
static struct got got[MOST_GOT];
static size_t n_got, n_wanted;

static void on_nothing(void *arg, struct span from, zmq_msg_t *body)
{
	(void)arg;
	(void)from;
	(void)body;
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	struct got *g = &got[n_got++];
	Gatepost__Envelope *e;
	struct proto_arena a;

	(void)arg;
	(void)from;
	cr_assert(le(sz, n_got, MOST_GOT));
	proto_arena_init(&a);
	cr_assert(
		eq(int,
		   envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &a, &e),
		   OK));
	*g = (struct got){.n = e->n_items,
			  .taken_items = e->taken_items,
			  .taken_bytes = e->taken_bytes};
	if (e->n_items > 0) {
		g->first = e->items[0]->event->seq;
		g->last = e->items[e->n_items - 1]->event->seq;
	}
	proto_arena_close(&a);
	if (n_got == n_wanted)
		loop_stop(loop);
}

static void on_late(void *arg)
{
	(void)arg;
	cr_fatal("%zu of %zu envelopes have come", n_got, n_wanted);
}

static const struct link_timing timing = {.heartbeat_ms = 1000, .silence_ms = 5000};

static void start(void)
{
	loop = loop_new();
	zctx = zmq_ctx_new();
	there = zsock_new(loop, zctx, ZMQ_PAIR, on_message, NULL);
	here = zsock_new(loop, zctx, ZMQ_PAIR, on_nothing, NULL);
	cr_assert(eq(int, zsock_bind(there, "inproc://there"), OK));
	cr_assert(eq(int, zsock_connect(here, "inproc://there"), OK));
	guard = timer_new(loop, on_late, NULL);
	timer_after(guard, 10000);
	link_init(&l, here, span_of(NULL, 0), timing, 0);
	snprintf(l.peer, sizeof l.peer, "the-other");
}

static void end(void)
{
	link_close(&l);
	timer_free(guard);
	zsock_free(here);
	zsock_free(there);
	zmq_ctx_term(zctx);
	loop_free(loop);
}

TestSuite(link, .init = start, .fini = end, .timeout = 30);

static void up(void)
{
	link_set_state(&l, LINK_GREETING);
	link_set_state(&l, LINK_UP);
}

static void add(uint64_t seq, size_t body)
{
	struct blob *b = blob_alloc(body);
	Gatepost__Event *e =
		link_add(&l, GATEPOST__ITEM__BODY_EVENT, &gatepost__event__descriptor);

	memset(b->p, 'x', body);
	e->id = batch_copy(&l.out, span_of("eleven byte", 11));
	e->kind = GATEPOST__EVENT__KIND__MESSAGE;
	e->seq = seq;
	e->body = batch_hold(&l.out, b);
	blob_unref(b);
}

/* Flush at this time, then wait until the other side has n envelopes since the beginning. */
static void flush_and_wait(int64_t now, size_t n)
{
	cr_assert(eq(int, link_flush(&l, now), OK));
	n_wanted = n;
	if (n_got < n)
		loop_run(loop);
	cr_assert(eq(sz, n_got, n));
}

Test(link, what_was_added_goes_out_as_one_envelope_in_order)
{
	up();
	for (uint64_t i = 0; i < 100; i++)
		add(i, 10);
	flush_and_wait(1, 1);
	cr_assert(eq(sz, got[0].n, 100));
	cr_assert(eq(u64, got[0].first, 0));
	cr_assert(eq(u64, got[0].last, 99));
}

/* The second flush of each time would send another if there were something to say. */
Test(link, a_heartbeat_goes_out_when_it_is_due_and_not_before)
{
	up();
	flush_and_wait(999, 0);
	flush_and_wait(1000, 1);
	cr_assert(eq(sz, got[0].n, 0));
	flush_and_wait(1000, 1);
	flush_and_wait(1999, 1);
	flush_and_wait(2000, 2);
	add(1, 10);
	flush_and_wait(2500, 3);
	flush_and_wait(3499, 3);
	flush_and_wait(3500, 4);
	cr_assert(eq(sz, got[3].n, 0));
}

Test(link, credit_is_told_once_more_than_64_items_wait)
{
	up();
	l.taken_items = 64;
	l.taken_bytes = 6400;
	flush_and_wait(1, 0);
	l.taken_items = 65;
	l.taken_bytes = 6500;
	flush_and_wait(1, 1);
	cr_assert(eq(u64, got[0].taken_items, 65));
	cr_assert(eq(u64, got[0].taken_bytes, 6500));
	l.taken_items = 129;
	flush_and_wait(1, 1);
	l.taken_items = 130;
	flush_and_wait(1, 2);
	cr_assert(eq(u64, got[1].taken_items, 130));
}

Test(link, credit_also_travels_with_whatever_goes)
{
	up();
	l.taken_items = 1;
	l.taken_bytes = 7;
	add(0, 1);
	flush_and_wait(1, 1);
	cr_assert(eq(u64, got[0].taken_items, 1));
	cr_assert(eq(u64, got[0].taken_bytes, 7));
}

Test(link, credit_that_was_told_is_not_told_again)
{
	up();
	l.taken_items = 1;
	l.taken_bytes = 7;
	add(0, 1);
	flush_and_wait(1, 1);
	add(0, 1);
	flush_and_wait(1, 2);
	cr_assert(eq(u64, got[1].taken_items, 0));
	cr_assert(eq(u64, got[1].taken_bytes, 0));
}

Test(link, a_batch_over_a_mebibyte_goes_out_early_and_order_stays)
{
	up();
	for (uint64_t i = 0; i < 5; i++)
		add(i, 600 * 1024);
	flush_and_wait(1, 3);
	cr_assert(eq(u64, got[0].first, 0));
	cr_assert(eq(u64, got[0].last, 1));
	cr_assert(eq(u64, got[1].first, 2));
	cr_assert(eq(u64, got[1].last, 3));
	cr_assert(eq(u64, got[2].first, 4));
	cr_assert(eq(sz, got[2].n, 1));
}

Test(link, a_batch_of_4096_items_is_full)
{
	up();
	for (uint64_t i = 0; i < 4097; i++)
		add(i, 0);
	flush_and_wait(1, 2);
	cr_assert(eq(sz, got[0].n, 4096));
	cr_assert(eq(u64, got[0].last, 4095));
	cr_assert(eq(u64, got[1].first, 4096));
}

Test(link, nothing_goes_out_before_the_transport_is_there_nor_after_the_end)
{
	add(1, 1);
	cr_assert(eq(int, link_flush(&l, 5000), OK));
	cr_assert(eq(sz, l.out.n, 1));
	link_set_state(&l, LINK_DOWN);
	cr_assert(eq(int, link_flush(&l, 9000), OK));
	cr_assert(eq(sz, l.out.n, 1));
}

Test(link, a_greeting_goes_out)
{
	link_set_state(&l, LINK_GREETING);
	add(7, 1);
	flush_and_wait(1, 1);
	cr_assert(eq(u64, got[0].first, 7));
}

/* A ROUTER without such a peer: whatever goes there is lost. */
static void make_unreachable(struct zsock **router)
{
	*router = zsock_new(loop, zctx, ZMQ_ROUTER, on_nothing, NULL);
	link_close(&l);
	link_init(&l, *router, span_str("nobody"), timing, 0);
	up();
}

Test(link, a_flush_to_nobody_says_that_the_peer_is_down)
{
	struct zsock *router;

	make_unreachable(&router);
	add(1, 1);
	cr_assert(eq(int, link_flush(&l, 1), ERR_DOWN));
	zsock_free(router);
}

/* What came after it must not arrive without it. */
Test(link, once_an_early_batch_is_lost_every_flush_says_so)
{
	struct zsock *router;

	make_unreachable(&router);
	for (uint64_t i = 0; i < 3; i++)
		add(i, 600 * 1024);
	l.z = here; /* which would take it */
	cr_assert(eq(int, link_flush(&l, 1), ERR_DOWN));
	cr_assert(eq(int, link_flush(&l, 2), ERR_DOWN));
	zsock_free(router);
}

Test(link, a_peer_is_silent_only_after_the_whole_time)
{
	cr_assert(not(link_is_silent(&l, 5000)));
	cr_assert(link_is_silent(&l, 5001));
	link_heard(&l, 5001);
	cr_assert(not(link_is_silent(&l, 10001)));
	cr_assert(link_is_silent(&l, 10002));
}

Test(link, a_link_can_end_in_every_state_before_down)
{
	for (int ups = 0; ups < 3; ups++) {
		struct link k;

		link_init(&k, here, span_of(NULL, 0), timing, 0);
		for (int i = 0; i < ups; i++)
			link_set_state(&k, (enum link_state)(i + 1));
		link_set_state(&k, LINK_DOWN);
		cr_assert(eq(int, k.state, LINK_DOWN));
		link_close(&k);
	}
}

struct step {
	int from, to;
};

ParameterizedTestParameters(link, a_step_that_is_not_in_the_picture_aborts)
{
	static struct step rows[] = {
		{LINK_CONNECTING, LINK_CONNECTING},
		{LINK_CONNECTING, LINK_UP},
		{LINK_GREETING, LINK_CONNECTING},
		{LINK_GREETING, LINK_GREETING},
		{LINK_UP, LINK_CONNECTING},
		{LINK_UP, LINK_GREETING},
		{LINK_UP, LINK_UP},
		{LINK_DOWN, LINK_CONNECTING},
		{LINK_DOWN, LINK_GREETING},
		{LINK_DOWN, LINK_UP},
		{LINK_DOWN, LINK_DOWN},
	};

	return cr_make_param_array(struct step, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct step *r, link, a_step_that_is_not_in_the_picture_aborts,
		  .signal = SIGABRT)
{
	for (int s = LINK_GREETING; s <= r->from; s++)
		link_set_state(&l, (enum link_state)s);
	link_set_state(&l, (enum link_state)r->to);
}

/* Windows of credit. */

Test(window, has_room_while_less_than_its_limits_is_under_way)
{
	struct window w = {.items = 2, .bytes = 100};

	cr_assert(window_has_credit(&w));
	window_spend(&w, 10);
	cr_assert(window_has_credit(&w));
	window_spend(&w, 10);
	cr_assert(not(window_has_credit(&w)));
	window_refill(&w, 1, 10);
	cr_assert(window_has_credit(&w));
	cr_assert(eq(u64, w.used_items, 1));
	cr_assert(eq(u64, w.used_bytes, 10));
}

Test(window, lets_one_item_larger_than_itself_through_and_no_second)
{
	struct window w = {.items = 10, .bytes = 100};

	window_spend(&w, 1000);
	cr_assert(not(window_has_credit(&w)));
	window_refill(&w, 1, 901);
	cr_assert(window_has_credit(&w));
}

Test(window, is_full_at_exactly_its_bytes)
{
	struct window w = {.items = 10, .bytes = 100};

	window_spend(&w, 99);
	cr_assert(window_has_credit(&w));
	window_spend(&w, 1);
	cr_assert(not(window_has_credit(&w)));
}

Test(window, given_more_than_was_taken_is_empty_and_not_negative)
{
	struct window w = {.items = 2, .bytes = 100};

	window_spend(&w, 10);
	window_refill(&w, 5, 5000);
	cr_assert(eq(u64, w.used_items, 0));
	cr_assert(eq(u64, w.used_bytes, 0));
}

Test(window, of_nothing_never_has_room)
{
	struct window w = {0};

	cr_assert(not(window_has_credit(&w)));
}
