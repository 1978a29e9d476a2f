#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(events, refuses)
{
	static struct fixture_row rows[] = {
		{"what belongs to the event is not indented",
		 FIXTURE_EVENT "      - websocket:\n"
			       "        route: $connect\n",
		 "5:9: functions.f.events[0]: 2 keys in one event (indent what belongs "
		 "to the first one further); allowed: one, such as websocket\n"},
		{"two events in one", FIXTURE_ANY "        http: GET b\n",
		 "5:9: functions.f.events[0]: 2 keys in one event; allowed: one, such as "
		 "websocket\n"},
		{"an event that is nothing", FIXTURE_EVENT "      -\n",
		 "5:7: functions.f.events[0]: this is nothing; allowed: a mapping, such "
		 "as websocket: $connect\n"},
		{"an event that is a list", FIXTURE_EVENT "      - [ websocket ]\n",
		 "5:9: functions.f.events[0]: this is a list; allowed: a mapping, such "
		 "as websocket: $connect\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, events, refuses)
{
	fixture_check(row);
}

Test(events, of_other_sorts_are_ignored_with_one_line_each)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY "      - alexaSkill\n"
				     "      - sns: { arn: !Ref Topic }\n"
				     "      - sqs:\n"
				     "          arn: arn:aws:sqs:1:2:q\n"
				     "          batchSize: 10\n");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(str, b.infos,
		     "6:9: functions.f.events[1]: ignored: alexaSkill\n"
		     "7:9: functions.f.events[2]: ignored: sns\n"
		     "8:9: functions.f.events[3]: ignored: sqs\n"));
	fixture_close(&b);
}
