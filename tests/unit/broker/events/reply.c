#include "broker/events/reply.h"

#include "fake_edge_link.h"
#include "proto/batch.h"
#include "proto/envelope.h"

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

	answer((struct answer){.n_actions = 0});
	a = sent();
	cr_assert(span_eq(span_of(a->id.data, a->id.len), id_span(&id)));
	cr_assert(eq(u32, a->term, 4));
	cr_assert(eq(u64, a->seq, 9));
	cr_assert(a->n_actions == 0 && !a->retry);
}

/* The action of an answer that has this one. */
static const Gatepost__Action *send_one(struct action action)
{
	const Gatepost__Answer *a;

	answer((struct answer){.actions = &action, .n_actions = 1});
	a = sent();
	cr_assert(eq(sz, a->n_actions, 1));
	cr_assert(not(a->retry));
	return a->actions[0];
}

Test(reply, that_is_a_response_has_copies_of_status_headers_and_body)
{
	static const struct result_header h[] = {{"A", "1"}, {"B", "2"}};
	char body[] = "hello";
	struct action action = {.kind = ACTION_RESPONSE,
				.status = 201,
				.headers = h,
				.n_headers = 2,
				.body = span_str(body)};
	const Gatepost__Action *m;
	const Gatepost__Response *r;

	answer((struct answer){.actions = &action, .n_actions = 1});
	body[0] = 'X';
	m = sent()->actions[0];
	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_RESPONSE));
	r = m->response;
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

	answer((struct answer){.expires_ms = 77, .context = context});
	blob_unref(context);
	a = sent();
	cr_assert(eq(i64, a->expires_ms, 77));
	cr_assert(is(a->context, "the context"));
}

Test(reply, that_is_a_frame_has_its_bytes_and_kind)
{
	struct action frame = {.kind = ACTION_FRAME, .body = span_of("\0\1\2", 3)};
	const Gatepost__Action *m = send_one(frame);

	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_TEXT));
	cr_assert(span_eq(span_from(m->text), frame.body));
	frame.binary = true;
	m = send_one(frame);
	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_BINARY));
	cr_assert(span_eq(span_from(m->binary), frame.body));
}

Test(reply, that_closes_has_code_and_reason)
{
	const Gatepost__Action *m = send_one((struct action){
		.kind = ACTION_CLOSE, .code = 1003, .body = span_str("no")});

	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_CLOSE));
	cr_assert(eq(u32, m->close->code, 1003));
	cr_assert(is(m->close->reason, "no"));
}

static ProtobufCBinaryData data_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

Test(reply, that_activates_has_its_position_and_copies_of_what_was_missed)
{
	char body[] = "{\"offset\":6}";
	Gatepost__Tag tag = GATEPOST__TAG__INIT, *tags = &tag;
	Gatepost__Publication p = GATEPOST__PUBLICATION__INIT, *missed = &p;
	struct action_activate a = {{span_str("e1"), 6}, &missed, 1};
	const Gatepost__Action *m;

	tag.key = data_of("k");
	tag.value = data_of("v");
	p.offset = 6;
	p.body = data_of(body);
	p.tags = &tags;
	p.n_tags = 1;
	m = send_one((struct action){
		.kind = ACTION_ACTIVATE, .channel = span_str("room:1"), .activate = &a});
	memset(body, 'x', sizeof body - 1);
	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_ACTIVATE));
	cr_assert(is(m->activate->channel, "room:1"));
	cr_assert(is(m->activate->position->epoch, "e1"));
	cr_assert(eq(u64, m->activate->position->offset, 6));
	cr_assert(eq(sz, m->activate->n_missed, 1));
	cr_assert(eq(u64, m->activate->missed[0]->offset, 6));
	cr_assert(is(m->activate->missed[0]->body, "{\"offset\":6}"));
	cr_assert(is(m->activate->missed[0]->tags[0]->key, "k"));
	cr_assert(is(m->activate->missed[0]->tags[0]->value, "v"));
}

Test(reply, that_activates_without_history_has_no_position)
{
	struct action_activate a = {0};
	const Gatepost__Action *m = send_one((struct action){
		.kind = ACTION_ACTIVATE, .channel = span_str("c"), .activate = &a});

	cr_assert(m->activate->position == NULL);
	cr_assert(eq(sz, m->activate->n_missed, 0));
}

Test(reply, that_unsubscribes_names_the_channel)
{
	const Gatepost__Action *m = send_one((struct action){
		.kind = ACTION_UNSUBSCRIBE, .channel = span_str("room:1")});

	cr_assert(eq(int, m->body_case, GATEPOST__ACTION__BODY_UNSUBSCRIBE));
	cr_assert(is(m->unsubscribe->channel, "room:1"));
}

Test(reply, has_its_actions_in_their_order)
{
	const struct action list[] = {
		{.kind = ACTION_RESPONSE, .status = 200},
		{.kind = ACTION_FRAME, .body = span_str("one")},
		{.kind = ACTION_FRAME, .body = span_str("two")},
		{.kind = ACTION_CLOSE, .code = 1000},
	};
	const Gatepost__Answer *a;

	answer((struct answer){.actions = list, .n_actions = 4});
	a = sent();
	cr_assert(eq(sz, a->n_actions, 4));
	cr_assert(eq(u32, a->actions[0]->response->status, 200));
	cr_assert(is(a->actions[1]->text, "one"));
	cr_assert(is(a->actions[2]->text, "two"));
	cr_assert(eq(u32, a->actions[3]->close->code, 1000));
}

/* The link's reader is the edge's: fake_edge_link_read fails the test when it refuses the envelope. */
Test(reply, of_as_many_actions_as_a_call_may_have_can_be_read)
{
	static uint8_t half[ENVELOPE_BYTES / ENVELOPE_ACTIONS];
	static uint8_t large[2 * ENVELOPE_BYTES];
	struct action list[ENVELOPE_ACTIONS];

	for (size_t i = 0; i < ENVELOPE_ACTIONS; i++)
		list[i] = (struct action){.kind = ACTION_FRAME,
					  .body = span_of(half, sizeof half)};
	list[ENVELOPE_ACTIONS - 1].body = span_of(large, sizeof large);
	answer((struct answer){.actions = list, .n_actions = ENVELOPE_ACTIONS});
	cr_assert(eq(sz, sent()->n_actions, ENVELOPE_ACTIONS));
}

Test(reply, that_asks_for_the_event_again_has_nothing_else)
{
	const Gatepost__Answer *a;

	answer((struct answer){.is_retry = true});
	a = sent();
	cr_assert(a->retry);
	cr_assert(eq(sz, a->n_actions, 0));
}

Test(reply, is_lost_with_the_link_and_is_dropped_then)
{
	static const enum action_kind kinds[] = {ACTION_RESPONSE, ACTION_FRAME,
						 ACTION_CLOSE};
	struct sink s = reply_to(edge, 1);

	cr_assert(not(s.ops->is_lost(s.to)));
	fake_edge_link_end(edge);
	cr_assert(s.ops->is_lost(s.to));
	s.ops->close(s.to);
	answer((struct answer){.is_retry = true});
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct action action = {.kind = kinds[i], .status = 200};

		answer((struct answer){.actions = &action, .n_actions = 1});
	}
}
