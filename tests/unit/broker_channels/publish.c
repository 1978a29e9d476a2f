#include "broker/channels/delivery/publish.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static struct outcome out;

static void start(void)
{
	channels_start();
	channels_join();
	channels_link("e1", 0xe1, 7, "room:1 chat raw");
	channels_link("e2", 0xe2, 8, "");
}

TestSuite(publish, .init = start, .fini = channels_stop);

static int64_t counted(const char *labels)
{
	return cluster_metric("gatepost_broker_publications_total", labels);
}

static void publish_it(const struct publication *q)
{
	publish(channels_publishers(channels), q, on_published, &out);
}

static void assert_body(const Gatepost__Deliver *d, const char *text)
{
	struct span body;

	cr_assert(d != NULL);
	body = span_from(d->publication->body);
	cr_assert(span_is(body, text), "%.*s", SPAN_ARG(body));
}

/* Use the credit of e1: four items. */
static void use_credit(void)
{
	struct outcome o = {0};

	for (int i = 0; i < 4; i++) {
		publish_to(&chat, "chat", &o);
		cr_assert(not(o.is_failed));
		channels_deliver("e1");
	}
}

/* ---- with history ---- */

Test(publish, with_history_appends_the_tail_and_delivers_the_frame)
{
	const struct channel_append *a;
	const Gatepost__Deliver *d;

	publish_to(&room, "room:1", &out);
	cr_assert(eq(sz, out.calls, 0));
	a = &fake_channels_append()->append;
	cr_assert(span_is(a->look.channel, "room:1"));
	cr_assert(eq(i64, a->look.ttl_ms, 60000));
	cr_assert(eq(i64, a->size, 100));
	cr_assert(eq(i64, a->bytes, 1 << 20));
	cr_assert(eq(i64, a->key_ttl_ms, 300000));
	cr_assert(span_is(a->message, "{\"data\":{\"n\":1}}"));
	cr_assert(eq(sz, a->from.n, 0));
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 42, 1700000000000);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(str, out.epoch, "0001a"));
	cr_assert(eq(i64, out.offset, 42));
	d = channels_deliver("e1");
	assert_body(
		d, "{\"type\":\"message\",\"channel\":\"room:1\",\"offset\":42,\"epoch\":"
		   "\"0001a\",\"time\":1700000000000,\"data\":{\"n\":1}}");
	cr_assert(span_is(span_from(d->channel), "room:1"));
	cr_assert(span_is(span_from(d->epoch), "0001a"));
	cr_assert(eq(u64, d->publication->offset, 42));
	cr_assert(eq(u64, d->ticket, 0));
	cr_assert(channels_deliver("e2") == NULL);
	cr_assert(eq(i64, counted("result=\"published\""), 1));
}

Test(publish, goes_to_redis_together_with_the_others_of_its_turn)
{
	publish_to(&room, "room:1", &out);
	publish_to(&room, "room:1", &out);
	publish_to(&room, "room:2", &out);
	cr_assert(eq(sz, fake_channels_waiting(), 3));
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 1, 1);
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 2, 1);
	cr_assert(eq(u64, channels_deliver("e1")->publication->offset, 1));
	cr_assert(eq(u64, channels_deliver("e1")->publication->offset, 2));
}

Test(publish, carries_tags_and_key_and_version_and_event)
{
	struct publication q = publication_to(&room, "room:1");
	struct id from = id_make(7, 1, 2);
	const struct channel_append *a;
	const Gatepost__Publication *p;
	char text[ID_TEXT];

	q.key = span_str("k1");
	q.has_version = true;
	q.version = UINT64_MAX;
	q.n_tags = 1;
	q.tags[0] = (struct channel_tag){span_str("kind"), span_str("x")};
	q.from = &from;
	q.event = 9;
	q.index = 3;
	publish_it(&q);
	a = &fake_channels_append()->append;
	cr_assert(span_is(a->key, "k1"));
	cr_assert(a->has_version && a->version == UINT64_MAX);
	cr_assert(span_is(a->from, id_text(&from, text)));
	cr_assert(eq(u64, a->event, 9));
	cr_assert(eq(u32, a->index, 3));
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 1, 1);
	p = channels_deliver("e1")->publication;
	cr_assert(eq(sz, p->n_tags, 1));
	cr_assert(span_is(span_from(p->tags[0]->key), "kind"));
	cr_assert(span_is(span_from(p->tags[0]->value), "x"));
}

Test(publish, of_an_event_that_is_handled_again_is_delivered_again_with_its_offset)
{
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_REPEATED, "0001a", 7, 5);
	cr_assert(eq(i64, out.offset, 7));
	cr_assert(not(out.duplicate));
	cr_assert(eq(u64, channels_deliver("e1")->publication->offset, 7));
	cr_assert(eq(i64, counted("result=\"repeated\""), 1));
}

Test(publish, of_a_known_key_or_an_old_version_is_acknowledged_and_not_delivered)
{
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_DUPLICATE, "0001a", 7, 5);
	cr_assert(out.duplicate && !out.suppressed && !out.is_failed);
	cr_assert(eq(i64, out.offset, 7));
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_SUPPRESSED, "0001a", 9, 5);
	cr_assert(out.suppressed && !out.duplicate && !out.is_failed);
	cr_assert(eq(i64, out.offset, 9));
	cr_assert(channels_deliver("e1") == NULL);
	cr_assert(eq(i64, counted("result=\"duplicate\""), 1));
	cr_assert(eq(i64, counted("result=\"suppressed\""), 1));
}

Test(publish, that_redis_does_not_answer_is_unavailable)
{
	static const enum err errs[] = {ERR_DOWN, ERR_BUSY, ERR_MALFORMED};

	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
		publish_to(&room, "room:1", &out);
		fake_channels_fail(errs[i]);
		cr_assert(eq(sz, out.calls, i + 1));
		cr_assert(eq(str, out.code, "unavailable"));
	}
	cr_assert(eq(i64, counted("result=\"unavailable\""), 3));
	cr_assert(channels_deliver("e1") == NULL);
}

Test(publish, with_history_leaves_out_an_edge_without_credit)
{
	use_credit();
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 1, 1);
	cr_assert(not(out.is_failed));
	cr_assert(channels_deliver("e1") == NULL);
	cr_assert(eq(i64,
		     cluster_metric("gatepost_broker_deliveries_skipped_total", NULL),
		     1));
}

/* ---- without history ---- */

Test(publish, without_history_key_and_version_does_not_ask_redis)
{
	const Gatepost__Deliver *d;

	publish_to(&chat, "chat", &out);
	cr_assert(eq(sz, fake_channels_waiting(), 0));
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(str, out.epoch, ""));
	d = channels_deliver("e1");
	cr_assert(d != NULL);
	cr_assert(eq(u64, d->publication->offset, 0));
	cr_assert(eq(sz, d->epoch.len, 0));
	cr_assert(eq(i64, cluster_metric("gatepost_broker_deliveries_total", NULL), 1));
}

Test(publish, to_a_channel_that_no_edge_carries_is_done)
{
	publish_to(&chat, "chat:none", &out);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(not(out.is_failed));
}

Test(publish, without_history_is_refused_when_an_edge_has_no_credit_and_nobody_gets_it)
{
	channels_carry("e2", "chat", NULL, 0, true);
	use_credit();
	while (channels_deliver("e2") != NULL)
		continue;
	cluster_post_taken("e2", 4, 0);
	publish_to(&chat, "chat", &out);
	cr_assert(eq(str, out.code, "unavailable"));
	cr_assert(channels_deliver("e2") == NULL);
	cluster_post_taken("e1", 4, 0);
	publish_to(&chat, "chat", &out);
	cr_assert(not(out.is_failed));
	cr_assert(channels_deliver("e1") != NULL && channels_deliver("e2") != NULL);
}

Test(publish, with_a_key_and_no_history_keeps_no_message_and_has_no_offset)
{
	struct publication q = publication_to(&chat, "chat");

	q.key = span_str("k");
	publish_it(&q);
	cr_assert(eq(sz, fake_channels_append()->append.message.n, 0));
	cr_assert(eq(i64, fake_channels_append()->append.size, 0));
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 0, 77);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(str, out.epoch, ""));
	assert_body(channels_deliver("e1"), "{\"type\":\"message\",\"channel\":\"chat\","
					    "\"time\":77,\"data\":{\"n\":1}}");
}

Test(publish, with_a_key_and_no_history_is_delivered_at_most_once)
{
	struct publication q = publication_to(&chat, "chat");

	q.key = span_str("k");
	publish_it(&q);
	fake_channels_appended(CHANNEL_REPEATED, "0001a", 0, 77);
	cr_assert(not(out.is_failed));
	cr_assert(channels_deliver("e1") == NULL);
}

Test(publish, with_a_key_and_no_history_takes_no_key_before_the_interest_is_known)
{
	struct publication q = publication_to(&chat, "chat");

	cluster_link("e3", 0xe3, 9);
	q.key = span_str("k");
	publish_it(&q);
	cr_assert(eq(sz, fake_channels_waiting(), 0));
	channels_all("e3");
	cr_assert(eq(sz, fake_channels_waiting(), 1));
	cluster_link("e4", 0xe4, 10); /* meanwhile */
	fake_channels_appended(CHANNEL_APPENDED, "0001a", 0, 77);
	cr_assert(eq(sz, out.calls, 0));
	channels_carry("e4", "chat", NULL, 0, true);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(channels_deliver("e4") != NULL && channels_deliver("e1") != NULL);
}

/* ---- raw ---- */

Test(publish, to_a_raw_namespace_delivers_the_data_alone)
{
	struct publication q = publication_to(&raw, "raw");

	q.data = span_str("\"a\\nb\"");
	publish_it(&q);
	assert_body(channels_deliver("e1"), "a\nb");
	q.data = span_of("\x01\x02", 2);
	q.is_binary = true;
	publish_it(&q);
	cr_assert(channels_deliver("e1")->publication->binary);
}

Test(publish, sends_binary_data_of_a_message_namespace_as_text)
{
	struct publication q = publication_to(&chat, "chat");
	const Gatepost__Deliver *d;

	q.data = span_of("\x01\x02", 2);
	q.is_binary = true;
	publish_it(&q);
	d = channels_deliver("e1");
	cr_assert(not(d->publication->binary));
	cr_assert(memmem(d->publication->body.data, d->publication->body.len, "data64",
			 6) != NULL);
}

/* ---- limits ---- */

Test(publish, over_64_MiB_in_progress_is_unavailable)
{
	size_t n = 8 << 20, calls;
	char *text = malloc(n);
	struct publication q = publication_to(&room, "room:1");

	memset(text, '1', n);
	q.data = span_of(text, n);
	for (int i = 0; i < 8; i++)
		publish_it(&q);
	cr_assert(eq(sz, out.calls, 0));
	publish_it(&q);
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(str, out.code, "unavailable"));
	fake_channels_fail(ERR_DOWN);
	calls = out.calls;
	publish_it(&q);
	cr_assert(eq(sz, out.calls, calls));
	free(text);
}
