#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#define CHANNELS "functions:\n  f:\n    handler: builtin:channels\n    events:\n"
#define ROOM     "gatepost: { channels: { room: {} } }\n"

ParameterizedTestParameters(builtin_channels, refuses)
{
	static struct fixture_row rows[] = {
		{"no namespaces", CHANNELS "      - websocket: publish\n",
		 "3:1: functions.f: builtin:channels needs gatepost.channels, which is "
		 "missing or empty; allowed: channels: { default: {} }\n"},
		{"no action", CHANNELS "      - websocket: subscibe\n" ROOM,
		 "5:1: the route subscibe: builtin:channels has no such action (did you "
		 "mean subscribe?); allowed: subscribe, unsubscribe, publish, history, "
		 "presence, ping, $default\n"},
		{"$connect", CHANNELS "      - websocket: $connect\n" ROOM,
		 "5:1: the route $connect: builtin:channels has no such action; allowed: "
		 "subscribe, unsubscribe, publish, history, presence, ping, $default\n"},
		{"HTTP", CHANNELS "      - httpApi: GET /publish\n" ROOM,
		 "3:1: functions.f: builtin:channels cannot serve an HTTP route; "
		 "allowed: websocket routes\n"},
		{"a webhook",
		 CHANNELS "      - channel: { namespace: room, on: [publish] }\n" ROOM,
		 "3:1: functions.f: builtin:channels cannot serve a rule or an event of "
		 "channels; allowed: websocket routes\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, builtin_channels, refuses)
{
	fixture_check(row);
}

Test(builtin_channels, serves_a_route_for_each_action)
{
	struct fixture b = {0};

	fixture_read(&b, CHANNELS "      - websocket: subscribe\n"
				  "      - websocket: unsubscribe\n"
				  "      - websocket: publish\n"
				  "      - websocket: history\n"
				  "      - websocket: presence\n"
				  "      - websocket: ping\n" ROOM);
	cr_expect(eq(str, b.errors, ""));
	cr_expect(eq(sz, b.config->n_routes, 6));
	fixture_close(&b);
}
