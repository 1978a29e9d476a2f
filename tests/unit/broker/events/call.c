#include "broker/events/call.h"

#include "bed.h"
#include "proto/envelope.h"
#include "store/disconnects.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct call *call; /* the one being handled */

static void keep(struct call *c)
{
	call = c;
}

static void start(void)
{
	bed_start();
	bed.handler = keep;
}

TestSuite(call, .init = start, .fini = bed_stop);

static ProtobufCBinaryData data(char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
}

static void take(uint64_t seq)
{
	bed_take(0, seq);
	cr_assert(call != NULL);
}

/* The one answer that has gone to edge 0. */
static const Gatepost__Answer *answer(void)
{
	const Gatepost__Envelope *e = bed_read(0);

	cr_assert(eq(sz, e->n_items, 1));
	cr_assert(eq(int, e->items[0]->body_case, GATEPOST__ITEM__BODY_ANSWER));
	return e->items[0]->answer;
}

static bool is(ProtobufCBinaryData d, const char *text)
{
	return span_is(span_of(d.data, d.len), text);
}

Test(call, a_call_is_a_copy_of_its_event)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	char context[] = "the context", request[] = "the request", body[] = "the body";

	e.term = 4;
	e.seq = 9;
	e.kind = GATEPOST__EVENT__KIND__HTTP;
	e.time_ms = 77;
	e.binary = true;
	e.context = data(context);
	e.request = data(request);
	e.body = data(body);
	bed_take_event(0, &e);
	context[0] = request[0] = body[0] = 'X';
	cr_assert(span_is(call->context, "the context"));
	cr_assert(span_is(call->request, "the request"));
	cr_assert(span_is(call->body, "the body"));
	cr_assert(eq(u32, call->term, 4));
	cr_assert(eq(u64, call->seq, 9));
	cr_assert(eq(i64, call->time_ms, 77));
	cr_assert(eq(int, call->kind, GATEPOST__EVENT__KIND__HTTP));
	cr_assert(call->binary);
	call_end(call);
}

Test(call, the_body_of_a_disconnect_is_its_reason)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;

	e.kind = GATEPOST__EVENT__KIND__DISCONNECT;
	e.code = 1006;
	e.reason = data("gone");
	e.body = data("ignored");
	bed_take_event(0, &e);
	cr_assert(span_is(call->body, "gone"));
	cr_assert(eq(u16, call->code, 1006));
	call_end(call);
}

Test(call, an_event_without_anything_has_empty_parts)
{
	take(0);
	cr_assert(eq(sz, call->context.n, 0));
	cr_assert(eq(sz, call->request.n, 0));
	cr_assert(eq(sz, call->body.n, 0));
	call_end(call);
}

Test(call, packed_parts_are_read_and_nonsense_is_none)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	Gatepost__Context *x;

	e.kind = GATEPOST__EVENT__KIND__HTTP;
	e.context = data("\x12\x03::1");
	e.request = data("\x0a\x7fG");
	bed_take_event(0, &e);
	x = call_context(call);
	cr_assert(x != NULL);
	cr_assert(is(x->source_ip, "::1"));
	gatepost__context__free_unpacked(x, NULL);
	cr_assert(call_request(call) == NULL);
	call_end(call);
}

/* ---- disconnects that are owed ---- */

static struct disconnect owed(char text[ID_TEXT])
{
	struct id id = bed_id();
	struct disconnect d = {.time_ms = 77, .code = 1006, .tries = 3};

	d.row.id = span_str(id_text(&id, text));
	d.row.edge = BED_NUMBER;
	d.row.source_ip = span_str("::1");
	d.reason = span_str("Going away");
	return d;
}

Test(call, one_that_is_owed_is_a_disconnect_as_it_was_written_down_and_has_no_edge)
{
	char text[ID_TEXT];
	struct disconnect d = owed(text);
	struct id id = bed_id();
	struct call *c = call_new_owed(&bed.broker, &d);
	Gatepost__Context *x = call_context(c);

	cr_assert(c->peer == NULL && c->is_owed);
	cr_assert(span_eq(id_span(&c->id), id_span(&id)));
	cr_assert(eq(int, c->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(i64, c->time_ms, 77));
	cr_assert(eq(int, c->code, 1006));
	cr_assert(eq(int, c->tries, 3));
	cr_assert(span_is(c->body, "Going away"));
	cr_assert(is(x->source_ip, "::1"));
	gatepost__context__free_unpacked(x, NULL);
	call_free(c);
}

Test(call, one_that_is_owed_has_the_context_that_its_edge_had)
{
	char text[ID_TEXT];
	struct disconnect d = owed(text);

	d.row.context = span_str("\x12\x03::2\x2a\x02{}");

	struct call *c = call_new_owed(&bed.broker, &d);

	cr_assert(span_eq(c->context, d.row.context));
	call_free(c);
}

Test(call, nothing_is_made_of_an_owed_one_whose_id_is_none)
{
	struct disconnect d = {.row = {.id = span_str("nonsense")}};

	cr_assert(call_new_owed(&bed.broker, &d) == NULL);
}

/* The edge says 1001 now, and what was begun first stays. */
Test(call, what_was_written_down_first_takes_the_place_of_what_the_edge_says)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	char text[ID_TEXT], reason[] = "another";
	struct disconnect d = owed(text);

	e.kind = GATEPOST__EVENT__KIND__DISCONNECT;
	e.code = 1001;
	e.reason = data(reason);
	bed_take_event(0, &e);
	call_adopt(call, &d);
	call_adopt(call, &d);
	cr_assert(eq(i64, call->time_ms, 77));
	cr_assert(eq(int, call->code, 1006));
	cr_assert(eq(int, call->tries, 3));
	cr_assert(span_is(call->body, "Going away"));
	call_end(call);
}

Test(call, an_answer_names_its_event)
{
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	struct id id = id_make(7, 3, 4);

	e.id = (ProtobufCBinaryData){.len = ID_BYTES, .data = id.b};
	e.term = 4;
	e.seq = 9;
	bed_take_event(0, &e);
	call_end(call);

	const Gatepost__Answer *a = answer();

	cr_assert(span_eq(span_of(a->id.data, a->id.len), id_span(&id)));
	cr_assert(eq(u32, a->term, 4));
	cr_assert(eq(u64, a->seq, 9));
	cr_assert(a->response == NULL && a->frame == NULL && !a->retry);
}

Test(call, a_response_has_its_status_headers_and_body)
{
	static const struct call_header h[] = {{"A", "1"}, {"B", "2"}};
	char body[] = "hello";

	take(0);
	call_respond(call, 201, h, 2, span_str(body));
	body[0] = 'X'; /* it was copied */

	const Gatepost__Response *r = answer()->response;

	cr_assert(eq(u32, r->status, 201));
	cr_assert(is(r->body, "hello"));
	cr_assert(eq(sz, r->n_headers, 2));
	cr_assert(is(r->headers[1]->name, "B"));
	cr_assert(is(r->headers[1]->value, "2"));
}

Test(call, a_response_that_an_edge_could_not_read_becomes_502)
{
	static const int statuses[] = {0, 101, 199, 600, 1000, -1};
	struct call_header h[ENVELOPE_ITEM_PARTS + 1];

	for (size_t i = 0; i <= ENVELOPE_ITEM_PARTS; i++)
		h[i] = (struct call_header){"A", ""};
	for (uint64_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		take(i);
		call_respond(call, statuses[i], h, 1, span_str("x"));
		cr_assert(eq(u32, answer()->response->status, 502));
	}
	take(10);
	call_respond(call, 200, h, ENVELOPE_ITEM_PARTS + 1, span_str("x"));
	cr_assert(eq(u32, answer()->response->status, 502));
	take(11);
	call_respond(call, 200, h, ENVELOPE_ITEM_PARTS, span_str("x"));
	cr_assert(eq(u32, answer()->response->status, 200));
}

/* A token may say so: its exp is a number of the issuer's choice. */
Test(call, an_expiry_beyond_all_time_is_one_that_an_edge_can_read)
{
	take(0);
	call->expires_ms = INT64_C(1000000000060000);
	call_respond(call, 200, NULL, 0, span_str(""));
	cr_assert(eq(i64, answer()->expires_ms, ENVELOPE_TIME_MOST));
}

Test(call, a_refusal_says_why_in_json_and_is_counted)
{
	take(0);
	call_refuse(call, 404, "Not Found");

	const Gatepost__Response *r = answer()->response;

	cr_assert(eq(u32, r->status, 404));
	cr_assert(is(r->body, "{\"message\":\"Not Found\"}"));
	cr_assert(eq(sz, r->n_headers, 1));
	cr_assert(is(r->headers[0]->value, "application/json"));
	cr_assert(eq(i64, metric_value(bed.broker.counts.refused), 1));
}

Test(call, a_refusal_for_now_says_when_to_come_back)
{
	take(0);
	call_refuse(call, 503, "busy");

	const Gatepost__Response *r = answer()->response;

	cr_assert(eq(sz, r->n_headers, 2));
	cr_assert(is(r->headers[1]->name, "Retry-After"));
	cr_assert(is(r->headers[1]->value, "1"));
}

Test(call, a_reply_is_a_frame_of_its_kind)
{
	take(0);
	call_reply(call, span_of("\0\1\2", 3), true);

	const Gatepost__Answer *a = answer();

	cr_assert(a->response == NULL);
	cr_assert(a->frame->binary);
	cr_assert(eq(sz, a->frame->body.len, 3));
	cr_assert(eq(int, memcmp(a->frame->body.data, "\0\1\2", 3), 0));
}

Test(call, a_retry_asks_for_the_event_again_and_is_counted)
{
	take(0);
	call_retry(call);
	cr_assert(answer()->retry);
	cr_assert(eq(i64, metric_value(bed.broker.counts.retried), 1));
}

/* Each way to end, with the edge's link gone meanwhile: nothing is said, nothing is left. */
Test(call, whatever_the_answer_it_is_for_nobody_when_the_edge_has_gone)
{
	for (uint64_t seq = 0; seq < 5; seq++)
		bed_take(0, seq);
	bed_hang_up(0);
	call_reply(call, span_str("x"), false);
	cr_assert(eq(sz, bed_read(1)->n_items, 0));
}

Test(call, a_response_and_a_retry_for_an_edge_that_has_gone_are_dropped)
{
	take(0);
	bed_take(1, 1);
	bed_hang_up(0);
	call_respond(call, 200, NULL, 0, span_str("x"));
	bed_hang_up(1);
	call_retry(call);
}
