#include "broker/cluster/edge_link.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(edge_link, .init = cluster_start, .fini = cluster_stop);

static const char *name_of(const struct edge_link *edge)
{
	return edge != NULL ? edge_link_boot(edge) : "none";
}

Test(edge_link, a_welcome_names_this_broker_and_its_credit_and_all_brokers)
{
	const Gatepost__Welcome *w;

	cluster_beat("c1", true);
	cluster_hello("e1", 0xe1, 0);
	fake_store_number(OK, 7);
	w = cluster_read("e1")->welcome;
	cr_assert(eq(str, w->name, "broker-0"));
	cr_assert(eq(u64, w->boot, BROKER_BOOT));
	cr_assert(eq(u32, w->number, 7));
	cr_assert(eq(u64, w->credit_events, 100));
	cr_assert(eq(u64, w->credit_bytes, 1000));
	cr_assert(eq(sz, w->members->n_members, 2));
	cr_assert(eq(str, w->members->members[1]->endpoint, "tcp://127.0.0.1:7401"));
	cr_assert(not(w->store->away));
	cr_assert(eq(u32, w->beat_ms, BEAT_MS));
}

/* ---- its number ---- */

Test(edge_link, of_two_links_with_one_number_the_newest_that_is_up_is_found)
{
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e2", 0xe2, 7);
	cr_assert(eq(str, (char *)name_of(edges_find(cluster.edges, 7)),
		     "00000000000000e1"));
	/* Without the store it is welcome on the number that it says it has. */
	fake_store_number(ERR_DOWN, 0);
	cr_assert(eq(str, (char *)name_of(edges_find(cluster.edges, 7)),
		     "00000000000000e2"));
	cluster_garbage("e1"); /* the end of e1 */
	cr_assert(eq(str, (char *)name_of(edges_find(cluster.edges, 7)),
		     "00000000000000e2"));
}

Test(edge_link, the_older_link_is_found_again_when_the_newer_one_with_its_number_ends)
{
	cluster_link("e2", 0xe2, 7);
	cluster_link("e3", 0xe3, 7);
	cluster_link("e1", 0xe1, 7);
	cluster_hello("e3b", 0xe3, 7); /* in the middle */
	cluster_garbage("e1");         /* the newest */
	cr_assert(eq(str, (char *)name_of(edges_find(cluster.edges, 7)),
		     "00000000000000e2"));
	cluster_hello("e2b", 0xe2, 7);
	cr_assert(edges_find(cluster.edges, 7) == NULL);
}

Test(edge_link, that_is_still_referred_to_after_its_end_has_no_way_out)
{
	struct edge_link *edge = edge_link_ref(cluster_link("e1", 0xe1, 7));

	cr_assert(edge_link_is_live(edge));
	cr_assert(edge_link_out(edge) != NULL);
	cluster_garbage("e1");
	cr_assert(not(edge_link_is_live(edge)));
	cr_assert(edge_link_out(edge) == NULL);
	cr_assert(eq(u16, edge_link_number(edge), 7));
	cr_assert(eq(str, (char *)edge_link_boot(edge), "00000000000000e1"));
	edge_link_unref(edge);
}

/* ---- credit ---- */

static bool command(struct edge_link *edge, size_t bytes)
{
	Gatepost__Command *m = edge_link_command(edge, bytes);

	if (m == NULL)
		return false;
	m->kind = GATEPOST__COMMAND__KIND__CLOSE;
	m->code = 1000;
	m->id = batch_copy(&edge_link_out(edge)->out, id_span(&(struct id){.b = {0, 7}}));
	return true;
}

Test(edge_link, a_command_needs_credit_in_items_that_comes_back_as_the_edge_takes_them)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);

	for (int i = 0; i < 4; i++)
		cr_assert(command(edge, 1));
	cr_assert(not(command(edge, 1)));
	cluster_post_taken("e1", 1, 1);
	cr_assert(command(edge, 1));
	cr_assert(not(command(edge, 1)));
}

Test(edge_link, credit_stays_as_it_is_when_an_envelope_has_none)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);

	for (int i = 0; i < 4; i++)
		cr_assert(command(edge, 1));
	cluster_post_taken("e1", 2, 2);
	cluster_post("e1");
	cr_assert(command(edge, 1));
	cr_assert(command(edge, 1));
	cr_assert(not(command(edge, 1)));
}

Test(edge_link, a_command_needs_credit_in_bytes)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);

	cr_assert(command(edge, 1000));
	cr_assert(not(command(edge, 1)));
	cluster_post_taken("e1", 1, 1000);
	cr_assert(command(edge, 5000)); /* one may be larger than all the credit */
	cr_assert(not(command(edge, 1)));
}

static bool deliver(struct edge_link *edge, const char *body)
{
	Gatepost__Deliver *m = edge_link_deliver(edge, strlen(body));
	struct batch *b = &edge_link_out(edge)->out;

	if (m == NULL)
		return false;
	m->channel = batch_copy(b, span_str("room:1"));
	m->publication = proto_arena_alloc(&b->arena, sizeof *m->publication);
	gatepost__publication__init(m->publication);
	m->publication->body = batch_copy(b, span_str(body));
	return true;
}

Test(edge_link, a_publication_costs_the_credit_of_commands)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);
	const Gatepost__Item *i;

	for (int n = 0; n < 2; n++)
		cr_assert(command(edge, 1) && deliver(edge, "abc"));
	cr_assert(not(edge_link_has_credit(edge)));
	cr_assert(not(deliver(edge, "abc")));
	cr_assert(not(command(edge, 1)));
	cluster_post_taken("e1", 4, 8);
	cr_assert(edge_link_has_credit(edge));
	cluster_read("e1");
	i = cluster_read("e1");
	cr_assert(eq(int, i->body_case, GATEPOST__ITEM__BODY_DELIVER));
	cr_assert(span_is(span_from(i->deliver->publication->body), "abc"));
}

Test(edge_link, confirmations_need_no_credit)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);
	const Gatepost__Item *i;

	while (command(edge, 1))
		cluster_read("e1");
	edge_link_confirm(edge, 42);
	i = cluster_read("e1");
	cr_assert(eq(int, i->body_case, GATEPOST__ITEM__BODY_CONFIRMATION));
	cr_assert(eq(u64, i->confirmation->serial, 42));
}

Test(edge_link, an_edge_that_takes_more_than_was_sent_breaks_the_protocol)
{
	struct edge_link *edge = cluster_link("e1", 0xe1, 7);

	cr_assert(command(edge, 1));
	cluster_post_taken("e1", 2, 1);
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(edges_find(cluster.edges, 7) == NULL);
}
