#include "broker/events/reply.h"

#include "fake_edge_link.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct edge_link *edge;
static struct id id;

static void start(void)
{
	edge = fake_edge_link();
	id = id_make(7, 3, 4);
}

static void stop(void)
{
	fake_edge_link_free(edge);
}

TestSuite(reply, .init = start, .fini = stop);

static void answer(struct answer a)
{
	struct sink s = reply_to(edge, 4);

	a.id = &id;
	a.term = s.term;
	a.seq = 9;
	s.ops->answer(s.to, &a);
	s.ops->close(s.to);
}

/* The one answer that has gone out. */
static const Gatepost__Answer *sent(void)
{
	const Gatepost__Envelope *e = fake_edge_link_read(edge);

	cr_assert(eq(sz, e->n_items, 1));
	cr_assert(eq(int, e->items[0]->body_case, GATEPOST__ITEM__BODY_ANSWER));
	return e->items[0]->answer;
}

static bool is(ProtobufCBinaryData d, const char *text)
{
	return span_is(span_of(d.data, d.len), text);
}

Test(reply, names_its_event)
{
	const Gatepost__Answer *a;

	answer((struct answer){.kind = ANSWER_DONE});
	a = sent();
	cr_assert(span_eq(span_of(a->id.data, a->id.len), id_span(&id)));
	cr_assert(eq(u32, a->term, 4));
	cr_assert(eq(u64, a->seq, 9));
	cr_assert(a->response == NULL && a->frame == NULL && !a->retry);
}

Test(reply, that_is_a_response_has_copies_of_status_headers_and_body)
{
	static const struct result_header h[] = {{"A", "1"}, {"B", "2"}};
	char body[] = "hello";
	const Gatepost__Response *r;

	answer((struct answer){.kind = ANSWER_RESPONSE,
			       .status = 201,
			       .headers = h,
			       .n_headers = 2,
			       .body = span_str(body)});
	body[0] = 'X';
	r = sent()->response;
	cr_assert(eq(u32, r->status, 201));
	cr_assert(is(r->body, "hello"));
	cr_assert(eq(sz, r->n_headers, 2));
	cr_assert(is(r->headers[1]->name, "B"));
	cr_assert(is(r->headers[1]->value, "2"));
}

Test(reply, that_accepts_a_connection_has_its_expiry_and_its_new_context)
{
	struct blob *context = blob_new(span_str("the context"));
	const Gatepost__Answer *a;

	answer((struct answer){.kind = ANSWER_RESPONSE,
			       .status = 200,
			       .expires_ms = 77,
			       .context = context});
	blob_unref(context);
	a = sent();
	cr_assert(eq(i64, a->expires_ms, 77));
	cr_assert(is(a->context, "the context"));
}

Test(reply, that_is_a_frame_has_its_bytes_and_kind)
{
	const Gatepost__Answer *a;

	answer((struct answer){
		.kind = ANSWER_FRAME, .body = span_of("\0\1\2", 3), .binary = true});
	a = sent();
	cr_assert(a->response == NULL);
	cr_assert(a->frame->binary);
	cr_assert(eq(sz, a->frame->body.len, 3));
	cr_assert(eq(int, memcmp(a->frame->body.data, "\0\1\2", 3), 0));
}

Test(reply, that_closes_has_code_and_reason)
{
	const Gatepost__Answer *a;

	answer((struct answer){
		.kind = ANSWER_CLOSE, .code = 1003, .body = span_str("no")});
	a = sent();
	cr_assert(eq(u32, a->close, 1003));
	cr_assert(is(a->close_reason, "no"));
}

Test(reply, that_asks_for_the_event_again_has_nothing_else)
{
	const Gatepost__Answer *a;

	answer((struct answer){.kind = ANSWER_RETRY});
	a = sent();
	cr_assert(a->retry);
	cr_assert(a->response == NULL && a->frame == NULL);
}

Test(reply, is_lost_with_the_link_and_is_dropped_then)
{
	static const enum answer_kind kinds[] = {
		ANSWER_DONE, ANSWER_RETRY, ANSWER_RESPONSE, ANSWER_FRAME, ANSWER_CLOSE};
	struct sink s = reply_to(edge, 1);

	cr_assert(not(s.ops->is_lost(s.to)));
	fake_edge_link_end(edge);
	cr_assert(s.ops->is_lost(s.to));
	s.ops->close(s.to);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		answer((struct answer){.kind = kinds[i], .status = 200});
}
