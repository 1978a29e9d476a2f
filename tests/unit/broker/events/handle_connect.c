#include "broker/events/handle.h"

#include "bed_store.h"
#include "store/leases.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	bed_store_start();
	bed.handler = handle_connect;
}

TestSuite(handle_connect, .init = start, .fini = bed_store_stop, .timeout = 60);

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

static void connect_with(const char *path, ProtobufCBinaryData context)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	Gatepost__Request q = GATEPOST__REQUEST__INIT;
	uint8_t packed[128];

	q.method = data("GET");
	q.path = data(path);
	e.kind = GATEPOST__EVENT__KIND__CONNECT;
	e.request = (ProtobufCBinaryData){.len = gatepost__request__pack(&q, packed),
					  .data = packed};
	e.context = context;
	bed_take_event(0, &e);
}

/* connectedAt 5, sourceIp "::1", userAgent "curl", domainName "a.b" */
#define CONTEXT                                                                          \
	"\x08\x05\x12\x03::1\x1a\x04"                                                    \
	"curl\x22\x03"                                                                   \
	"a.b"

static bool is(ProtobufCBinaryData d, const char *text)
{
	return span_is(span_of(d.data, d.len), text);
}

static void on_row(void *arg, enum err e, const struct connection_row *row)
{
	cr_assert(eq(int, e, OK));
	cr_assert(eq(i64, row->connected_at_ms, 5));
	cr_assert(span_is(row->source_ip, "::1"));
	cr_assert(span_is(row->user_agent, "curl"));
	cr_assert(span_is(row->domain_name, "a.b"));
	cr_assert(span_is(row->stage, "dev"));
	loop_stop(arg);
}

Test(handle_connect, a_client_on_our_stage_is_let_in_and_has_its_row)
{
	struct id id = bed_id();
	char text[ID_TEXT];

	connect_with("/dev", data(CONTEXT));

	const Gatepost__Response *r = bed_store_answer()->response;

	cr_assert(eq(u32, r->status, 200));
	cr_assert(is(r->body, "Connect successful."));
	store_connection_find(bed.broker.store, BED_NUMBER, span_str(id_text(&id, text)),
			      on_row, bed.broker.loop);
	loop_run(bed.broker.loop);
}

Test(handle_connect, another_stage_is_forbidden_and_leaves_no_row)
{
	connect_with("/prod", data(CONTEXT));

	const Gatepost__Response *r = bed_store_answer()->response;

	cr_assert(eq(u32, r->status, 403));
	cr_assert(is(r->body, "{\"message\":\"Forbidden\"}"));
	cr_assert(eq(i64, bed_store_rows(), 0));
}

Test(handle_connect, a_context_that_cannot_be_read_is_an_error_of_ours_and_leaves_no_row)
{
	connect_with("/dev", data("\x12\x7f"));
	cr_assert(eq(u32, bed_store_answer()->response->status, 500));
	cr_assert(eq(i64, bed_store_rows(), 0));
}

Test(handle_connect, without_a_store_it_is_refused_for_now)
{
	bed_store_lose();
	connect_with("/dev", data(CONTEXT));

	const Gatepost__Response *r = bed_store_answer()->response;

	cr_assert(eq(u32, r->status, 503));
	cr_assert(is(r->headers[1]->name, "Retry-After"));
}

static void on_taken(void *arg, enum err e, uint16_t number)
{
	cr_assert(eq(int, e, OK));
	cr_assert(eq(int, number, BED_NUMBER));
	loop_stop(arg);
}

Test(handle_connect, an_edge_whose_number_is_anothers_lets_nobody_in_and_leaves_no_row)
{
	store_lease_take(bed.broker.store, "00000000000000aa", BED_NUMBER, 60000, true,
			 on_taken, bed.broker.loop);
	loop_run(bed.broker.loop);
	connect_with("/dev", data(CONTEXT));

	const Gatepost__Response *r = bed_store_answer()->response;

	cr_assert(eq(u32, r->status, 503));
	cr_assert(is(r->headers[1]->name, "Retry-After"));
	cr_assert(eq(i64, bed_store_rows(), 0));
}

/* Nobody knows whether the row stands: only the same event again may say. */
Test(handle_connect, a_store_that_does_not_answer_makes_the_edge_ask_again)
{
	redis_server_freeze(&bed_redis);
	connect_with("/dev", data(CONTEXT));

	const Gatepost__Answer *a = bed_store_answer();

	cr_assert(a->retry);
	cr_assert(a->response == NULL);
	redis_server_thaw(&bed_redis);
}
