#include "fixture.h"

#include "config/channels.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#define ROOM "gatepost: { channels: { room: {} } }\n"

ParameterizedTestParameters(channel_event, refuses)
{
	static struct fixture_row rows[] = {
		{"a name alone", ROOM FIXTURE_EVENT "      - channel: room\n",
		 "6:18: functions.f.events[0].channel: this is a text; allowed: a "
		 "mapping with namespace and on\n"},
		{"no namespace",
		 ROOM FIXTURE_EVENT "      - channel: { on: [publish] }\n",
		 "6:18: functions.f.events[0].channel: namespace is missing; allowed: "
		 "one of gatepost.channels\n"},
		{"an unknown namespace",
		 ROOM FIXTURE_EVENT
		 "      - channel: { namespace: rooms, on: [publish] }\n",
		 "6:31: functions.f.events[0].channel.namespace: there is no namespace "
		 "\"rooms\" (did you mean room?); allowed: one of gatepost.channels\n"},
		{"no names", ROOM FIXTURE_EVENT "      - channel: { namespace: room }\n",
		 "6:18: functions.f.events[0].channel: on is missing; allowed: a list of "
		 "subscribe, unsubscribe, publish, occupied, vacated\n"},
		{"a name misspelt",
		 ROOM FIXTURE_EVENT
		 "      - channel: { namespace: room, on: [publsh] }\n",
		 "6:42: functions.f.events[0].channel.on[0]: \"publsh\" (did you mean "
		 "publish?); allowed: subscribe, unsubscribe, publish, occupied, "
		 "vacated\n"},
		{"an unknown key",
		 ROOM FIXTURE_EVENT
		 "      - channel: { namespace: room, on: [publish], url: x }\n",
		 "6:52: functions.f.events[0].channel: there is no key \"url\"; allowed: "
		 "namespace, on\n"},
		{"two of one namespace",
		 ROOM FIXTURE_EVENT
		 "      - channel: { namespace: room, on: [publish] }\n"
		 "      - channel: { namespace: room, on: [subscribe] }\n",
		 "7:18: functions.f.events[1].channel: f has an event of the namespace "
		 "room; allowed: one for each namespace, with all of its names in "
		 "`on`\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, channel_event, refuses)
{
	fixture_check(row);
}

Test(channel_event, makes_a_function_the_webhook_of_a_namespace)
{
	struct fixture b = {0};
	const struct config_namespace *ns;

	fixture_read(&b, ROOM "functions:\n"
			      "  idle: { handler: builtin:echo }\n"
			      "  hook:\n"
			      "    handler: http://127.0.0.1/hook\n"
			      "    events: [ { channel: { namespace: room, on: [publish, "
			      "unsubscribe, occupied, vacated] } } ]\n");
	cr_assert(eq(str, b.errors, ""));
	ns = config_namespace(b.config, span_str("room:1"));
	cr_assert(zero(int, ns->hook));
	cr_expect(eq(str, b.config->functions[ns->hook].name, "hook"));
	cr_expect(eq(u32, ns->hook_on,
		     CHANNEL_ON_PUBLISH | CHANNEL_ON_UNSUBSCRIBE | CHANNEL_ON_OCCUPIED |
			     CHANNEL_ON_VACATED));
	fixture_close(&b);
}
