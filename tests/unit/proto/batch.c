#include "proto/batch.h"

#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct batch b;
static struct proto_arena arena;

static void start(void)
{
	batch_init(&b);
	proto_arena_init(&arena);
}

static void end(void)
{
	batch_close(&b);
	proto_arena_close(&arena);
}

TestSuite(batch, .init = start, .fini = end);

static Gatepost__Event *add_event(uint64_t seq)
{
	Gatepost__Event *e =
		batch_add(&b, GATEPOST__ITEM__BODY_EVENT, &gatepost__event__descriptor);

	e->id = batch_copy(&b, span_of("11 bytes id", 11));
	e->kind = GATEPOST__EVENT__KIND__MESSAGE;
	e->seq = seq;
	return e;
}

/* Pack, and read what came out. */
static Gatepost__Envelope *through(void)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT, *out = NULL;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	batch_pack(&b, &head, &m);

	enum err e =
		envelope_read(span_of(zmq_msg_data(&m), zmq_msg_size(&m)), &arena, &out);

	zmq_msg_close(&m);
	cr_assert(eq(int, e, OK));
	return out;
}

Test(batch, many_items_come_out_in_the_order_they_went_in)
{
	enum { MANY = 1000 };

	for (uint64_t i = 0; i < MANY; i++)
		add_event(i);
	cr_assert(eq(sz, b.n, MANY));

	Gatepost__Envelope *e = through();

	cr_assert(eq(sz, e->n_items, MANY));
	for (uint64_t i = 0; i < MANY; i++)
		cr_assert(eq(u64, e->items[i]->event->seq, i));
}

Test(batch, packing_empties_it)
{
	add_event(1);
	through();
	cr_assert(eq(sz, b.n, 0));
	cr_assert(eq(sz, b.bytes, 0));
	add_event(2);

	Gatepost__Envelope *e = through();

	cr_assert(eq(sz, e->n_items, 1));
	cr_assert(eq(u64, e->items[0]->event->seq, 2));
}

Test(batch, an_empty_one_packs_to_an_envelope_without_items)
{
	cr_assert(eq(sz, through()->n_items, 0));
}

Test(batch, a_held_blob_lives_until_the_batch_is_packed_and_no_longer)
{
	struct blob *body = blob_new(span_str("the body"));

	add_event(1)->body = batch_hold(&b, body);
	cr_assert(eq(u32, body->refs, 2));

	Gatepost__Envelope *e = through();

	cr_assert(eq(u32, body->refs, 1));
	cr_assert(span_is(span_from(e->items[0]->event->body), "the body"));
	blob_unref(body);
}

Test(batch, the_same_blob_can_be_held_by_many_items)
{
	struct blob *body = blob_new(span_str("x"));

	for (uint64_t i = 0; i < 100; i++)
		add_event(i)->body = batch_hold(&b, body);
	cr_assert(eq(u32, body->refs, 101));
	cr_assert(eq(sz, through()->items[99]->event->body.len, 1));
	cr_assert(eq(u32, body->refs, 1));
	blob_unref(body);
}

Test(batch, no_blob_and_an_empty_one_are_no_bytes_and_are_not_held)
{
	struct blob *empty = blob_alloc(0);

	cr_assert(eq(sz, batch_hold(&b, NULL).len, 0));
	cr_assert(eq(sz, batch_hold(&b, empty).len, 0));
	cr_assert(eq(u32, empty->refs, 1));
	blob_unref(empty);
}

Test(batch, bodies_held_and_copied_are_counted)
{
	struct blob *body = blob_new(span_str("12345"));

	batch_hold(&b, body);
	batch_copy(&b, span_str("123"));
	cr_assert(eq(sz, b.bytes, 8));
	blob_unref(body);
}

Test(batch, dropping_forgets_items_and_lets_go_of_blobs)
{
	struct blob *body = blob_new(span_str("x"));

	add_event(1)->body = batch_hold(&b, body);
	batch_drop(&b);
	cr_assert(eq(u32, body->refs, 1));
	cr_assert(eq(sz, through()->n_items, 0));
	blob_unref(body);
}
