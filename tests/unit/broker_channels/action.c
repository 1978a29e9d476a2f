#include "broker/channels/client/action.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

/* The room of the action that was read last. */
static uint8_t *room;

static const char *parse(const char *text, enum channel_verb verb,
			 struct channel_action *out)
{
	size_t n = strlen(text);

	free(room);
	room = xmalloc(n + 1);
	return channel_action_read(span_of(text, n), verb, room, out);
}

static struct channel_action parsed(const char *text, enum channel_verb verb)
{
	struct channel_action a;
	const char *f = parse(text, verb, &a);

	cr_assert(f == NULL, "%s: %s", text, f);
	return a;
}

static void is_text(struct span s, const char *want)
{
	cr_assert(span_is(s, want), "\"%.*s\" is not \"%s\"", SPAN_ARG(s), want);
}

struct wrong {
	char text[200];
	int verb;
	char why[80]; /* how the message begins */
};

#define CHANNEL "\"channel\":\"a\","

ParameterizedTestParameters(action, what_is_wrong_is_named)
{
	static struct wrong rows[] = {
		{"", VERB_PING, "the message is not JSON"},
		{"{", VERB_PING, "the message is not JSON"},
		{"{\"a\":1,}", VERB_PING, "the message is not JSON"},
		{"{a:1}", VERB_PING, "the message is not JSON"},
		{"{\"a\":\"\xff\"}", VERB_PING, "the message is not JSON"},
		{"[]", VERB_PING, "an action is an object"},
		{"1", VERB_PING, "an action is an object"},
		{"{\"id\":null}", VERB_PING, "id is not"},
		{"{\"id\":true}", VERB_PING, "id is not"},
		{"{\"id\":[1]}", VERB_PING, "id is not"},
		{"{}", VERB_SUBSCRIBE, "channel is missing"},
		{"{}", VERB_UNSUBSCRIBE, "channel is missing"},
		{"{\"data\":1}", VERB_PUBLISH, "channel is missing"},
		{"{}", VERB_HISTORY, "channel is missing"},
		{"{}", VERB_PRESENCE, "channel is missing"},
		{"{\"channel\":7}", VERB_SUBSCRIBE, "channel is not a string"},
		{"{\"channel\":\"\"}", VERB_SUBSCRIBE, "channel is not a string"},
		{"{\"channel\":null}", VERB_SUBSCRIBE, "channel is not a string"},
		{"{\"channel\":\"\\ud800\"}", VERB_SUBSCRIBE, "channel is not a string"},
		{"{\"channel\":\"a\"}", VERB_PUBLISH, "data is missing"},
		{"{" CHANNEL "\"data\":1,\"key\":1}", VERB_PUBLISH, "key is not"},
		{"{" CHANNEL "\"data\":1,\"key\":\"\"}", VERB_PUBLISH, "key is not"},
		{"{" CHANNEL "\"data\":1,\"tags\":[]}", VERB_PUBLISH, "tags is not"},
		{"{" CHANNEL "\"data\":1,\"tags\":{\"a\":1}}", VERB_PUBLISH,
		 "tags is not an object of strings"},
		{"{" CHANNEL "\"data\":1,\"tags\":{\"a\":\"\\ud800\"}}", VERB_PUBLISH,
		 "tags has a key or a value"},
		{"{" CHANNEL "\"data\":1,\"version\":-1}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":1.0}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":1e3}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":\"\"}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":\"1 \"}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":18446744073709551616}", VERB_PUBLISH,
		 "version is not"},
		{"{" CHANNEL "\"data\":1,\"version\":\"99999999999999999999\"}",
		 VERB_PUBLISH, "version is not"},
		{"{" CHANNEL "\"data\":1,\"receipt\":1}", VERB_PUBLISH, "receipt is not"},
		{"{" CHANNEL "\"data\":1,\"token\":1}", VERB_PUBLISH, "token is not"},
		{"{" CHANNEL "\"token\":{}}", VERB_SUBSCRIBE, "token is not"},
		{"{" CHANNEL "\"since\":5}", VERB_SUBSCRIBE, "since is not"},
		{"{" CHANNEL "\"since\":null}", VERB_SUBSCRIBE, "since is not"},
		{"{" CHANNEL "\"since\":{}}", VERB_SUBSCRIBE, "since is not"},
		{"{" CHANNEL "\"since\":{\"epoch\":\"e\"}}", VERB_SUBSCRIBE,
		 "since is not"},
		{"{" CHANNEL "\"since\":{\"offset\":5}}", VERB_SUBSCRIBE, "since is not"},
		{"{" CHANNEL "\"since\":{\"epoch\":\"\",\"offset\":5}}", VERB_SUBSCRIBE,
		 "since is not"},
		{"{" CHANNEL "\"since\":{\"epoch\":1,\"offset\":5}}", VERB_SUBSCRIBE,
		 "since is not"},
		{"{" CHANNEL "\"since\":{\"epoch\":\"e\",\"offset\":-5}}", VERB_SUBSCRIBE,
		 "since is not"},
		{"{" CHANNEL
		 "\"since\":{\"epoch\":\"e\",\"offset\":9223372036854775808}}",
		 VERB_SUBSCRIBE, "since is not"},
		{"{" CHANNEL "\"until\":{\"epoch\":\"e\"}}", VERB_HISTORY,
		 "until is not"},
		{"{" CHANNEL "\"since\":{\"epoch\":\"e\"}}", VERB_HISTORY,
		 "since is not"},
		{"{" CHANNEL "\"filter\":[]}", VERB_SUBSCRIBE, "filter is not"},
		{"{" CHANNEL "\"recover\":\"all\"}", VERB_SUBSCRIBE, "recover is not"},
		{"{" CHANNEL "\"recover\":true}", VERB_SUBSCRIBE, "recover is not"},
		{"{" CHANNEL "\"presence\":1}", VERB_SUBSCRIBE, "presence is not"},
		{"{" CHANNEL "\"batch\":\"true\"}", VERB_SUBSCRIBE, "batch is not"},
		{"{" CHANNEL "\"limit\":1001}", VERB_HISTORY, "limit is not"},
		{"{" CHANNEL "\"limit\":-1}", VERB_HISTORY, "limit is not"},
		{"{" CHANNEL "\"limit\":\"5\"}", VERB_HISTORY, "limit is not"},
		{"{" CHANNEL "\"limit\":1.5}", VERB_PRESENCE, "limit is not"},
		{"{" CHANNEL "\"reverse\":\"x\"}", VERB_HISTORY, "reverse is not"},
		{"{" CHANNEL "\"cursor\":5}", VERB_PRESENCE, "cursor is not"},
	};

	return cr_make_param_array(struct wrong, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct wrong *row, action, what_is_wrong_is_named)
{
	struct channel_action a;
	const char *f = parse(row->text, (enum channel_verb)row->verb, &a);

	cr_assert(f != NULL, "%s is accepted", row->text);
	cr_assert(strncmp(f, row->why, strlen(row->why)) == 0, "%s: %s", row->text, f);
}

Test(action, route_keys_are_actions)
{
	static const char *const names[] = {"subscribe", "unsubscribe", "publish",
					    "history",   "presence",    "ping"};
	enum channel_verb verb;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		cr_assert(channel_verb_of(span_str(names[i]), &verb));
		cr_assert(eq(int, (int)verb, (int)i));
	}
	cr_assert(not(channel_verb_of(span_str("Publish"), &verb)));
	cr_assert(not(channel_verb_of(span_str(""), &verb)));
}

Test(action, a_publish_has_all_of_its_members)
{
	struct channel_action a = parsed(
		"{\"action\":\"publish\",\"data\": {\"a\" : 1} ,\"id\":\"x\\u0041\","
		"\"channel\":\"room:\\u0031\",\"key\":\"k\\n\",\"tags\":{\"a\":\"1\","
		"\"b\":\"\\u00fc\",\"a\":\"2\"},\"version\":18446744073709551615,"
		"\"receipt\":true,\"token\":\"t\"}",
		VERB_PUBLISH);

	is_text(a.id, "\"x\\u0041\"");
	is_text(a.channel, "room:1");
	is_text(a.data, "{\"a\" : 1}");
	is_text(a.key, "k\n");
	cr_assert(eq(sz, a.n_tags, 2));
	is_text(a.tags[0].key, "a");
	is_text(a.tags[0].value, "2");
	is_text(a.tags[1].value, "\xc3\xbc");
	cr_assert(a.has_version);
	cr_assert(eq(u64, a.version, UINT64_MAX));
	cr_assert(a.receipt);
	is_text(a.token, "t");
}

Test(action, versions_are_text_too)
{
	struct channel_action a =
		parsed("{" CHANNEL "\"data\":null,\"version\":\"18446744073709551615\"}",
		       VERB_PUBLISH);

	is_text(a.data, "null");
	cr_assert(eq(u64, a.version, UINT64_MAX));
	a = parsed("{" CHANNEL "\"data\":0,\"version\":0}", VERB_PUBLISH);
	cr_assert(a.has_version);
	cr_assert(eq(u64, a.version, 0));
}

Test(action, a_subscribe_has_all_of_its_members)
{
	struct channel_action a =
		parsed("{\"channel\":\"a\",\"id\":12,\"since\":{\"epoch\":\"e1\","
		       "\"offset\":\"7\"},"
		       "\"filter\":{\"tag\":\"a\",\"eq\":\"1\"},\"recover\":\"cache\","
		       "\"presence\":true,\"batch\":true,\"token\":\"t.o.k\"}",
		       VERB_SUBSCRIBE);

	is_text(a.id, "12");
	cr_assert(a.since.is_there);
	is_text(a.since.at.epoch, "e1");
	cr_assert(eq(i64, a.since.at.offset, 7));
	is_text(a.filter, "{\"tag\":\"a\",\"eq\":\"1\"}");
	cr_assert(a.has_recover && a.recover == CHANNEL_CACHE);
	cr_assert(a.presence && a.batch);
	is_text(a.token, "t.o.k");
	a = parsed("{" CHANNEL "\"recover\":\"stream\"}", VERB_SUBSCRIBE);
	cr_assert(a.has_recover && a.recover == CHANNEL_STREAM);
	cr_assert(not(a.since.is_there));
}

Test(action, a_history_has_all_of_its_members)
{
	struct channel_action a = parsed(
		"{" CHANNEL "\"limit\":1000,\"since\":{\"epoch\":\"e\",\"offset\":0},"
		"\"until\":{\"offset\":9,\"epoch\":\"f\"},\"reverse\":true}",
		VERB_HISTORY);

	cr_assert(eq(i64, a.limit, 1000));
	cr_assert(a.since.is_there && a.until.is_there && a.reverse);
	is_text(a.until.at.epoch, "f");
	cr_assert(eq(i64, a.until.at.offset, 9));
	a = parsed("{" CHANNEL "\"limit\":0}", VERB_HISTORY);
	cr_assert(eq(i64, a.limit, 0));
	a = parsed("{\"channel\":\"a\"}", VERB_HISTORY);
	cr_assert(eq(i64, a.limit, 100));
}

Test(action, members_of_other_actions_are_ignored_whatever_they_are)
{
	struct channel_action a =
		parsed("{" CHANNEL "\"data\":1,\"key\":7,\"limit\":\"x\","
		       "\"until\":0,\"other\":{}}",
		       VERB_SUBSCRIBE);

	cr_assert(eq(sz, a.data.n, 0));
	a = parsed("{\"channel\":8,\"since\":1}", VERB_PING);
	cr_assert(eq(sz, a.channel.n, 0));
}

Test(action, errors_have_id_and_channel_wherever_they_stand)
{
	struct channel_action a;
	const char *f = parse("{\"key\":1,\"data\":1,\"channel\":\"c\",\"id\":5}",
			      VERB_PUBLISH, &a);

	cr_assert(f != NULL);
	is_text(a.id, "5");
	is_text(a.channel, "c");
}

Test(action, of_two_members_of_one_name_the_last_one_counts)
{
	struct channel_action a =
		parsed("{\"channel\":7,\"channel\":\"b\",\"ch\\u0061nnel\":\"c\"}",
		       VERB_UNSUBSCRIBE);

	is_text(a.channel, "c");
}

/* A member that is a string of n times the letter a. */
static char *with(const char *member, size_t n)
{
	char *letters = xmalloc(n + 1), *text;

	memset(letters, 'a', n);
	letters[n] = '\0';
	text = xasprintf("{\"data\":1,%s\"%s\":\"%s\"}",
			 strcmp(member, "channel") == 0 ? "" : CHANNEL, member, letters);
	free(letters);
	return text;
}

Test(action, texts_have_a_longest_length)
{
	static const struct {
		const char *member;
		size_t most;
	} rows[] = {{"channel", 255}, {"key", 255}, {"id", 126 /* and quotes */}};
	struct channel_action a;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *good = with(rows[i].member, rows[i].most);
		char *bad = with(rows[i].member, rows[i].most + 1);

		cr_assert(parse(good, VERB_PUBLISH, &a) == NULL, "%s", good);
		cr_assert(parse(bad, VERB_PUBLISH, &a) != NULL, "%s", bad);
		free(good);
		free(bad);
	}
}

static char *with_tags(size_t n, size_t length)
{
	char *text = xstrdup("{\"channel\":\"a\",\"data\":1,\"tags\":{");

	for (size_t i = 0; i < n; i++) {
		char *more = xasprintf("%s%s\"%0*zu\":\"%0*d\"", text, i > 0 ? "," : "",
				       (int)length, i, (int)length, 7);

		free(text);
		text = more;
	}
	text = xrealloc(text, strlen(text) + 3);
	return strcat(text, "}}");
}

Test(action, tags_are_bounded)
{
	static const struct {
		size_t n, length;
		bool good;
	} rows[] = {{0, 1, true}, {16, 256, true}, {17, 2, false}, {1, 257, false}};
	struct channel_action a;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = with_tags(rows[i].n, rows[i].length);

		cr_assert(rows[i].good == (parse(text, VERB_PUBLISH, &a) == NULL),
			  "%zu tags of %zu", rows[i].n, rows[i].length);
		free(text);
	}
}

Test(action, every_prefix_is_refused)
{
	static const char text[] =
		"{\"action\":\"publish\",\"id\":\"i\\u00e4\",\"channel\":\"a\",\"data\":{"
		"\"b\":"
		"[1,2,{}]},\"tags\":{\"t\":\"v\"},\"version\":\"12\",\"key\":\"k\"}";
	struct channel_action a;

	for (size_t n = 0; n < sizeof text - 1; n++) {
		uint8_t *copy = xmalloc(n + 1), *r = xmalloc(n + 1);

		memcpy(copy, text, n);
		cr_assert(channel_action_read(span_of(copy, n), VERB_PUBLISH, r, &a) !=
				  NULL,
			  "the first %zu bytes", n);
		free(copy);
		free(r);
	}
	cr_assert(parse(text, VERB_PUBLISH, &a) == NULL);
}
