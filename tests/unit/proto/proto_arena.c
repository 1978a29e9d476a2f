#include "proto/arena.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdalign.h>

static struct arena a;

static void start(void)
{
	arena_init(&a);
}

static void end(void)
{
	arena_close(&a);
}

TestSuite(arena, .init = start, .fini = end);

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
		uint8_t *p = arena_alloc(&a, n);

		cr_assert(eq(sz, (uintptr_t)p % alignof(max_align_t), 0));
		cr_assert(is_all(p, n, 0));
		memset(p, 0xff, n); /* the next must not be given any of it */
	}
}

Test(proto_arena, memory_used_before_a_reset_is_zeroed_again)
{
	memset(arena_alloc(&a, 1000), 0xff, 1000);
	arena_reset(&a);
	cr_assert(is_all(arena_alloc(&a, 1000), 1000, 0));
}

/* Over the end of a block, and one larger than any block. */
Test(proto_arena, pieces_of_every_size_keep_what_was_written_to_them)
{
	enum { PIECES = 20 };
	uint8_t *pieces[PIECES];
	const size_t size[] = {1, 30000, 40000, 65536, 65537, 7, 300000};

	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = arena_alloc(&a, size[i % 7]);
		memset(pieces[i], (int)i + 1, size[i % 7]);
	}
	for (size_t i = 0; i < PIECES; i++)
		cr_assert(is_all(pieces[i], size[i % 7], (uint8_t)(i + 1)));
}

Test(proto_arena, a_copy_does_not_change_with_its_original)
{
	char text[] = "hello";
	struct span copy = arena_copy(&a, span_str(text));

	text[0] = 'j';
	cr_assert(span_is(copy, "hello"));
	cr_assert(eq(sz, arena_copy(&a, span_of(NULL, 0)).n, 0));
}

Test(proto_arena, a_reset_keeps_one_block_of_modest_size)
{
	void *first = arena_alloc(&a, 10);

	for (int i = 0; i < 10; i++)
		arena_alloc(&a, 60000);
	arena_reset(&a);
	cr_assert(a.blocks != NULL);
	cr_assert(arena_alloc(&a, 10) == first);
}

/* Otherwise one large envelope would cost its memory for ever. */
Test(proto_arena, a_reset_gives_a_large_block_back)
{
	arena_alloc(&a, 10 << 20);
	arena_reset(&a);
	cr_assert(a.blocks == NULL);
}

Test(proto_arena, an_arena_can_be_used_after_it_was_closed)
{
	arena_alloc(&a, 10);
	arena_close(&a);
	arena_close(&a);
	cr_assert(arena_alloc(&a, 10) != NULL);
}
