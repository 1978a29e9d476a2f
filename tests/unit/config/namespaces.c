#include "fixture.h"

#include "config/channels.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#define ROOM "gatepost:\n  channels:\n    room: "

static const struct config_namespace *find(const struct fixture *b, const char *channel)
{
	return config_namespace(b->config, span_str(channel));
}

ParameterizedTestParameters(namespaces, refuses)
{
	static struct fixture_row rows[] = {
		{"a list", FIXTURE_ANY "gatepost:\n  channels: [ room ]\n",
		 "7:13: gatepost.channels: this is a list; allowed: a mapping\n"},
		{"a name with a colon",
		 FIXTURE_ANY "gatepost:\n  channels:\n    'room:1': {}\n",
		 "8:15: gatepost.channels.room:1: \"room:1\" cannot be a namespace; "
		 "allowed: 1 to 64 bytes of UTF-8 without control characters, :, *, { "
		 "and }, not beginning with $\n"},
		{"a reserved name", FIXTURE_ANY "gatepost:\n  channels:\n    $room: {}\n",
		 "8:12: gatepost.channels.$room: \"$room\" cannot be a namespace; "
		 "allowed: 1 to 64 bytes of UTF-8 without control characters, :, *, { "
		 "and }, not beginning with $\n"},
		{"a key misspelt", FIXTURE_ANY ROOM "{ histroy: { size: 1 } }\n",
		 "8:13: gatepost.channels.room: there is no key \"histroy\" (did you "
		 "mean history?); allowed: history, recover, presence, subscribe, "
		 "publish, token, format, slow, limits, keyTtl\n"},
		{"a history without size", FIXTURE_ANY ROOM "{ history: { ttl: 1m } }\n",
		 "8:22: gatepost.channels.room.history: size is missing; allowed: 1 to "
		 "100000 messages\n"},
		{"a time without unit",
		 FIXTURE_ANY ROOM "{ history: { size: 1, ttl: 600 } }\n",
		 "8:38: gatepost.channels.room.history.ttl: \"600\"; allowed: 1s to "
		 "8760h, as 250ms, 10s, 5m, 2h\n"},
		{"a size without unit",
		 FIXTURE_ANY ROOM "{ history: { size: 1, bytes: 4096 } }\n",
		 "8:40: gatepost.channels.room.history.bytes: \"4096\"; allowed: 1KiB to "
		 "1GiB, as 512B, 64KiB, 4MiB\n"},
		{"a rate without unit", FIXTURE_ANY ROOM "{ limits: { rate: 20 } }\n",
		 "8:29: gatepost.channels.room.limits.rate: \"20\"; allowed: 1/s to "
		 "1000000/s, as 20/s\n"},
		{"an unknown limit", FIXTURE_ANY ROOM "{ limits: { user: 1/s } }\n",
		 "8:23: gatepost.channels.room.limits: there is no key \"user\"; "
		 "allowed: message, subscriptions, rate, userRate\n"},
		{"an unknown function", FIXTURE_ANY ROOM "{ subscribe: ff }\n",
		 "8:24: gatepost.channels.room.subscribe: there is no function \"ff\"; "
		 "allowed: anyone, authenticated, token, nobody, "
		 "context.KEY, or the name of a function of this file\n"},
		{"a rule misspelt", FIXTURE_ANY ROOM "{ publish: authentikated }\n",
		 "8:22: gatepost.channels.room.publish: there is no function "
		 "\"authentikated\" (did you mean authenticated?); allowed: anyone, "
		 "authenticated, token, nobody, context.KEY, or the name of a function "
		 "of this file\n"},
		{"a rule of tokens without their key",
		 FIXTURE_ANY ROOM "{ publish: token }\n",
		 "8:11: gatepost.channels.room: token is missing, by which tokens are "
		 "checked; allowed: the name of one of gatepost.authorizers, or { "
		 "algorithm, key | keyFile }\n"},
		{"a token of no authorizer",
		 FIXTURE_ANY ROOM "{ subscribe: token, token: users }\n",
		 "8:38: gatepost.channels.room.token: there is no \"users\"; allowed: "
		 "the name of one of gatepost.authorizers, or a mapping with algorithm "
		 "and key or keyFile\n"},
		{"a token without a key",
		 FIXTURE_ANY ROOM "{ subscribe: token, token: { algorithm: HS256 } }\n",
		 "8:38: gatepost.channels.room.token: key and keyFile are missing; "
		 "allowed: key (the secret, or the public key in PEM) or keyFile (where "
		 "it is)\n"},
		{"raw with history",
		 FIXTURE_ANY ROOM "{ format: raw, history: { size: 1 } }\n",
		 "8:35: gatepost.channels.room.history: format is raw, which has data "
		 "alone; allowed: format: message\n"},
		{"raw with presence", FIXTURE_ANY ROOM "{ format: raw, presence: {} }\n",
		 "8:36: gatepost.channels.room.presence: format is raw, which has data "
		 "alone; allowed: format: message\n"},
		{"raw with recover", FIXTURE_ANY ROOM "{ format: raw, recover: cache }\n",
		 "8:35: gatepost.channels.room.recover: format is raw, which has data "
		 "alone; allowed: format: message\n"},
		{"recover without history", FIXTURE_ANY ROOM "{ recover: cache }\n",
		 "8:22: gatepost.channels.room.recover: there is no history to recover "
		 "from; allowed: with history: { size: … }\n"},
		{"an unknown policy", FIXTURE_ANY ROOM "{ slow: drop }\n",
		 "8:19: gatepost.channels.room.slow: \"drop\"; allowed: disconnect, "
		 "drop-oldest or latest\n"},
		{"joins every millisecond",
		 FIXTURE_ANY ROOM "{ presence: { events: 1ms } }\n",
		 "8:33: gatepost.channels.room.presence.events: \"1ms\"; allowed: 0s (no "
		 "frames), or 100ms to 1m\n"},
		{"messages larger than the history",
		 FIXTURE_ANY ROOM
		 "{ history: { size: 1, bytes: 1KiB }, limits: { message: 2KiB } }\n",
		 "8:11: gatepost.channels.room: limits.message is more than "
		 "history.bytes, which would keep no such message\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, namespaces, refuses)
{
	fixture_check(row);
}

Test(namespaces, are_safe_unless_they_say_otherwise)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY "gatepost:\n  channels: { room: {}, hall: }\n");
	cr_assert(eq(str, b.errors, ""));
	for (size_t i = 0; i < 2; i++) {
		const struct config_namespace *ns = find(&b, i ? "hall:1" : "room:1");

		cr_assert(ne(ptr, (void *)ns, NULL));
		cr_expect(eq(int, ns->subscribe.rule, CHANNEL_AUTHENTICATED));
		cr_expect(eq(int, ns->publish.rule, CHANNEL_NOBODY));
		cr_expect(eq(int, ns->slow, CHANNEL_DISCONNECT));
		cr_expect(eq(int, ns->format, CHANNEL_MESSAGE));
		cr_expect(zero(i64, ns->history.size));
		cr_expect(eq(i64, ns->history.ttl_ms, 600000));
		cr_expect(not(ns->presence.members));
		cr_expect(eq(i64, ns->limits.message, 65536));
		cr_expect(eq(i64, ns->limits.subscriptions, 100));
		cr_expect(eq(i64, ns->limits.rate + ns->limits.user_rate, 0));
		cr_expect(eq(i64, ns->key_ms, 300000));
		cr_expect(eq(int, ns->hook, CONFIG_NONE));
		cr_expect(eq(int, ns->token_authorizer, CONFIG_NONE));
	}
	fixture_close(&b);
}

Test(namespaces, have_all_that_the_file_says)
{
	struct fixture b = {0};
	const struct config_namespace *ns;

	fixture_read(&b, "custom:\n  gatepost:\n    channels:\n      room:\n"
			 "        history: { size: 50, ttl: 2h, bytes: 1MiB }\n"
			 "        recover: cache\n"
			 "        presence: { events: 500ms, grace: 0 }\n"
			 "        subscribe: context.rooms\n"
			 "        publish: anyone\n"
			 "        slow: drop-oldest\n"
			 "        limits: { message: 1KiB, subscriptions: 3, rate: 20/s, "
			 "userRate: 100/s }\n"
			 "        keyTtl: 1m\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	ns = find(&b, "room:1");
	cr_assert(ne(ptr, (void *)ns, NULL));
	cr_expect(eq(i64, ns->history.size, 50));
	cr_expect(eq(i64, ns->history.ttl_ms, 7200000));
	cr_expect(eq(i64, ns->history.bytes, 1 << 20));
	cr_expect(eq(int, ns->recover, CHANNEL_CACHE));
	cr_expect(ns->presence.members);
	cr_expect(eq(i64, ns->presence.events_ms, 500));
	cr_expect(zero(i64, ns->presence.grace_ms));
	cr_expect(eq(int, ns->subscribe.rule, CHANNEL_CONTEXT));
	cr_expect(eq(str, ns->subscribe.name, "rooms"));
	cr_expect(eq(int, ns->publish.rule, CHANNEL_ANYONE));
	cr_expect(eq(int, ns->slow, CHANNEL_DROP_OLDEST));
	cr_expect(eq(i64, ns->limits.message, 1024));
	cr_expect(eq(i64, ns->limits.subscriptions, 3));
	cr_expect(eq(i64, ns->limits.rate, 20));
	cr_expect(eq(i64, ns->limits.user_rate, 100));
	cr_expect(eq(i64, ns->key_ms, 60000));
	cr_expect(eq(int, ns->line, 5));
	fixture_close(&b);
}

Test(namespaces, a_function_that_only_a_rule_names_is_of_use)
{
	struct fixture b = {0};
	const struct config_namespace *ns;

	fixture_read(
		&b, "gatepost: { channels: { room: { subscribe: may, publish: may } } }\n"
		    "functions:\n"
		    "  idle: { handler: builtin:echo }\n"
		    "  may: { handler: 'http://127.0.0.1/may' }\n"
		    "  f: { handler: builtin:echo, events: [ websocket: a ] }\n");
	cr_assert(eq(str, b.errors, ""));
	ns = find(&b, "room:1");
	cr_assert(eq(int, ns->subscribe.rule, CHANNEL_FUNCTION));
	cr_expect(eq(str, b.config->functions[ns->subscribe.function].name, "may"));
	cr_expect(eq(str, b.config->functions[ns->publish.function].name, "may"));
	fixture_close(&b);
}

Test(namespaces, a_token_is_that_of_an_authorizer_which_no_route_needs_to_name)
{
	struct fixture b = {0};
	const struct config_namespace *ns;

	fixture_read(&b, FIXTURE_ANY
		     "gatepost:\n"
		     "  authorizers:\n"
		     "    idle: { type: jwt, algorithm: HS256, key: k }\n"
		     "    users: { type: jwt, algorithm: HS256, key: k }\n"
		     "  channels: { room: { subscribe: token, token: users } }\n");
	cr_assert(eq(str, b.errors, ""));
	ns = find(&b, "room:1");
	cr_assert(eq(sz, b.config->n_authorizers, 1), "nothing names idle");
	cr_assert(eq(int, ns->token_authorizer, 0));
	cr_expect(eq(str, b.config->authorizers[0].name, "users"));
	fixture_close(&b);
}

Test(namespaces, a_key_of_their_own_is_an_authorizer_that_no_route_can_name)
{
	struct fixture b = {0};
	const struct config_authorizer *a;

	fixture_read(&b, FIXTURE_ANY "gatepost:\n"
				     "  channels: { room: { subscribe: token, token: { "
				     "algorithm: HS256, key: secret } } }\n");
	cr_assert(eq(str, b.errors, ""));
	a = &b.config->authorizers[find(&b, "room:1")->token_authorizer];
	cr_expect(a->of_namespace && a->endless);
	cr_expect(eq(str, a->key, "secret"));
	cr_expect(eq(str, a->algorithm, "HS256"));
	fixture_close(&b);

	b = (struct fixture){0};
	fixture_read(&b, "functions:\n  f:\n    handler: builtin:echo\n    events:\n"
			 "      - websocket: { route: $connect, authorizer: "
			 "channels.room.token }\n"
			 "gatepost:\n"
			 "  channels: { room: { subscribe: token, token: { "
			 "algorithm: HS256, key: secret } } }\n");
	cr_expect(ne(ptr, strstr(b.errors, "there is no \"channels.room.token\""), NULL),
		  "%s", b.errors);
	fixture_close(&b);
}
