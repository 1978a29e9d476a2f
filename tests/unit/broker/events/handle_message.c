#include "broker/events/handle.h"

#include "bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	bed_start();
	bed.handler = handle_message;
}

TestSuite(handle_message, .init = start, .fini = bed_stop);

static void expect(const char *body, bool binary, const char *want, bool want_binary)
{
	static uint64_t seq;
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.kind = GATEPOST__EVENT__KIND__MESSAGE;
	e.seq = seq++;
	e.binary = binary;
	e.body = (ProtobufCBinaryData){.len = strlen(body),
				       .data = (uint8_t *)(uintptr_t)body};
	bed_take_event(0, &e);

	const Gatepost__Envelope *got = bed_read(0);

	cr_assert(eq(sz, got->n_items, 1));

	const Gatepost__Frame *f = got->items[0]->answer->frame;

	cr_assert(f != NULL);
	cr_assert(span_is(span_of(f->body.data, f->body.len), want), "%s", body);
	cr_assert(eq(int, f->binary, want_binary), "%s", body);
}

#define REJECTED "{\"statusCode\":400,\"body\":\"Unrecognized WebSocket action.\"}"

Test(handle_message, echo_comes_back_with_the_same_bytes)
{
	expect("{ \"action\" : \"echo\", \"n\":1.0 }", false,
	       "{ \"action\" : \"echo\", \"n\":1.0 }", false);
}

Test(handle_message, ping_gets_a_pong)
{
	expect("{\"action\":\"ping\"}", false, "PONG!", false);
}

Test(handle_message, what_nobody_takes_is_told_so_in_text)
{
	expect("{\"action\":\"fly\"}", false, REJECTED, false);
	expect("hello", false, REJECTED, false);
	expect("{\"action\":\"echo\"}", true, REJECTED, false);
}
