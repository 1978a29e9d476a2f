#include "broker/api/channel_list.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(channel_list, .init = start, .fini = fixture_fini, .timeout = 20);

static struct client *get(const char *target)
{
	struct client *c = client_new();

	client_ask(c, "GET", target, "", "");
	return c;
}

static void end(size_t i, int64_t offset)
{
	struct fake_read *f = &fake_channels.reads[i];

	f->fn(f->arg, NULL,
	      &(struct channel_history){.position = {span_str("e1"), offset}});
}

static void end_counts(size_t i, int64_t connections, int64_t users)
{
	struct fake_read *f = &fake_channels.counts[i];

	f->on_counts(f->arg, NULL,
		     &(struct presence_page){.connections = connections, .users = users});
}

Test(channel_list, channels_have_positions_and_counts_as_their_namespaces_do)
{
	struct client *c;

	fake_channels.carried[0] = "room:1";
	fake_channels.carried[1] = "room:2";
	fake_channels.carried[2] = "tick:1";
	c = get("/channels");
	fixture_until_reads(2);
	cr_expect(eq(str, fake_channels.reads[1].channel, "room:2"));
	end(1, 8);
	end_counts(0, 20, 10);
	end_counts(1, 0, 0);
	end(0, 7);
	cr_expect(eq(str, (char *)client_reply(c)->body,
		     "{\"channels\":[\n{\"channel\":\"room:1\",\"connections\":20,"
		     "\"users\":10,"
		     "\"epoch\":\"e1\",\"offset\":7},\n{\"channel\":\"room:2\","
		     "\"connections\":0,"
		     "\"users\":0,\"epoch\":\"e1\",\"offset\":8},\n{\"channel\":\"tick:"
		     "1\"}]}\n"));
}

Test(channel_list, the_last_name_of_a_page_is_the_cursor_of_the_next)
{
	fake_channels.carried[0] = "tick:1";
	fake_channels.carried[1] = "tick:2";
	fake_channels.carried[2] = "tick:3";
	cr_expect(eq(
		str, (char *)ask("GET", "/channels?limit=2&prefix=tick", "")->body,
		"{\"channels\":[\n{\"channel\":\"tick:1\"},\n{\"channel\":\"tick:2\"}],"
		"\"next\":\"tick:2\"}\n"));
	cr_expect(eq(str,
		     (char *)ask("GET", "/channels?limit=2&cursor=tick%3A2", "")->body,
		     "{\"channels\":[\n{\"channel\":\"tick:3\"}]}\n"));
	cr_expect(eq(str, (char *)ask("GET", "/channels?prefix=room", "")->body,
		     "{\"channels\":[]}\n"));
}

Test(channel_list, without_positions_there_is_no_list)
{
	static const struct failure down = {"unavailable", "down", true};
	struct fake_read *f = fake_channels.reads;
	struct client *c;
	const struct reply *r;

	fake_channels.carried[0] = "room:1";
	c = get("/channels");
	fixture_until_reads(1);
	f->fn(f->arg, &down, NULL);
	end_counts(0, 1, 1);
	r = client_reply(c);
	cr_expect(eq(int, r->status, 503));
	cr_expect(ne(ptr, strstr(r->body, "\"retryable\":true"), NULL));
}

Test(channel_list, a_limit_is_1_to_1000)
{
	static const char *const rows[] = {"limit=0", "limit=1001", "limit=x", "limit="};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char target[64];

		snprintf(target, sizeof target, "/channels?%s", rows[i]);
		cr_expect(eq(int, ask("GET", target, "")->status, 400), "%s", target);
	}
}

Test(channel_list, one_whose_client_has_gone_ends_by_itself)
{
	struct client *c;

	fake_channels.carried[0] = "room:1";
	c = get("/channels");
	fixture_until_reads(1);
	client_leave(c);
	end_counts(0, 1, 1);
	end(0, 1);
}
