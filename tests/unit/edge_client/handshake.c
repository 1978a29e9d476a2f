#include "edge/client/handshake.h"

#include "fixture.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct handshake *h;

static void start(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0xc0000201)};

	fixture_init();
	h = handshake_new(fixture.clients, (struct sockaddr *)&peer);
}

/* fixture_stop checks that nothing is counted any more. */
static void stop(void)
{
	http_abort(h);
	fixture_stop();
}

TestSuite(handshake, .init = start, .fini = stop, .timeout = 30);

static void expect_kept(const char *want)
{
	struct span s = handshake_kept(h);

	cr_assert(span_is(s, want), "%.*s", SPAN_ARG(s));
}

static uint64_t held(void)
{
	return fixture.clients->held_bytes;
}

Test(handshake, knows_the_address_of_its_client_without_the_port)
{
	cr_assert(eq(str, h->peer, "192.0.2.1"));
}

Test(handshake, keeps_bytes_in_their_order_until_they_are_used)
{
	handshake_keep(h, span_str("abc"));
	handshake_use(h, 1);
	handshake_keep(h, span_str("de"));
	expect_kept("bcde");
	handshake_use(h, 3);
	expect_kept("e");
}

Test(handshake, has_no_buffer_once_all_is_used)
{
	handshake_keep(h, span_str("abc"));
	handshake_use(h, 3);
	cr_assert(h->in == NULL);
	cr_assert(eq(sz, h->room, 0));
	handshake_keep(h, span_str("d"));
	expect_kept("d");
}

Test(handshake, uses_the_room_of_used_bytes_before_it_takes_more)
{
	handshake_keep(h, span_str("abcdefgh"));
	handshake_use(h, 6);
	handshake_keep(h, span_str("ijklmn"));
	cr_assert(eq(sz, h->room, 8));
	expect_kept("ghijklmn");
}

/* ---- the body ---- */

Test(handshake, has_room_for_the_body_that_has_come_and_not_for_what_was_promised)
{
	h->body_want = 1000000;
	handshake_add_body(h, span_str("0123456789"));
	cr_assert(eq(sz, h->body->n, 10));
	handshake_add_body(h, span_str("a"));
	cr_assert(eq(sz, h->body->n, 20));
	cr_assert(eq(sz, h->body_n, 11));
	cr_assert(eq(int, memcmp(h->body->p, "0123456789a", 11), 0));
}

Test(handshake, has_never_more_room_for_the_body_than_was_promised)
{
	h->body_want = 11;
	handshake_add_body(h, span_str("0123456789"));
	handshake_add_body(h, span_str("a"));
	cr_assert(eq(sz, h->body->n, 11));
}

Test(handshake, counts_its_body_while_it_has_one)
{
	h->body_want = 100;
	handshake_add_body(h, span_str("0123456789"));
	cr_assert(eq(u64, held(), blob_memory(h->body)));
	handshake_add_body(h, span_str("0123456789"));
	cr_assert(eq(u64, held(), blob_memory(h->body)));
	handshake_drop_body(h);
	cr_assert(eq(u64, held(), 0));
	cr_assert(h->body == NULL);
}

/* ---- what it counts ---- */

Test(handshake, counts_its_share_anew_each_time)
{
	handshake_keep(h, span_str("abc"));
	handshake_count(h, 100);
	cr_assert(eq(u64, held(), mem_chunk(h->room) + 100));
	handshake_count(h, 100);
	cr_assert(eq(u64, held(), mem_chunk(h->room) + 100));
	handshake_use(h, 3);
	handshake_count(h, 0);
	cr_assert(eq(u64, held(), 0));
}

Test(handshake, gives_back_all_that_it_counted_when_it_is_aborted)
{
	handshake_keep(h, span_str("abc"));
	h->protocols = xasprintf(",a,b,");
	h->request = blob_new(span_str("packed"));
	h->body_want = 100;
	handshake_add_body(h, span_str("body"));
	handshake_count(h, 7);
	cr_assert(gt(u64, held(), 7));
	http_abort(h);
	cr_assert(eq(u64, held(), 0));
	h = NULL; /* which http_abort takes, too */
}
