#include "base/arena.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(arena, pieces_are_aligned_and_apart)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 5000, 300000, 3};
	enum { N = sizeof sizes / sizeof *sizes };
	struct arena *a = arena_new();
	uint8_t *pieces[N];

	for (int i = 0; i < N; i++) {
		pieces[i] = arena_alloc(a, sizes[i]);
		cr_assert(ne(ptr, pieces[i], NULL));
		cr_assert(zero(u64, (uintptr_t)pieces[i] % _Alignof(max_align_t)));
		memset(pieces[i], i, sizes[i]);
	}
	for (int i = 0; i < N; i++)
		for (size_t n = 0; n < sizes[i]; n++)
			cr_assert(eq(u8, pieces[i][n], (uint8_t)i));
	arena_free(a);
}

Test(arena, many_small_pieces_stay_what_they_are)
{
	struct arena *a = arena_new();
	uint32_t *pieces[20000];

	for (uint32_t i = 0; i < 20000; i++) {
		pieces[i] = arena_alloc(a, sizeof **pieces);
		*pieces[i] = i;
	}
	for (uint32_t i = 0; i < 20000; i++)
		cr_assert(eq(u32, *pieces[i], i));
	cr_assert(ge(sz, arena_bytes(a), 20000 * sizeof **pieces));
	cr_assert(lt(sz, arena_bytes(a), 2000000));
	arena_free(a);
}

Test(arena, a_calloc_is_zero_and_a_copy_is_equal)
{
	struct arena *a = arena_new();
	struct span text = span_str("abc");
	struct span copy = arena_copy(a, text);
	const uint8_t *zeros = arena_calloc(a, 100, 3);

	cr_assert(span_eq(copy, text));
	cr_assert(ne(ptr, (void *)copy.p, (void *)text.p));
	cr_assert(zero(sz, arena_copy(a, (struct span){0}).n));
	for (int i = 0; i < 300; i++)
		cr_assert(zero(u8, zeros[i]));
	arena_free(a);
	arena_free(NULL);
}

Test(arena, text_of_any_length_is_printed)
{
	struct arena *a = arena_new();
	char *text;

	cr_assert(eq(str, arena_printf(a, "%d %s", 7, "x"), "7 x"));
	for (int n = 250; n < 260; n++) {
		text = arena_printf(a, "%*s", n, "y");
		cr_assert(eq(sz, strlen(text), (size_t)n));
		cr_assert(eq(chr, text[n - 1], 'y'));
	}
	arena_free(a);
}
