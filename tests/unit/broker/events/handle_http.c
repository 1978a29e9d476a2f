#include "broker/events/handle.h"

#include "base/mem.h"

#include "bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static void start(void)
{
	bed_start();
	bed.handler = handle_http;
}

TestSuite(handle_http, .init = start, .fini = bed_stop);

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

/* The status of a request, and its body as text. */
static uint32_t ask(const char *method, const char *path, char body[128])
{
	static uint64_t seq;
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	Gatepost__Request q = GATEPOST__REQUEST__INIT;
	uint8_t packed[256];

	q.method = data(method);
	q.path = data(path);
	e.kind = GATEPOST__EVENT__KIND__HTTP;
	e.seq = seq++;
	e.request = (ProtobufCBinaryData){.len = gatepost__request__pack(&q, packed),
					  .data = packed};
	bed_take_event(0, &e);

	const Gatepost__Envelope *got = bed_read(0);

	cr_assert(eq(sz, got->n_items, 1));

	const Gatepost__Response *r = got->items[0]->answer->response;

	snprintf(body, 128, "%.*s", (int)r->body.len, (const char *)r->body.data);
	return r->status;
}

static void expect(const char *method, const char *path, uint32_t status,
		   const char *body)
{
	char got[128];

	cr_assert(eq(u32, ask(method, path, got), status), "%s %s", method, path);
	cr_assert(eq(str, got, (char *)(uintptr_t)body), "%s %s", method, path);
}

Test(handle_http, ping_says_pong)
{
	expect("GET", "/dev/ping", 200, "PONG!");
	expect("HEAD", "/dev/ping", 200, "PONG!"); /* the edge leaves the body out */
}

Test(handle_http, the_stage_itself_wants_an_upgrade)
{
	expect("GET", "/dev", 426,
	       "{\"message\":\"This is a WebSocket address: upgrade\"}");
	expect("GET", "/dev/", 426,
	       "{\"message\":\"This is a WebSocket address: upgrade\"}");
}

Test(handle_http, a_route_for_the_root_of_the_stage_wins_over_the_upgrade)
{
	struct config *config = config_builtin("dev", CONFIG_SELECTION, "builtin:reject");

	free(config->http[0].path);
	config->http[0].path = xstrdup("/");
	bed_use(config);
	expect("GET", "/dev", 200, "PONG!");
	expect("GET", "/dev/", 200, "PONG!");
	expect("POST", "/dev", 426,
	       "{\"message\":\"This is a WebSocket address: upgrade\"}");
}

Test(handle_http, anything_else_is_not_found)
{
	expect("GET", "/", 404, "{\"message\":\"Not Found\"}");
	expect("GET", "/ping", 404, "{\"message\":\"Not Found\"}");
	expect("GET", "/prod/ping", 404, "{\"message\":\"Not Found\"}");
	expect("POST", "/dev/ping", 404, "{\"message\":\"Not Found\"}");
	expect("GET", "", 404, "{\"message\":\"Not Found\"}");
}

Test(handle_http, a_request_that_cannot_be_read_is_an_error_of_ours)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.kind = GATEPOST__EVENT__KIND__HTTP;
	e.request = data("\x0a\x7f");
	bed_take_event(0, &e);
	cr_assert(eq(u32, bed_read(0)->items[0]->answer->response->status, 500));
}
