#include "broker/cluster/members.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

static struct {
	size_t changed, beats, stores, left_behind;
} seen;

static void on_changed(void *arg)
{
	(void)arg;
	seen.changed++;
}

static void on_beat(void *arg)
{
	(void)arg;
	seen.beats++;
}

static void on_store_changed(void *arg, bool left_behind)
{
	(void)arg;
	seen.stores++;
	seen.left_behind += left_behind;
}

static void start(void)
{
	cluster_start();
	members_watch(cluster.members,
		      &(struct members_watcher){on_changed, on_beat, on_store_changed},
		      NULL);
}

TestSuite(members, .init = start, .fini = cluster_stop);

Test(members, beat_at_once_and_then_five_times_while_an_entry_lives)
{
	const struct fake_asked *q = fake_store_asked(BEAT);

	cr_assert(eq(i64, members_beat_ms(cluster.members), BEAT_MS));
	cr_assert(eq(str, (char *)q->boot, "00000000000000b0"));
	cr_assert(eq(str, (char *)q->text, "tcp://127.0.0.1:7400"));
	cr_assert(eq(i64, q->ms, MEMBER_MS));
	cluster_beat("c1", false);
	for (int i = 0; i < 5; i++) {
		cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
		cluster_run(BEAT_MS, "");
		cluster_beat("c1", false);
	}
}

Test(members, do_not_beat_again_before_the_last_beat_was_answered)
{
	cluster_run(3 * BEAT_MS, "");
	members_beat(cluster.members);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 1));
}

Test(members, do_not_beat_while_the_store_is_down_and_at_once_when_asked)
{
	cluster_beat("c1", false);
	fake_store_set_up(false);
	cluster_run(3 * BEAT_MS, "");
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
	fake_store_set_up(true);
	members_beat(cluster.members);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 1));
}

Test(members, that_were_not_started_do_not_beat)
{
	struct members *m = members_new(cluster.loop, fake_store(),
					&(struct members_conf){"b", 1, MEMBER_MS});

	cluster_beat("c1", false);
	members_beat(m);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
	members_free(m);
}

Test(members, leave_with_their_boot_and_beat_no_more)
{
	cluster_beat("c1", false);
	members_leave(cluster.members);
	cr_assert(eq(str, (char *)fake_store_asked(LEAVE)->boot, "00000000000000b0"));
	fake_store_done(LEAVE, ERR_NOTFOUND);
	cluster_run(3 * BEAT_MS, "");
	members_beat(cluster.members);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
}

Test(members, are_those_of_the_last_beat_and_a_change_is_announced_once)
{
	size_t n;
	const struct members_row *rows;

	cr_assert(eq(str, (char *)members_cluster(cluster.members), ""));
	cluster_beat("c1", false);
	cr_assert(eq(sz, seen.changed, 1));
	cluster_run(BEAT_MS, "");
	cluster_beat("c1", true);
	cr_assert(eq(sz, seen.changed, 2));
	cluster_run(BEAT_MS, "");
	cluster_beat("c1", true);
	cr_assert(eq(sz, seen.changed, 2));
	cr_assert(eq(sz, seen.beats, 3));
	cr_assert(eq(sz, seen.stores, 0));
	rows = members_rows(cluster.members, &n);
	cr_assert(eq(sz, n, 2));
	cr_assert(eq(str, (char *)rows[1].name, "broker-1"));
	cr_assert(eq(str, (char *)rows[1].endpoint, "tcp://127.0.0.1:7401"));
	cr_assert(eq(u64, rows[1].boot, OTHER_BOOT));
	cr_assert(eq(str, (char *)members_cluster(cluster.members), "c1"));
}

Test(members, stay_as_they_are_when_a_beat_fails)
{
	static const enum err errs[] = {ERR_DOWN, ERR_BUSY, ERR_MALFORMED};
	size_t n;

	cluster_beat("c1", true);
	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		cluster_run(BEAT_MS, "");
		fake_store_view(errs[i], NULL);
		members_rows(cluster.members, &n);
		cr_assert(eq(sz, n, 2));
		cr_assert(eq(sz, seen.changed, 1));
		cr_assert(eq(sz, seen.beats, 1));
	}
}

Test(members, are_each_the_owner_of_some_edges)
{
	size_t ours = 0;

	cr_assert(not(members_is_owner(cluster.members, 7)));
	cluster_beat("c1", false);
	for (uint16_t edge = 1; edge <= 100; edge++)
		cr_assert(members_is_owner(cluster.members, edge));
	cluster_run(BEAT_MS, "");
	cluster_beat("c1", true);
	for (uint16_t edge = 1; edge <= 100; edge++)
		ours += members_is_owner(cluster.members, edge);
	cr_assert(ours > 20 && ours < 80);
}

/* ---- a store that is another one ---- */

struct change {
	char why[60];
	int64_t lost_ms; /* the connection to Redis was lost so long before the last beat; -1: never */
	int64_t age_ms; /* of the new id */
	bool left_behind;
};

static struct change changes[] = {
	{"never lost it, the id is new", -1, 10, false},
	{"lost it before the id was made", 500, 10, false},
	{"still had the old memory while others had the new", 500, 900, true},
	{"lost it before it saw the old memory last", 3000, 5000, false},
};

ParameterizedTestParameters(members, whether_this_broker_was_left_behind)
{
	return cr_make_param_array(struct change, changes,
				   sizeof changes / sizeof *changes);
}

ParameterizedTest(struct change *c, members, whether_this_broker_was_left_behind)
{
	cluster_beat("c1", false);
	cluster_run(BEAT_MS, "");
	if (c->lost_ms >= 0)
		fake_store_set_lost(loop_now(cluster.loop) - c->lost_ms);
	cluster_beat_of_age("c2", c->age_ms);
	cr_assert(eq(sz, seen.stores, 1));
	cr_assert(eq(sz, seen.left_behind, c->left_behind), "%s", c->why);
	cr_assert(eq(str, (char *)members_cluster(cluster.members), "c2"));
}

/* ---- the edges that are linked to each ---- */

Test(members, write_the_edges_that_are_linked_here_within_100_ms_and_not_more_often)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
	fake_loop_run(cluster.loop, 100);
	cr_assert(eq(str, (char *)fake_store_asked(BEAT)->edges, "7"));
	cluster_beat("c1", false);
	cluster_link("e2", 0xe2, 8);
	cluster_link("e3", 0xe3, 9);
	fake_loop_run(cluster.loop, 99);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
	fake_loop_run(cluster.loop, 1);
	cr_assert(eq(str, (char *)fake_store_asked(BEAT)->edges, "7-9"));
}

Test(members, that_have_linked_an_edge_while_a_beat_is_under_way_beat_again)
{
	cluster_link("e1", 0xe1, 7);
	cr_assert(eq(str, (char *)fake_store_asked(BEAT)->edges, ""));
	fake_loop_run(cluster.loop, 500);
	cluster_beat("c1", false);
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(str, (char *)fake_store_asked(BEAT)->edges, "7"));
}

Test(members, write_that_an_edge_is_not_linked_once_its_last_link_has_ended)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	cluster_link("e2", 0xe2, 7);
	fake_loop_run(cluster.loop, 100);
	cluster_beat("c1", false);
	cluster_hello("e2b", 0xe2, 7);
	fake_loop_run(cluster.loop, 100);
	cr_assert(eq(sz, fake_store_waiting(BEAT), 0));
	cluster_hello("e1b", 0xe1, 7);
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(str, (char *)fake_store_asked(BEAT)->edges, ""));
}

Test(members, know_the_edges_of_others_as_of_the_last_beat_and_not_their_own)
{
	const struct edge_set *linked = members_linked(cluster.members);

	cluster_set_linked("8,10-12");
	cluster_beat("c1", true);
	cr_assert(edge_set_has(linked, 8) && edge_set_has(linked, 10) &&
		  edge_set_has(linked, 12));
	cr_assert(not(edge_set_has(linked, 9) || edge_set_has(linked, 13)));
	cr_assert(eq(i64, members_seen_ms(cluster.members), loop_now(cluster.loop)));
	cluster_set_linked("9");
	cluster_run(BEAT_MS, "");
	cluster_run(50, "");
	cluster_beat("c1", true);
	cr_assert(edge_set_has(linked, 9) && !edge_set_has(linked, 8));
	cr_assert(eq(i64, members_seen_ms(cluster.members), loop_now(cluster.loop) - 50));
	cr_assert(eq(sz, seen.changed, 1));
}
