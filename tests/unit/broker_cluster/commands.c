#include "broker/cluster/commands.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

enum { NO_ANSWER = -1 };

static int answer = NO_ANSWER; /* the enum err that fn got */
static size_t answers;
static bool had_outcome;

TestSuite(commands, .init = cluster_start, .fini = cluster_stop);

static void on_done(void *arg, enum err e, const Gatepost__Outcome *o)
{
	(void)arg;
	answer = (int)e;
	answers++;
	had_outcome = o != NULL;
}

static struct id one(void)
{
	return id_make(7, 1, 99);
}

static struct command *send_one(void)
{
	struct id id = one();

	return command_send(cluster.commands, &id,
			    &(struct push){span_str("hello"), false}, on_done, NULL);
}

static void outcome(const char *from, uint64_t ticket, Gatepost__Outcome__Result result)
{
	Gatepost__Outcome *o = batch_add(cluster_letter(), GATEPOST__ITEM__BODY_OUTCOME,
					 &gatepost__outcome__descriptor);

	o->ticket = ticket;
	o->result = result;
	cluster_post(from);
}

static int64_t failed(const char *labels)
{
	return cluster_metric("gatepost_broker_commands_failed_total", labels);
}

static int64_t asked(const char *labels)
{
	return cluster_metric("gatepost_broker_commands_total", labels);
}

/* ---- what goes to the edge ---- */

Test(commands, a_send_carries_the_body_to_its_connection)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_send(cluster.commands, &id, &(struct push){span_str("hello"), true},
		     on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__SEND));
	cr_assert(span_eq(span_from(c->id), id_span(&id)));
	cr_assert(span_is(span_from(c->frame->body), "hello"));
	cr_assert(c->frame->binary);
	cr_assert(eq(i64, asked("kind=\"send\""), 1));
}

Test(commands, a_close_carries_code_and_reason)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_close(cluster.commands, &id, 4001, "enough", on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__CLOSE));
	cr_assert(eq(u32, c->code, 4001));
	cr_assert(span_is(span_from(c->reason), "enough"));
	cr_assert(eq(i64, asked("kind=\"close\""), 1));
}

Test(commands, a_look_names_the_connection)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_get(cluster.commands, &id, on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__LOOK));
	cr_assert(span_eq(span_from(c->id), id_span(&id)));
	cr_assert(eq(i64, asked("kind=\"look\""), 1));
}

static void fill_subscription(void *arg, struct batch *b, Gatepost__Command *to)
{
	to->subscription = proto_arena_alloc(&b->arena, sizeof *to->subscription);
	gatepost__subscription__init(to->subscription);
	to->subscription->channel = batch_copy(b, span_str(arg));
}

static void fill_text(void *arg, struct batch *b, Gatepost__Command *to)
{
	Gatepost__Action *a = proto_arena_alloc(&b->arena, sizeof *a);

	gatepost__action__init(a);
	a->body_case = GATEPOST__ACTION__BODY_TEXT;
	a->text = batch_copy(b, span_str(arg));
	to->n_actions = 1;
	to->actions = proto_arena_alloc(&b->arena, sizeof *to->actions);
	to->actions[0] = a;
}

Test(commands, a_subscribe_carries_the_subscription)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_subscribe(cluster.commands, &id, fill_subscription,
			  (void *)(uintptr_t) "room:1", on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__SUBSCRIBE));
	cr_assert(span_eq(span_from(c->id), id_span(&id)));
	cr_assert(span_is(span_from(c->subscription->channel), "room:1"));
	cr_assert(eq(i64, asked("kind=\"subscribe\""), 1));
}

Test(commands, a_subscribe_has_five_seconds_since_its_edge_may_wait_for_brokers)
{
	struct id id = one();

	cluster_link("e1", 0xe1, 7);
	command_subscribe(cluster.commands, &id, fill_subscription,
			  (void *)(uintptr_t) "room:1", on_done, NULL);
	cluster_run(4900, "e1");
	cr_assert(eq(sz, answers, 0));
	cluster_run(300, "e1");
	cr_assert(eq(sz, answers, 1));
	cr_assert(eq(int, answer, ERR_DOWN));
}

Test(commands, a_full_outcome_of_a_subscribe_comes_with_it)
{
	struct id id = one();

	cluster_link("e1", 0xe1, 7);
	command_subscribe(cluster.commands, &id, fill_subscription,
			  (void *)(uintptr_t) "room:1", on_done, NULL);
	outcome("e1", 1, GATEPOST__OUTCOME__RESULT__FULL);
	cr_assert(eq(int, answer, ERR_BUSY));
	cr_assert(had_outcome);
}

Test(commands, an_unsubscribe_names_the_channel)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_unsubscribe(cluster.commands, &id, span_str("room:1"), on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__UNSUBSCRIBE));
	cr_assert(span_is(span_from(c->channel), "room:1"));
	cr_assert(eq(i64, asked("kind=\"unsubscribe\""), 1));
}

Test(commands, an_apply_carries_its_actions_and_costs_their_bytes)
{
	struct id id = one();
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	command_apply(cluster.commands, &id, 1000, fill_text, (void *)(uintptr_t) "ack",
		      on_done, NULL);
	c = cluster_read_command("e1");
	cr_assert(eq(int, c->kind, GATEPOST__COMMAND__KIND__APPLY));
	cr_assert(eq(sz, c->n_actions, 1));
	cr_assert(span_is(span_from(c->actions[0]->text), "ack"));
	cr_assert(eq(i64, asked("kind=\"apply\""), 1));
	cr_assert(not(edge_link_has_credit(edges_find(cluster.edges, 7))));
}

Test(commands, that_find_no_link_do_not_ask_for_their_contents)
{
	struct id id = one();

	command_subscribe(cluster.commands, &id, NULL, NULL, on_done, NULL);
	command_apply(cluster.commands, &id, 0, NULL, NULL, on_done, NULL);
	fake_store_row(ERR_NOTFOUND);
	fake_store_row(ERR_DOWN);
	cr_assert(eq(sz, answers, 2));
}

Test(commands, a_message_to_many_is_one_command_and_counts_for_each)
{
	struct id ids[] = {id_make(7, 1, 1), id_make(7, 2, 2), id_make(7, 3, 3)};
	const Gatepost__Command *c;

	cluster_link("e1", 0xe1, 7);
	cr_assert(command_send_many(cluster.commands, 7, span_of(ids, sizeof ids),
				    &(struct push){span_str("hello"), false}, on_done,
				    NULL) != NULL);
	c = cluster_read_command("e1");
	cr_assert(span_eq(span_from(c->ids), span_of(ids, sizeof ids)));
	cr_assert(span_is(span_from(c->frame->body), "hello"));
	cr_assert(eq(i64, asked("kind=\"send\""), 3));
	commands_count(cluster.commands, 2, 1);
	cr_assert(eq(i64, failed("why=\"gone\""), 2));
	cr_assert(eq(i64, failed("why=\"full\""), 1));
}

Test(commands, what_is_for_many_is_refused_at_once_without_a_link)
{
	struct id id = one();
	struct span ids = id_span(&id);

	cr_assert(command_send_many(cluster.commands, 7, ids,
				    &(struct push){span_str("x"), false}, on_done,
				    NULL) == NULL);
	cr_assert(command_query(cluster.commands, 7, ids, (struct span){0}, on_done,
				NULL) == NULL);
	cluster_run(2 * COMMAND_MS, "");
	cr_assert(eq(sz, answers, 0));
	cr_assert(eq(i64, asked("kind=\"send\""), 0));
}

Test(commands, go_over_the_newest_link_of_the_number)
{
	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 7);
	send_one();
	cr_assert(cluster_read("e1") == NULL);
	cr_assert(eq(u64, cluster_read_command("e2")->ticket, 1));
}

/* ---- every end of a command ---- */

enum end {
	OUTCOME_OK,
	OUTCOME_GONE,
	OUTCOME_FULL,
	LINK_LOST,
	NO_OUTCOME, /* in time */
	NO_CREDIT,
	ROW_STANDS, /* no link; the store has the row */
	NO_ROW,
	STORE_DOWN,
	STORE_BUSY,
};

struct row {
	enum end end;
	enum err e;
	int64_t gone, full, unanswered; /* counted */
	bool has_outcome;
};

static struct row rows[] = {
	{OUTCOME_OK, OK, 0, 0, 0, true},
	{OUTCOME_GONE, ERR_NOTFOUND, 1, 0, 0, true},
	{OUTCOME_FULL, ERR_BUSY, 0, 1, 0, true},
	{LINK_LOST, ERR_DOWN, 0, 0, 1, false},
	{NO_OUTCOME, ERR_DOWN, 0, 0, 1, false},
	{NO_CREDIT, ERR_BUSY, 0, 1, 0, false},
	{ROW_STANDS, ERR_DOWN, 0, 0, 0, false},
	{NO_ROW, ERR_NOTFOUND, 0, 0, 0, false},
	{STORE_DOWN, ERR_DOWN, 0, 0, 0, false},
	{STORE_BUSY, ERR_DOWN, 0, 0, 0, false},
};

static bool is_linked(enum end end)
{
	return end <= NO_CREDIT;
}

/* Until there is no credit; these end by their time. */
static void use_credit(void)
{
	struct id id = one();

	for (int i = 0; i < 4; i++)
		command_cancel(command_get(cluster.commands, &id, on_done, NULL));
}

static void come_to(enum end end)
{
	switch (end) {
	case OUTCOME_OK: outcome("e1", 1, GATEPOST__OUTCOME__RESULT__OK); return;
	case OUTCOME_GONE: outcome("e1", 1, GATEPOST__OUTCOME__RESULT__GONE); return;
	case OUTCOME_FULL: outcome("e1", 1, GATEPOST__OUTCOME__RESULT__FULL); return;
	case LINK_LOST:
		cluster_hello("e1b", 0xe1, 7);
		cr_assert(eq(sz, answers, 0), "from inside the call that lost it");
		fake_loop_run(cluster.loop, 0);
		return;
	case NO_OUTCOME:
		cluster_run(COMMAND_MS - 100, "e1");
		cr_assert(eq(sz, answers, 0));
		cluster_run(300, "e1");
		return;
	case NO_CREDIT:
		cr_assert(eq(sz, answers, 0), "from inside the call that asked");
		fake_loop_run(cluster.loop, 0);
		return;
	case ROW_STANDS: fake_store_row(OK); return;
	case NO_ROW: fake_store_row(ERR_NOTFOUND); return;
	case STORE_DOWN: fake_store_row(ERR_DOWN); return;
	case STORE_BUSY: fake_store_row(ERR_BUSY); return;
	}
}

ParameterizedTestParameters(commands, every_end)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, commands, every_end)
{
	char text[ID_TEXT];
	struct id id = one();

	if (is_linked(r->end))
		cluster_link("e1", 0xe1, 7);
	if (r->end == NO_CREDIT)
		use_credit();
	send_one();
	if (!is_linked(r->end))
		cr_assert(eq(str, (char *)fake_store_asked(FIND)->ids[0],
			     (char *)id_text(&id, text)));
	come_to(r->end);
	cr_assert(eq(sz, answers, 1));
	cr_assert(eq(int, answer, (int)r->e));
	cr_assert(eq(int, had_outcome, r->has_outcome));
	cr_assert(eq(i64, failed("why=\"gone\""), r->gone));
	cr_assert(eq(i64, failed("why=\"full\""), r->full));
	cr_assert(eq(i64, failed("why=\"unanswered\""), r->unanswered));
}

/* The same ends, of a command that nobody waits for any more: no fn is called, and nothing is left over. */
ParameterizedTestParameters(commands, every_end_after_a_cancel)
{
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, commands, every_end_after_a_cancel)
{
	if (is_linked(r->end))
		cluster_link("e1", 0xe1, 7);
	if (r->end == NO_CREDIT)
		use_credit();
	command_cancel(send_one());
	come_to(r->end);
	cluster_run(2 * COMMAND_MS, "e1");
	cr_assert(eq(sz, answers, 0));
}

/* ---- outcomes that come from elsewhere, or late ---- */

Test(commands, an_outcome_of_another_edge_is_ignored)
{
	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 8);
	send_one();
	outcome("e2", 1, GATEPOST__OUTCOME__RESULT__OK);
	cr_assert(eq(sz, answers, 0));
	outcome("e1", 1, GATEPOST__OUTCOME__RESULT__OK);
	cr_assert(eq(sz, answers, 1));
}

Test(commands, an_outcome_that_comes_late_or_twice_is_ignored)
{
	cluster_link("e1", 0xe1, 7);
	send_one();
	cluster_run(COMMAND_MS + 200, "e1");
	cr_assert(eq(int, answer, ERR_DOWN));
	outcome("e1", 1, GATEPOST__OUTCOME__RESULT__OK);
	send_one();
	outcome("e1", 2, GATEPOST__OUTCOME__RESULT__OK);
	outcome("e1", 2, GATEPOST__OUTCOME__RESULT__OK);
	cr_assert(eq(sz, answers, 2));
}

Test(commands, only_those_of_the_lost_link_fail)
{
	struct id other = id_make(8, 1, 99);

	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 8);
	send_one();
	command_get(cluster.commands, &other, on_done, NULL);
	cluster_hello("e1b", 0xe1, 7);
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(sz, answers, 1));
	outcome("e2", 2, GATEPOST__OUTCOME__RESULT__OK);
	cr_assert(eq(sz, answers, 2));
}

static void ask_again(void *arg, enum err e, const Gatepost__Outcome *o)
{
	(void)arg;
	(void)e;
	(void)o;
	answers++;
	send_one();
}

Test(commands, asked_for_from_inside_an_answer_are_answered_on_the_next_turn)
{
	struct id id = one();

	cluster_link("e1", 0xe1, 7);
	use_credit();
	command_get(cluster.commands, &id, ask_again, NULL);
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(sz, answers, 2));
}

Test(commands, that_are_under_way_at_the_end_are_freed_and_not_answered)
{
	struct id other = id_make(9, 1, 99);

	cluster_link("e1", 0xe1, 7);
	use_credit();
	send_one();                                           /* its answer is due */
	command_get(cluster.commands, &other, on_done, NULL); /* the store is asked */
	cluster_free_edges();                                 /* what is lost is due */
	fake_store_close();
	commands_free(cluster.commands);
	cluster.commands = NULL;
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(sz, answers, 0));
	resync_free(cluster.resync);
	cluster.resync = NULL;
}
