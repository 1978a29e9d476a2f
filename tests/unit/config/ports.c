#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#define TWO                                                                              \
	"functions:\n"                                                                   \
	"  a: { handler: h.a, runtime: python3.11, events: [ websocket: a ] }\n"         \
	"  b: { handler: h.b, runtime: python3.11, events: [ websocket: b ] }\n"         \
	"  c: { handler: builtin:echo, events: [ websocket: c ] }\n"

ParameterizedTestParameters(ports, refuses)
{
	static struct fixture_row rows[] = {
		{"an unknown function", TWO "gatepost: { ports: { x: 9001 } }\n",
		 "5:25: gatepost.ports.x: there is no such function in use\n"},
		{"a function without a runtime", TWO "gatepost: { ports: { c: 9001 } }\n",
		 "5:25: gatepost.ports.c: workers poll only for a function with a "
		 "runtime\n"},
		{"a port that is none", TWO "gatepost: { ports: { a: 65536 } }\n",
		 "5:25: gatepost.ports.a: \"65536\"; allowed: 1 to 65535 as a port\n"},
		{"one port for two", TWO "gatepost: { ports: { a: 9001, b: 9001 } }\n",
		 "5:34: gatepost.ports.b: function a has this port too\n"},
		{"a list", TWO "gatepost: { ports: [ 9001 ] }\n",
		 "5:20: gatepost.ports: this is a list; allowed: a mapping\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, ports, refuses)
{
	fixture_check(row);
}

Test(ports, are_of_the_functions_that_they_name)
{
	struct fixture b = {0};

	fixture_read(&b, "custom: { gatepost: { ports: { b: 9002 } } }\n" TWO);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(i64, fixture_function(&b, "a")->port, 0));
	cr_assert(eq(i64, fixture_function(&b, "b")->port, 9002));
	fixture_close(&b);
}
