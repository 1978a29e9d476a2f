#include "edge/client/connection.h"

#include "fixture.h"

#include "ws/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

TestSuite(connection, .init = fixture_init, .fini = fixture_stop, .timeout = 60);

static const struct end_words words = {4321, {(const uint8_t *)"words", 5}};

static int state_of(const struct client *k)
{
	struct connection *c = client_connection(k);

	return c != NULL ? c->state : -1;
}

/* A client in this phase; all that it was sent is read. */
static struct client *bring_to(enum end_phase phase)
{
	struct client *k = phase >= PHASE_OPEN && phase <= PHASE_CLOSING ? client_open()
									 : client_new();

	switch (phase) {
	case PHASE_NEW:
	case PHASE_OPEN: break;
	case PHASE_KEPT:
		client_send_text(k, GET);
		client_answer_status(k, 200);
		break;
	case PHASE_HEAD: client_send_text(k, "GET / HT"); break;
	case PHASE_BODY:
		client_send_text(k, POST);
		client_send_text(k, "abc");
		break;
	case PHASE_CONNECT: client_send_text(k, UPGRADE); break;
	case PHASE_REQUEST: client_send_text(k, GET); break;
	case PHASE_OWING:
		client_send_frame(k, 0x81, "hello", 5);
		client_send_frame(k, 0x88, "\x03\xe8", 2);
		break;
	case PHASE_CLOSING:
		connection_end(client_connection(k), CAUSE_COMMAND_CLOSE, &words);
		break;
	case PHASE_LINGER: client_send_text(k, "nonsense\r\n\r\n"); break;
	case PHASE_GONE:
		client_send_text(k, UPGRADE);
		shutdown(k->fd, SHUT_WR);
		break;
	case PHASES: break;
	}
	client_read(k, NULL);
	return k;
}

static const int state_in[] = {
	[PHASE_NEW] = CONNECTION_HEAD,        [PHASE_KEPT] = CONNECTION_HEAD,
	[PHASE_HEAD] = CONNECTION_HEAD,       [PHASE_BODY] = CONNECTION_BODY,
	[PHASE_CONNECT] = CONNECTION_ASKED,   [PHASE_REQUEST] = CONNECTION_ASKED,
	[PHASE_OPEN] = CONNECTION_OPEN,       [PHASE_OWING] = CONNECTION_CLOSING,
	[PHASE_CLOSING] = CONNECTION_CLOSING, [PHASE_LINGER] = CONNECTION_LINGER,
	[PHASE_GONE] = CONNECTION_GONE,
};

/* Close code of the frame at p; 0: it is none. */
static unsigned close_code(const char *p, size_t n)
{
	const uint8_t *b = (const uint8_t *)p;

	return n >= 4 && b[0] == 0x88 ? (unsigned)(b[2] << 8 | b[3]) : 0;
}

/* The disconnect event at the end of its lane; 0: none. */
static unsigned disconnect_code(const struct client *k)
{
	const struct lane_event *e = client_last_event(k);

	return e != NULL && e->kind == GATEPOST__EVENT__KIND__DISCONNECT ? e->code : 0;
}

static void check_cut(struct client *k, const struct end *how)
{
	size_t n;
	const char *in = client_read(k, &n);

	cr_assert(eq(u32, close_code(in, n),
		     how->step == END_CUT_POLITELY ? how->code : 0));
	cr_assert(client_is_at_end(k));
	cr_assert(state_of(k) == CONNECTION_GONE || state_of(k) == -1);
}

static void check_refused(struct client *k, const struct end *how)
{
	size_t n;
	const char *in = client_read(k, &n);

	cr_assert(eq(int, atoi(in + strlen("HTTP/1.1 ")), how->status));
	cr_assert(strstr(in, "Connection: close") != NULL);
	cr_assert(memmem(in, n, how->message.p, how->message.n) != NULL);
	cr_assert(client_is_at_end(k));
	cr_assert(eq(int, state_of(k), CONNECTION_LINGER));
}

/* From OPEN, with nothing unanswered. */
static void check_closed(struct client *k, const struct end *how)
{
	size_t n;
	const char *in = client_read(k, &n);

	cr_assert(eq(u32, close_code(in, n), how->code));
	cr_assert(eq(sz, n, 4 + (how->is_reply ? 0 : how->reason.n)));
	cr_assert(eq(int, state_of(k), CONNECTION_CLOSING));
	cr_assert(not(client_is_at_end(k)));
	client_send_frame(k, 0x88, "\x03\xe8", 2);
	cr_assert(client_is_at_end(k));
	cr_assert(eq(int, state_of(k), CONNECTION_LINGER));
}

/* The same, when the close frame is the last: it ends behind the answers, and there are none. */
static void check_answered(struct client *k, const struct end *how)
{
	size_t n;
	const char *in = client_read(k, &n);

	cr_assert(eq(u32, close_code(in, n), how->code));
	cr_assert(eq(sz, n, 4 + (how->is_reply ? 0 : how->reason.n)));
	cr_assert(client_is_at_end(k));
	cr_assert(eq(int, state_of(k), CONNECTION_LINGER));
}

static void check(struct client *k, enum end_phase phase, enum end_cause cause)
{
	static const struct end_words bad = {414, {(const uint8_t *)"words", 5}};
	const struct end_words *own = cause == CAUSE_BAD_REQUEST ? &bad : &words;
	struct connection *c = client_connection(k);
	struct end how = end_of(phase, cause, own);
	unsigned before = disconnect_code(k), after;
	bool was_open = c->lane.is_open;

	cr_assert(eq(int, state_of(k), state_in[phase]));
	cr_assert(eq(int, connection_end(c, cause, own), how.step != END_NOTHING));
	fake_loop_turn(fixture.loop);
	after = disconnect_code(k);
	if (how.has_event && was_open)
		cr_assert(eq(u32, after, how.code));
	else if (!how.forgets_lane)
		cr_assert(eq(u32, after, before));
	else
		cr_assert(eq(u32, after, 0));
	switch (how.step) {
	case END_NOTHING:
	case END_EVENT: cr_assert(eq(int, state_of(k), state_in[phase])); break;
	case END_REFUSE: check_refused(k, &how); break;
	case END_LINGER: cr_assert(eq(int, state_of(k), CONNECTION_LINGER)); break;
	case END_CUT:
	case END_CUT_POLITELY: check_cut(k, &how); break;
	case END_CLOSE:
	case END_DRAIN: check_closed(k, &how); break;
	case END_CLOSE_BEHIND: check_answered(k, &how); break;
	case END_CLOSE_NOW:
		cr_assert(eq(u32, close_code(client_read(k, NULL), 4), 1000));
		cr_assert(eq(int, state_of(k), CONNECTION_LINGER));
		break;
	case END_DROP: cr_assert(eq(int, state_of(k), -1)); break;
	}
}

/* Each cause in a process of its own, of the eleven phases one after the other. */
ParameterizedTestParameters(connection, ends_as_the_table_says)
{
	static int causes[CAUSES];

	for (int i = 0; i < CAUSES; i++)
		causes[i] = i;
	return cr_make_param_array(int, causes, CAUSES);
}

ParameterizedTest(int *cause, connection, ends_as_the_table_says)
{
	for (int p = 0; p < PHASES; p++)
		check(bring_to((enum end_phase)p), (enum end_phase)p,
		      (enum end_cause) * cause);
}

/* ---- deadlines ---- */

static void pass_just_not(int64_t ms)
{
	fixture_pass(ms - 1200); /* each connection is ticked about once a second */
}

static void pass_rest(void)
{
	fixture_pass(2400);
}

struct deadline {
	enum end_phase phase;
	int64_t ms;
	int state; /* after it */
	int status;
};

ParameterizedTestParameters(connection, ends_at_the_deadline_of_its_phase_and_not_before)
{
	static struct deadline rows[] = {
		{PHASE_NEW, 10000, -1, 0},
		{PHASE_KEPT, 75000, -1, 0},
		{PHASE_HEAD, 10000, CONNECTION_LINGER, 408},
		{PHASE_BODY, 10000, CONNECTION_LINGER, 408},
		{PHASE_CONNECT, 35000, CONNECTION_LINGER, 504},
		{PHASE_REQUEST, 35000, CONNECTION_LINGER, 504},
		{PHASE_CLOSING, 5000, CONNECTION_GONE, 0},
		{PHASE_LINGER, 2000, -1, 0},
	};
	return cr_make_param_array(struct deadline, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct deadline *r, connection,
		  ends_at_the_deadline_of_its_phase_and_not_before)
{
	struct client *k = bring_to(r->phase);

	pass_just_not(r->ms);
	cr_assert(eq(int, state_of(k), state_in[r->phase]));
	pass_rest();
	if (r->status != 0)
		cr_assert(eq(int, atoi(client_read(k, NULL) + 9), r->status));
	cr_assert(client_is_at_end(k));
	if (r->status == 0)
		cr_assert(eq(int, state_of(k), r->state));
}

Test(connection, that_owes_answers_gets_its_close_frame_at_the_deadline)
{
	struct client *k = bring_to(PHASE_OWING);

	pass_just_not(5000);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	pass_rest();
	cr_assert(eq(u32, close_code(client_read(k, NULL), 4), 1000));
	cr_assert(client_is_at_end(k));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_unanswered_total", NULL), 0));
}

Test(connection, whose_client_answers_no_close_frame_is_counted)
{
	bring_to(PHASE_CLOSING);
	fixture_pass(7000);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_unanswered_total", NULL), 1));
}

Test(connection, whose_client_sent_nothing_is_counted_as_silent_and_gets_no_response)
{
	struct client *k = client_new();

	fixture_pass(12000);
	cr_assert(client_is_at_end(k));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_silent_total", NULL), 1));
}

/* ---- writing ---- */

Test(connection, writes_what_a_turn_has_queued_at_its_end)
{
	struct client *k = client_open();
	struct connection *c = client_connection(k);
	char in[8];

	connection_push(c, blob_new(span_str("ab")));
	connection_push(c, blob_new(span_str("cd")));
	cr_assert(eq(long, recv(k->fd, in, sizeof in, MSG_DONTWAIT), -1));
	connections_flush(fixture.clients);
	cr_assert(eq(long, recv(k->fd, in, sizeof in, MSG_DONTWAIT), 4));
	cr_assert(eq(int, memcmp(in, "abcd", 4), 0));
	cr_assert(c->outbox == NULL);
	cr_assert(eq(u64, fixture.clients->outbox_bytes, 0));
}

static void push_much(struct connection *c)
{
	struct blob *b = blob_alloc(1 << 20);

	memset(b->p, 'x', b->n);
	connection_push(c, b);
	fake_loop_turn(fixture.loop);
}

Test(connection, that_takes_nothing_of_its_outbox_is_cut_after_the_stall_timeout)
{
	struct client *k = client_open();

	push_much(client_connection(k));
	cr_assert(not(connection_can_queue(client_connection(k))));
	fixture_pass(28000);
	cr_assert(eq(int, state_of(k), CONNECTION_OPEN));
	fixture_pass(4000);
	cr_assert(eq(int, state_of(k), CONNECTION_GONE));
	cr_assert(eq(u32, disconnect_code(k), 1006));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_stalled_total", NULL), 1));
}

Test(connection, that_reads_slowly_is_written_to_as_it_reads)
{
	struct client *k = client_open();
	size_t all = 0, n;

	push_much(client_connection(k));
	for (int i = 0; i < 1000 && all < 1 << 20; i++, all += n)
		client_read(k, &n);
	cr_assert(eq(sz, all, 1 << 20));
	cr_assert(client_connection(k)->outbox == NULL);
}

Test(connection, whose_client_is_reset_while_it_is_written_to_ends_as_lost)
{
	struct client *k = client_open();

	push_much(client_connection(k));
	client_close(k);
	cr_assert(eq(u32, disconnect_code(k), 1006));
	cr_assert(eq(int, state_of(k), CONNECTION_GONE));
	client_answer(k, NULL);
	cr_assert(eq(int, state_of(k), -1));
}

/* ---- reading ---- */

Test(connection, that_is_ahead_of_the_brokers_is_read_no_further_until_they_answer)
{
	struct client *k = client_open();

	for (int i = 0; i < 12; i++)
		client_send_frame(k, 0x81, "x", 1);
	cr_assert(eq(u32, client_connection(k)->lane.n, 8));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_back_total", NULL), 1));
	client_answer(k, NULL);
	cr_assert(eq(u32, client_connection(k)->lane.n, 8));
	for (int i = 0; i < 11; i++)
		client_answer(k, NULL);
	cr_assert(client_event(k) == NULL);
}

Test(connection, over_the_budget_of_all_reads_on_only_with_nothing_unanswered)
{
	struct client *k = client_open();

	fixture.clients->held_bytes += 2000000;
	client_send_frame(k, 0x81, "x", 1);
	client_send_frame(k, 0x81, "y", 1);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	client_answer(k, NULL);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	fixture.clients->held_bytes -= 2000000;
}

/* ---- the slot ---- */

Test(connection, keeps_its_slot_until_its_last_event_is_answered)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	client_close(k);
	cr_assert(eq(int, state_of(k), CONNECTION_GONE));
	client_answer_frame(k, "nobody reads this");
	cr_assert(eq(int, state_of(k), CONNECTION_GONE));
	client_answer(k, NULL);
	cr_assert(eq(int, state_of(k), -1));
	cr_assert(eq(u32, clients_connections(fixture.clients), 0));
}

Test(connection, that_goes_before_a_broker_has_seen_its_request_is_forgotten)
{
	struct client *k = client_new();

	fixture.is_seen = false;
	client_send_text(k, UPGRADE);
	client_close(k);
	cr_assert(eq(int, state_of(k), -1));
}
