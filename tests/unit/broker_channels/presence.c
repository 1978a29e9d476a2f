#include "broker/channels/presence/presence.h"

#include "fake_presence.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct span both[] = {{(const uint8_t *)"{\"user\":\"u1\"}", 13},
			     {(const uint8_t *)"{\"user\":\"u2\"}", 13}};
static struct {
	size_t calls;
	bool has_failed;
	int64_t connections;
} ended;

static void start(void)
{
	channels_start();
	chat.presence.members = true;
	chat.presence.events_ms = 500;
	chat.presence.grace_ms = 4000;
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_link("e2", 0xe2, 8, "");
}

TestSuite(presence, .init = start, .fini = channels_stop);

static void on_end(void *arg, const struct failure *failure)
{
	(void)arg;
	ended.calls++;
	ended.has_failed = failure != NULL;
	cr_assert(failure == NULL || strcmp(failure->code, "unavailable") == 0);
}

static void on_page(void *arg, const struct failure *failure,
		    const struct presence_page *page)
{
	on_end(arg, failure);
	ended.connections = page != NULL ? page->connections : -1;
}

static void join(void)
{
	struct id id = id_make(7, 1, 1);

	presence_join(channels_presence(channels), span_str("chat"), &id, span_str("u1"),
		      both[0], on_end, NULL);
}

static void leave(void)
{
	struct id id = id_make(7, 1, 1);

	presence_leave(channels_presence(channels), span_str("chat"), &id, on_end, NULL);
}

static const Gatepost__Presence *news(const char *edge)
{
	const Gatepost__Item *i = channels_read(edge, GATEPOST__ITEM__BODY_PRESENCE);

	return i != NULL ? i->presence : NULL;
}

Test(presence, of_a_member_has_its_connection_and_the_user_and_info_that_are_known)
{
	struct id id = id_make(7, 1, 1);
	char text[ID_TEXT], want[200];
	struct blob *bare = presence_member(&id, (struct span){0}, (struct span){0});
	struct blob *full = presence_member(&id, span_str("a\"b"), span_str("[1]"));

	id_text(&id, text);
	snprintf(want, sizeof want, "{\"connection\":\"%s\"}", text);
	cr_assert(span_is(blob_span(bare), want));
	snprintf(want, sizeof want,
		 "{\"connection\":\"%s\",\"user\":\"a\\\"b\",\"info\":[1]}", text);
	cr_assert(span_is(blob_span(full), want));
	blob_unref(bare);
	blob_unref(full);
}

Test(presence, a_join_is_news_for_the_edges_that_carry_the_channel_before_it_is_done)
{
	const Gatepost__Presence *m;

	join();
	cr_assert(eq(str, (char *)fake_presence_asked(PRESENCE_JOIN),
		     "chat 7 u1 {\"user\":\"u1\"}"));
	cr_assert(eq(sz, ended.calls, 0));
	fake_presence_change(PRESENCE_JOIN,
			     &(struct presence_change){both, 1, 3, 2, 0, false, 42});
	cr_assert(ended.calls == 1 && !ended.has_failed);
	m = news("e1");
	cr_assert(m != NULL && m->n_joined == 1 && m->n_left == 0);
	cr_assert(span_eq(span_from(m->joined[0]), both[0]));
	cr_assert(eq(u64, m->connections, 3));
	cr_assert(eq(u64, m->users, 2));
	cr_assert(eq(u32, m->interval_ms, 500));
	cr_assert(eq(u64, m->at_us, 42));
	cr_assert(not(m->counts_only));
	cr_assert(news("e2") == NULL);
}

Test(presence, a_join_that_changes_nothing_or_fails_is_no_news)
{
	join();
	fake_presence_change(PRESENCE_JOIN, &(struct presence_change){.connections = 3});
	cr_assert(ended.calls == 1 && !ended.has_failed);
	join();
	fake_presence_fail(PRESENCE_JOIN);
	cr_assert(ended.calls == 2 && ended.has_failed);
	cr_assert(news("e1") == NULL);
}

Test(presence, without_frames_in_its_namespace_sends_no_news)
{
	chat.presence.events_ms = 0;
	join();
	fake_presence_change(PRESENCE_JOIN,
			     &(struct presence_change){both, 1, 1, 1, 0, false, 42});
	cr_assert(ended.calls == 1 && news("e1") == NULL);
}

Test(presence, with_more_than_1000_members_news_have_counts_alone)
{
	const Gatepost__Presence *m;

	join();
	fake_presence_change(PRESENCE_JOIN,
			     &(struct presence_change){both, 1, 1000, 9, 0, false, 42});
	m = news("e1");
	cr_assert(m->n_joined == 1 && !m->counts_only);
	join();
	fake_presence_change(PRESENCE_JOIN,
			     &(struct presence_change){both, 1, 1001, 9, 0, false, 42});
	m = news("e1");
	cr_assert(m->n_joined == 0 && m->counts_only);
	cr_assert(eq(u64, m->connections, 1001));
}

Test(presence, a_leave_has_the_grace_of_its_namespace_and_is_news_when_that_is_over)
{
	const Gatepost__Presence *m;

	leave();
	cr_assert(eq(str, (char *)fake_presence_asked(PRESENCE_LEAVE), "chat 7 4000"));
	fake_presence_change(PRESENCE_LEAVE,
			     &(struct presence_change){.connections = 2, .due_ms = 4000});
	cr_assert(ended.calls == 1 && news("e1") == NULL);
	channels_run(250, "e1 e2", false);
	fake_presence_due("chat");
	cr_assert(eq(str, (char *)fake_presence_asked(PRESENCE_EXPIRE), "chat"));
	fake_presence_change(PRESENCE_EXPIRE,
			     &(struct presence_change){both, 2, 1, 1, 77, false, 42});
	m = news("e1");
	cr_assert(m != NULL && m->n_left == 2 && m->n_joined == 0);
	cr_assert(eq(str, (char *)fake_presence_asked(PRESENCE_DONE), "chat claim 77"));
	fake_presence_done(PRESENCE_DONE);
}

Test(presence, a_grace_that_cannot_be_ended_is_claimed_again)
{
	channels_run(250, "e1 e2", false);
	fake_presence_due("chat");
	fake_presence_fail(PRESENCE_EXPIRE);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_DONE), 0));
	channels_run(250, "e1 e2", false);
	fake_presence_fail(PRESENCE_CLAIM);
	channels_run(250, "e1 e2", false);
	cr_assert(eq(sz, fake_presence_waiting(PRESENCE_CLAIM), 1));
}

static void read_page(void)
{
	presence_read(channels_presence(channels), span_str("chat"), span_str("x"), 10,
		      on_page, NULL);
}

Test(presence, is_read_in_pages)
{
	read_page();
	cr_assert(eq(str, (char *)fake_presence_asked(PRESENCE_READ), "chat x 10"));
	fake_presence_page(&(struct presence_page){.connections = 4});
	cr_assert(ended.calls == 1 && ended.connections == 4);
}

Test(presence, a_read_that_takes_longer_than_a_second_has_failed_once)
{
	read_page();
	channels_run(1000, "e1 e2", false);
	cr_assert(ended.calls == 1 && ended.has_failed);
	fake_presence_page(&(struct presence_page){.connections = 4});
	cr_assert(eq(sz, ended.calls, 1));
}

Test(presence, that_is_restored_is_news_of_the_counts_alone)
{
	struct id id = id_make(7, 1, 1);
	const Gatepost__Presence *m;

	presence_restore(channels_presence(channels), span_str("chat"), &id,
			 span_str("u1"), both[0], on_end, NULL);
	fake_presence_change(PRESENCE_JOIN,
			     &(struct presence_change){both, 1, 3, 2, 0, false, 42});
	cr_assert(ended.calls == 1 && !ended.has_failed);
	m = news("e1");
	cr_assert(m != NULL && m->n_joined == 0 && m->n_left == 0 && !m->counts_only);
	cr_assert(eq(u64, m->connections, 3));
	cr_assert(eq(u64, m->users, 2));
}
