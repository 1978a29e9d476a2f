#include "broker/events/call.h"

#include "fixture.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CONNECT    GATEPOST__EVENT__KIND__CONNECT
#define MESSAGE    GATEPOST__EVENT__KIND__MESSAGE
#define DISCONNECT GATEPOST__EVENT__KIND__DISCONNECT
#define HTTP       GATEPOST__EVENT__KIND__HTTP

TestSuite(call, .init = fixture_start, .fini = fixture_stop);

static struct asker *const asker = &fixture.askers[0];

static struct call *make(Gatepost__Event__Kind kind)
{
	Gatepost__Event e = fixture_event(kind, 9);

	e.term = 4;
	return fixture_call(&e);
}

static bool is(ProtobufCBinaryData d, const char *text)
{
	return span_is(span_of(d.data, d.len), text);
}

Test(call, is_a_copy_of_its_event)
{
	Gatepost__Event e = fixture_event(HTTP, 9);
	char context[] = "the context", request[] = "the request", body[] = "the body";
	struct call *c;

	e.time_ms = 77;
	e.binary = true;
	e.context = fixture_data(context);
	e.request = fixture_data(request);
	e.body = fixture_data(body);
	c = fixture_call(&e);
	context[0] = request[0] = body[0] = 'X';
	cr_assert(span_is(c->in.context, "the context"));
	cr_assert(span_is(c->in.request, "the request"));
	cr_assert(span_is(c->in.body, "the body"));
	cr_assert(eq(u64, c->in.seq, 9));
	cr_assert(eq(i64, c->in.time_ms, 77));
	cr_assert(eq(int, c->in.kind, HTTP));
	cr_assert(c->in.binary);
	cr_assert(eq(str, (char *)(uintptr_t)c->in.setting->account, "123456789012"));
	call_end(c);
}

Test(call, of_an_event_that_was_sent_before_knows_whether_links_have_ended_meanwhile)
{
	static const struct {
		unsigned again;
		bool is_again, is_suspect;
	} rows[] = {{EVENT_FIRST, false, false},
		    {EVENT_AGAIN, true, false},
		    {EVENT_ACCUSED, true, true}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Gatepost__Event e = fixture_event(MESSAGE, i);
		struct call *c;

		e.again = rows[i].again;
		c = fixture_call(&e);
		cr_assert(eq(int, c->again, rows[i].is_again));
		cr_assert(eq(int, c->in.is_suspect, rows[i].is_suspect));
		call_end(c);
	}
}

Test(call, of_a_disconnect_has_its_reason_as_body)
{
	Gatepost__Event e = fixture_event(DISCONNECT, 1);
	struct call *c;

	e.code = 1006;
	e.reason = fixture_data("gone");
	e.body = fixture_data("ignored");
	c = fixture_call(&e);
	cr_assert(span_is(c->in.body, "gone"));
	cr_assert(eq(u16, c->in.code, 1006));
	cr_assert(eq(int, c->disconnect.phase, PHASE_NEW));
	call_end(c);
}

Test(call, reads_packed_parts_and_nonsense_is_none)
{
	Gatepost__Event e = fixture_event(HTTP, 1);
	Gatepost__Context *x;
	struct call *c;

	e.request = fixture_data("\x0a\x7fG");
	c = fixture_call(&e);
	x = call_context(c);
	cr_assert(x != NULL);
	cr_assert(is(x->source_ip, "::1"));
	gatepost__context__free_unpacked(x, NULL);
	cr_assert(call_request(c) == NULL);
	call_end(c);
}

/* ---- pending disconnects ---- */

Test(call, that_is_pending_is_the_stored_disconnect_and_has_no_sink)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);
	struct id id = fixture_id();
	struct call *c = call_new_pending(&fixture.counts, fixture.routes, &d);
	Gatepost__Context *x = call_context(c);

	cr_assert(not(call_is_lost(c)));
	cr_assert(eq(int, c->disconnect.phase, PHASE_PENDING));
	cr_assert(span_eq(id_span(&c->in.id), id_span(&id)));
	cr_assert(eq(u64, c->in.seq, (uint64_t)ID_SEQ_DISCONNECT));
	cr_assert(eq(i64, c->in.time_ms, 5));
	cr_assert(eq(int, c->in.code, 1006));
	cr_assert(eq(int, c->disconnect.tries, 2));
	cr_assert(span_is(c->in.body, "gone"));
	cr_assert(is(x->source_ip, "::1"));
	gatepost__context__free_unpacked(x, NULL);
	call_free(c);
}

Test(call, that_is_pending_has_the_context_that_its_edge_had)
{
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);
	struct call *c;

	d.row.context = span_str("\x12\x03::2\x2a\x02{}");
	c = call_new_pending(&fixture.counts, fixture.routes, &d);
	cr_assert(span_eq(c->in.context, d.row.context));
	call_free(c);
}

Test(call, is_not_made_of_a_pending_disconnect_that_cannot_be_read)
{
	char text[ID_TEXT];
	struct disconnect bad_id = {.row = {.id = span_str("nonsense")}};
	struct disconnect of_another = fixture_disconnect(text);
	struct disconnect bad_context = fixture_disconnect(text);

	of_another.row.edge = EDGE + 1;
	bad_context.row.context = span_str("\x12\x7f");
	cr_assert(call_new_pending(&fixture.counts, fixture.routes, &bad_id) == NULL);
	cr_assert(call_new_pending(&fixture.counts, fixture.routes, &of_another) == NULL);
	cr_assert(call_new_pending(&fixture.counts, fixture.routes, &bad_context) ==
		  NULL);
}

/* The edge reports 1001 now, and what was begun first stays. */
Test(call, adopts_what_was_written_down_first_instead_of_what_the_edge_reports)
{
	Gatepost__Event e = fixture_event(DISCONNECT, 1);
	char text[ID_TEXT];
	struct disconnect d = fixture_disconnect(text);
	struct call *c;

	e.code = 1001;
	e.reason = fixture_data("another");
	c = fixture_call(&e);
	call_adopt(c, &d);
	call_adopt(c, &d);
	cr_assert(eq(i64, c->in.time_ms, 5));
	cr_assert(eq(int, c->in.code, 1006));
	cr_assert(eq(int, c->disconnect.tries, 2));
	cr_assert(span_is(c->in.body, "gone"));
	call_end(c);
}

/* ---- what an authorizer returned ---- */

Test(call, has_what_the_authorizer_returned_in_its_context_and_answers_with_that)
{
	struct call *c = make(CONNECT);
	Gatepost__Context *x;

	call_grant(c, "{\"a\":1}", true);
	x = call_context(c);
	cr_assert(is(x->authorizer, "{\"a\":1}"));
	cr_assert(is(x->source_ip, "::1"));
	cr_assert(eq(sz, x->request.len, c->in.request.n));
	gatepost__context__free_unpacked(x, NULL);
	call_respond(c, 200, NULL, 0, span_str(""));
	cr_assert(asker->last.has_context);
}

Test(call, without_a_readable_context_is_granted_nothing)
{
	Gatepost__Event e = fixture_event(CONNECT, 1);
	struct call *c;

	e.context = fixture_data("\x12\x7f");
	c = fixture_call(&e);
	call_grant(c, "{}", false);
	cr_assert(c->connect.granted == NULL);
	call_retry(c);
}

Test(call, has_the_principal_as_its_user)
{
	struct call *c = make(CONNECT);
	Gatepost__Context *x;

	call_grant(c, "{\"principalId\":\"u\\u0031\"}", false);
	x = call_context(c);
	cr_assert(is(x->user, "u1"));
	gatepost__context__free_unpacked(x, NULL);
	call_set_user(c, span_str("u2"));
	x = call_context(c);
	cr_assert(is(x->user, "u2"));
	cr_assert(is(x->source_ip, "::1"));
	gatepost__context__free_unpacked(x, NULL);
	call_retry(c);
}

Test(call, has_no_user_whose_name_is_too_long)
{
	struct call *c = make(CONNECT);
	char name[CALL_USER_MOST + 1];
	Gatepost__Context *x;

	memset(name, 'u', sizeof name);
	call_set_user(c, span_of(name, sizeof name));
	x = call_context(c);
	cr_assert(eq(sz, x->user.len, 0));
	gatepost__context__free_unpacked(x, NULL);
	call_set_user(c, span_of(name, CALL_USER_MOST));
	x = call_context(c);
	cr_assert(eq(sz, x->user.len, CALL_USER_MOST));
	gatepost__context__free_unpacked(x, NULL);
	call_retry(c);
}

/* ---- its end ---- */

Test(call, names_its_event_in_the_answer_and_ends)
{
	struct id id = fixture_id();
	char text[ID_TEXT];

	call_end(make(MESSAGE));
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
	cr_assert(eq(str, asker->last.id, (char *)id_text(&id, text)));
	cr_assert(eq(u32, asker->last.term, 4));
	cr_assert(eq(u64, asker->last.seq, 9));
	cr_assert(eq(sz, fixture.ended, 1));
	cr_assert(eq(sz, asker->open, 0));
}

Test(call, responds_with_status_headers_and_body)
{
	static const struct result_header h[] = {{"A", "1"}, {"B", "2"}};

	call_respond(make(HTTP), 201, h, 2, span_str("hello"));
	cr_assert(eq(int, asker->last.kind, ANSWER_RESPONSE));
	cr_assert(eq(int, asker->last.status, 201));
	cr_assert(eq(str, asker->last.headers, "A=1;B=2;"));
	cr_assert(eq(str, asker->last.body, "hello"));
}

Test(call, responds_502_instead_of_what_an_edge_could_not_read)
{
	static const int statuses[] = {0, 101, 199, 600, 1000, -1};
	struct result_header h[ENVELOPE_ITEM_PARTS + 1];

	for (size_t i = 0; i <= ENVELOPE_ITEM_PARTS; i++)
		h[i] = (struct result_header){"A", ""};
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		call_respond(make(HTTP), statuses[i], h, 1, span_str("x"));
		cr_assert(eq(int, asker->last.status, 502));
	}
	call_respond(make(HTTP), 200, h, ENVELOPE_ITEM_PARTS + 1, span_str("x"));
	cr_assert(eq(int, asker->last.status, 502));
	call_respond(make(HTTP), 200, h, ENVELOPE_ITEM_PARTS, span_str("x"));
	cr_assert(eq(int, asker->last.status, 200));
}

/* A token may have that: its exp is a number of the issuer's choice. */
Test(call, bounds_an_expiry_beyond_all_time_to_what_an_edge_can_read)
{
	struct call *c = make(CONNECT);

	c->connect.expires_ms = INT64_C(1000000000060000);
	call_respond(c, 200, NULL, 0, span_str(""));
	cr_assert(eq(i64, asker->last.expires_ms, ENVELOPE_TIME_MOST));
}

Test(call, refuses_in_json_and_counts_that)
{
	call_refuse(make(HTTP), 404, "Not Found");
	cr_assert(eq(int, asker->last.status, 404));
	cr_assert(eq(str, asker->last.body, "{\"message\":\"Not Found\"}"));
	cr_assert(eq(str, asker->last.headers, "Content-Type=application/json;"));
	cr_assert(eq(i64, metric_value(fixture.counts.refused), 1));
}

Test(call, refuses_for_now_with_the_time_to_come_back)
{
	call_refuse(make(HTTP), 503, "busy");
	cr_assert(eq(str, asker->last.headers,
		     "Content-Type=application/json;Retry-After=1;"));
}

Test(call, replies_with_a_frame_of_its_kind)
{
	call_reply(make(MESSAGE), span_str("hi"), true);
	cr_assert(eq(int, asker->last.kind, ANSWER_FRAME));
	cr_assert(asker->last.binary);
	cr_assert(eq(str, asker->last.body, "hi"));
}

Test(call, replies_with_the_error_frame_of_api_gateway)
{
	struct id id = fixture_id();
	char text[ID_TEXT], request[ID_TEXT], want[300];

	call_reply_error(make(MESSAGE), "Forbidden");
	snprintf(want, sizeof want,
		 "{\"message\": \"Forbidden\", \"connectionId\":\"%s\", "
		 "\"requestId\":\"%s\"}",
		 id_text(&id, text), id_request(&id, 9, request));
	cr_assert(eq(str, asker->last.body, want));
	cr_assert(not(asker->last.binary));
	cr_assert(eq(i64, metric_value(fixture.counts.refused), 1));
}

Test(call, closes_with_a_code_and_a_reason)
{
	call_close(make(MESSAGE), 1003, "no");
	cr_assert(eq(int, asker->last.kind, ANSWER_CLOSE));
	cr_assert(eq(int, asker->last.code, 1003));
	cr_assert(eq(str, asker->last.body, "no"));
}

/* ---- several actions ---- */

static const struct action text = {.kind = ACTION_FRAME,
				   .body = {(const uint8_t *)"a", 1}};
static const struct action stop_it = {.kind = ACTION_CLOSE, .code = 1000};
static const struct action accepted = {.kind = ACTION_RESPONSE, .status = 200};

Test(call, ends_a_message_with_frames_and_a_close_in_one_answer)
{
	struct action list[] = {text, text, stop_it};

	call_answer(make(MESSAGE), list, 3);
	cr_assert(eq(sz, asker->n, 1));
	cr_assert(eq(sz, asker->last.actions, 3));
	cr_assert(eq(int, asker->last.kind, ANSWER_CLOSE));
	cr_assert(eq(sz, fixture.ended, 1));
}

Test(call, ends_a_connect_with_its_response_and_what_follows_it)
{
	struct action list[] = {accepted, text, stop_it};

	call_answer(make(CONNECT), list, 3);
	cr_assert(eq(sz, asker->last.actions, 3));
}

Test(call, answers_a_message_with_an_error_instead_of_more_actions_than_an_edge_reads)
{
	struct action list[ENVELOPE_ACTIONS + 1];

	for (size_t i = 0; i <= ENVELOPE_ACTIONS; i++)
		list[i] = text;
	call_answer(make(MESSAGE), list, ENVELOPE_ACTIONS);
	cr_assert(eq(sz, asker->last.actions, ENVELOPE_ACTIONS));
	call_answer(make(MESSAGE), list, ENVELOPE_ACTIONS + 1);
	cr_assert(eq(sz, asker->last.actions, 1));
	cr_assert(strstr(asker->last.body, "Internal server error") != NULL);
}

Test(call, answers_with_an_error_instead_of_more_bytes_than_an_edge_reads)
{
	static uint8_t large[ENVELOPE_BYTES];
	struct action list[] = {text, text, text};

	list[2].body = span_of(large, sizeof large);
	call_answer(make(MESSAGE), list, 3);
	cr_assert(eq(sz, asker->last.actions, 3));
	list[1].body = span_of(large, sizeof large);
	call_answer(make(MESSAGE), list, 3);
	cr_assert(eq(sz, asker->last.actions, 1));
	list[0] = accepted;
	call_answer(make(CONNECT), list, 3);
	cr_assert(eq(sz, asker->last.actions, 1));
	cr_assert(eq(int, asker->last.status, 502));
}

/* What an edge would end the link for is a bug of the caller's. */
static void answer_wrongly(Gatepost__Event__Kind kind, const struct action *list,
			   size_t n)
{
	call_answer(make(kind), list, n);
}

#define WRONG(NAME, KIND, ...)                                                           \
	Test(call, NAME, .signal = SIGABRT)                                              \
	{                                                                                \
		struct action list[] = {__VA_ARGS__};                                    \
		answer_wrongly(KIND, list, sizeof list / sizeof *list);                  \
	}

WRONG(never_has_a_response_for_a_message, MESSAGE, accepted)
WRONG(never_has_a_frame_for_a_request_without_a_response, CONNECT, text)
WRONG(never_has_a_frame_behind_a_plain_response, HTTP, accepted, text)
WRONG(never_has_a_frame_behind_a_close, MESSAGE, stop_it, text)
WRONG(never_has_a_response_behind_a_frame, CONNECT, accepted, text, accepted)

Test(call, asks_for_the_event_again_and_counts_that)
{
	call_retry(make(CONNECT));
	cr_assert(eq(int, asker->last.kind, ANSWER_RETRY));
	cr_assert(eq(i64, metric_value(fixture.counts.retried), 1));
}

Test(call, goes_on_after_it_was_acknowledged_and_is_answered_no_more)
{
	struct call *c = make(DISCONNECT);

	call_acknowledge(c);
	cr_assert(eq(int, asker->last.kind, ANSWER_DONE));
	cr_assert(eq(sz, asker->open, 0));
	cr_assert(eq(sz, fixture.ended, 0));
	asker->is_lost = true;
	cr_assert(not(call_is_lost(c)));
	call_end(c);
	cr_assert(eq(sz, asker->n, 1));
	cr_assert(eq(sz, fixture.ended, 1));
}

Test(call, ends_in_each_way_also_when_its_asker_is_lost)
{
	struct call *calls[6];

	for (int i = 0; i < 6; i++)
		calls[i] = make(i < 5 ? MESSAGE : HTTP);
	asker->is_lost = true;
	cr_assert(call_is_lost(calls[0]));
	call_reply(calls[0], span_str("x"), false);
	call_reply_error(calls[1], "x");
	call_close(calls[2], 1003, "x");
	call_end(calls[3]);
	call_retry(calls[4]);
	call_respond(calls[5], 200, NULL, 0, span_str("x"));
	cr_assert(eq(sz, fixture.ended, 6));
	cr_assert(eq(sz, asker->n, 0));
}
