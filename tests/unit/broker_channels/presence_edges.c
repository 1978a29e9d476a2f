#include "broker/channels/presence/presence_edges.h"

#include "fake_presence.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct presence_edges *all;
static struct span one[] = {{(const uint8_t *)"{\"user\":\"u1\"}", 13}};
static size_t restored;
static enum err restored_with;

static void start(void)
{
	channels_start();
	chat.presence.members = true;
	chat.presence.events_ms = 500;
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	all = presence_edges_new(cluster.loop, fake_store(), channels_presence(channels),
				 cluster.commands);
}

static void stop(void)
{
	presence_edges_free(all);
	channels_stop();
}

TestSuite(presence_edges, .init = start, .fini = stop);

static bool is_asked(enum fake_presence what, const char *text)
{
	return strcmp(fake_presence_asked(what), text) == 0;
}

/* ---- dead edges ---- */

Test(presence_edges, the_connections_of_a_dead_edge_leave_each_channel_of_its_list)
{
	const Gatepost__Item *i;

	presence_edges_reap(all, 9);
	cr_assert(is_asked(PRESENCE_LIST, "9 0"));
	fake_presence_names(PRESENCE_LIST, "chat");
	cr_assert(is_asked(PRESENCE_REAP, "chat 9"));
	fake_presence_change(PRESENCE_REAP,
			     &(struct presence_change){one, 1, 5, 5, .more = true});
	i = channels_read("e1", GATEPOST__ITEM__BODY_PRESENCE);
	cr_assert(i != NULL && i->presence->n_left == 1);
	cr_assert(is_asked(PRESENCE_REAP, "chat 9"), "there were more");
	fake_presence_change(PRESENCE_REAP, &(struct presence_change){.connections = 0});
	cr_assert(is_asked(PRESENCE_UNLIST, "9 chat"));
	fake_presence_done(PRESENCE_UNLIST);
	cr_assert(is_asked(PRESENCE_LIST, "9 0"));
	fake_presence_names(PRESENCE_LIST, NULL);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 0));
}

Test(presence_edges, of_a_dead_edge_are_reaped_once_at_a_time_and_again_after_a_failure)
{
	presence_edges_reap(all, 9);
	presence_edges_reap(all, 9);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 1));
	fake_presence_names(PRESENCE_LIST, "chat");
	fake_presence_fail(PRESENCE_REAP);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_UNLIST), 0));
	presence_edges_reap(all, 9);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 1));
}

/* ---- a store without memory ---- */

static void on_restored(void *arg, enum err e)
{
	(void)arg;
	restored++;
	restored_with = e;
}

static void restore(size_t n)
{
	struct id id = id_make(7, 1, 1);
	Gatepost__Roster__Row row = GATEPOST__ROSTER__ROW__INIT;
	Gatepost__Membership m = GATEPOST__MEMBERSHIP__INIT;
	Gatepost__Membership *list[] = {&m, &m};

	m.channel = (ProtobufCBinaryData){4, (uint8_t *)(uintptr_t) "chat"};
	m.member = (ProtobufCBinaryData){one[0].n, (uint8_t *)(uintptr_t)one[0].p};
	row.id = (ProtobufCBinaryData){ID_BYTES, id.b};
	row.memberships = list;
	row.n_memberships = n;
	presence_edges_restore(all, &row, on_restored, NULL);
}

Test(presence_edges, memberships_that_an_edge_lists_join_again_with_their_user)
{
	restore(2);
	cr_assert(is_asked(PRESENCE_JOIN, "chat 7 u1 {\"user\":\"u1\"}"));
	fake_presence_change(PRESENCE_JOIN, &(struct presence_change){.connections = 1});
	cr_assert(eq(sz, restored, 0));
	fake_presence_change(PRESENCE_JOIN, &(struct presence_change){.connections = 1});
	cr_assert(restored == 1 && restored_with == OK);
}

Test(presence_edges, a_membership_that_could_not_be_written_is_known_to_be_missing)
{
	restore(2);
	fake_presence_fail(PRESENCE_JOIN);
	fake_presence_change(PRESENCE_JOIN, &(struct presence_change){.connections = 1});
	cr_assert(restored == 1 && restored_with == ERR_DOWN);
}

Test(presence_edges, a_connection_without_memberships_is_written_at_once)
{
	restore(0);
	cr_assert(restored == 1 && restored_with == OK);
}

/* ---- reconcile ---- */

static void answer_query(const char *channel, uint8_t result)
{
	const Gatepost__Command *c;
	Gatepost__Outcome *o;
	const Gatepost__Item *i = channels_read("e1", GATEPOST__ITEM__BODY_COMMAND);

	cr_assert(i != NULL, "the edge was not asked");
	c = i->command;
	cr_assert(c->kind == GATEPOST__COMMAND__KIND__KNOW);
	cr_assert(span_is(span_from(c->channel), channel));
	o = batch_add(cluster_letter(), GATEPOST__ITEM__BODY_OUTCOME,
		      &gatepost__outcome__descriptor);
	o->ticket = c->ticket;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	o->results = batch_copy(cluster_letter(), span_of(&result, 1));
	cluster_post("e1");
}

static const char *id_of_member(void)
{
	static char text[ID_TEXT];
	struct id id = id_make(7, 1, 1);

	return id_text(&id, text);
}

static void reconcile_up_to_the_answer(uint8_t result)
{
	presence_edges_reconcile(all, 7);
	fake_presence_names(PRESENCE_LIST, "chat");
	cr_assert(is_asked(PRESENCE_IDS, "chat 7 "));
	fake_presence_names(PRESENCE_IDS, id_of_member());
	answer_query("chat", result);
}

static void expect_the_end(void)
{
	fake_presence_names(PRESENCE_IDS, NULL);
	cr_assert(is_asked(PRESENCE_LIST, "7 1"));
	fake_presence_names(PRESENCE_LIST, NULL);
	presence_edges_reconcile(all, 7);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 1), "it has ended");
}

Test(presence_edges, whom_the_edge_does_not_know_leaves)
{
	reconcile_up_to_the_answer(GATEPOST__OUTCOME__RESULT__GONE);
	cr_assert(is_asked(PRESENCE_LEAVE, "chat 7 0"));
	fake_presence_change(PRESENCE_LEAVE,
			     &(struct presence_change){one, 1, .connections = 0});
	expect_the_end();
}

Test(presence_edges, whom_the_edge_knows_stays)
{
	reconcile_up_to_the_answer(GATEPOST__OUTCOME__RESULT__OK);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LEAVE), 0));
	expect_the_end();
}

Test(presence_edges, without_a_link_to_the_edge_are_reconciled_later)
{
	presence_edges_reconcile(all, 11);
	fake_presence_names(PRESENCE_LIST, "chat");
	fake_presence_names(PRESENCE_IDS, id_of_member());
	presence_edges_reconcile(all, 11);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 1));
}

/* A ghost stayed until the next period when the edge or the store did not answer. */
Test(presence_edges, are_reconciled_again_a_second_after_the_store_did_not_answer)
{
	presence_edges_reconcile(all, 7);
	fake_presence_names(PRESENCE_LIST, "chat");
	fake_presence_fail(PRESENCE_IDS);
	presence_edges_reconcile(all, 7);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_LIST), 0));
	cluster_run(1100, "e1");
	cr_assert(is_asked(PRESENCE_LIST, "7 0"));
}
