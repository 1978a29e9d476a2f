#include "proto/proto_arena.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdalign.h>

static struct proto_arena a;

static void start(void)
{
	proto_arena_init(&a);
}

static void end(void)
{
	proto_arena_close(&a);
}

TestSuite(proto_arena, .init = start, .fini = end);

static bool is_all(const uint8_t *p, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

Test(proto_arena, what_is_allocated_is_zeroed_and_aligned_for_anything)
{
	for (size_t n = 1; n < 300; n++) {
		uint8_t *p = proto_arena_alloc(&a, n);

		cr_assert(eq(sz, (uintptr_t)p % alignof(max_align_t), 0));
		cr_assert(is_all(p, n, 0));
		memset(p, 0xff, n); /* the next must not be given any of it */
	}
}

Test(proto_arena, memory_used_before_a_reset_is_zeroed_again)
{
	memset(proto_arena_alloc(&a, 1000), 0xff, 1000);
	proto_arena_reset(&a);
	cr_assert(is_all(proto_arena_alloc(&a, 1000), 1000, 0));
}

/* Over the end of a block, and one larger than any block. */
Test(proto_arena, pieces_of_every_size_keep_what_was_written_to_them)
{
	enum { PIECES = 20 };
	uint8_t *pieces[PIECES];
	const size_t size[] = {1, 30000, 40000, 65536, 65537, 7, 300000};

	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = proto_arena_alloc(&a, size[i % 7]);
		memset(pieces[i], (int)i + 1, size[i % 7]);
	}
	for (size_t i = 0; i < PIECES; i++)
		cr_assert(is_all(pieces[i], size[i % 7], (uint8_t)(i + 1)));
}

Test(proto_arena, a_copy_does_not_change_with_its_original)
{
	char text[] = "hello";
	struct span copy = proto_arena_copy(&a, span_str(text));

	text[0] = 'j';
	cr_assert(span_is(copy, "hello"));
	cr_assert(eq(sz, proto_arena_copy(&a, span_of(NULL, 0)).n, 0));
}

Test(proto_arena, a_reset_keeps_one_block_of_modest_size)
{
	void *first = proto_arena_alloc(&a, 10);

	for (int i = 0; i < 10; i++)
		proto_arena_alloc(&a, 60000);
	proto_arena_reset(&a);
	cr_assert(a.blocks != NULL);
	cr_assert(proto_arena_alloc(&a, 10) == first);
}

/* Otherwise one large envelope would cost its memory for ever. */
Test(proto_arena, a_reset_gives_a_large_block_back)
{
	proto_arena_alloc(&a, 10 << 20);
	proto_arena_reset(&a);
	cr_assert(a.blocks == NULL);
}

Test(proto_arena, an_arena_can_be_used_after_it_was_closed)
{
	proto_arena_alloc(&a, 10);
	proto_arena_close(&a);
	proto_arena_close(&a);
	cr_assert(proto_arena_alloc(&a, 10) != NULL);
}
