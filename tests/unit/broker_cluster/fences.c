#include "broker/cluster/fences.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(fences, .init = cluster_start, .fini = cluster_stop);

static void note(uint16_t number, const char *boot)
{
	fences_add(cluster.fences, number, span_str(boot));
}

static bool have(uint16_t number, const char *boot)
{
	return fences_contain(cluster.fences, number, boot);
}

Test(fences, are_of_one_number_and_one_boot)
{
	note(7, "00000000000000aa");
	cr_assert(have(7, "00000000000000aa"));
	cr_assert(not(have(8, "00000000000000aa")));
	cr_assert(not(have(7, "00000000000000ab")));
	cr_assert(not(have(0, "00000000000000aa")));
	note(7, "00000000000000aa");
	note(8, "00000000000000aa");
	cr_assert(have(7, "00000000000000aa"));
	cr_assert(have(8, "00000000000000aa"));
}

Test(fences, of_an_unknown_owner_are_none)
{
	note(7, "");
	note(7, "00000000000000aa0");
	cr_assert(not(have(7, "")));
	cr_assert(not(have(7, "00000000000000aa")));
}

Test(fences, are_the_last_1024)
{
	char boot[17];

	for (int i = 0; i < 1025; i++) {
		snprintf(boot, sizeof boot, "%016x", i);
		note(7, boot);
	}
	cr_assert(not(have(7, "0000000000000000")));
	cr_assert(have(7, "0000000000000001"));
	cr_assert(have(7, "0000000000000400"));
}

/* Let a beat pass that the store answers with this cluster id. */
static void beat(const char *id)
{
	if (fake_store_waiting(BEAT) == 0)
		cluster_run(BEAT_MS, "");
	cluster_beat(id, false);
}

Test(fences, are_sent_to_each_memory_of_the_store_once)
{
	note(7, "00000000000000aa");
	note(8, "00000000000000bb");
	beat("c1");
	cr_assert(eq(sz, fake_store_waiting(FENCE), 2));
	cr_assert(eq(u16, fake_store_asked(FENCE)->edge, 7));
	fake_store_done(FENCE, OK);
	fake_store_done(FENCE, OK);
	beat("c1");
	cr_assert(eq(sz, fake_store_waiting(FENCE), 0));
	beat("c2");
	cr_assert(eq(sz, fake_store_waiting(FENCE), 2));
}

Test(fences, are_sent_again_after_one_of_them_failed)
{
	note(7, "00000000000000aa");
	note(8, "00000000000000bb");
	beat("c1");
	fake_store_done(FENCE, ERR_DOWN);
	fake_store_done(FENCE, OK);
	beat("c1");
	cr_assert(eq(sz, fake_store_waiting(FENCE), 2));
}
