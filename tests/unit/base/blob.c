#include "base/blob.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(blob, the_bytes_stay_until_the_last_holder_lets_go)
{
	char source[] = "hello";
	struct blob *mine = blob_new(span_str(source));
	struct blob *yours = blob_ref(mine);

	source[0] = 'j';
	blob_unref(mine);
	cr_assert(span_is(blob_span(yours), "hello"));
	blob_unref(yours);
}

Test(blob, nothing_can_be_shared_too)
{
	struct blob *empty = blob_new((struct span){0});

	cr_assert(eq(sz, blob_span(empty).n, 0));
	blob_unref(empty);
	blob_unref(NULL);
	cr_assert(eq(sz, blob_span(NULL).n, 0));
}
