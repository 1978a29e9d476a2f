#include "edge/channels/publication.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct publication *numbered(uint64_t offset)
{
	Gatepost__Publication m = GATEPOST__PUBLICATION__INIT;

	m.offset = offset;
	return publication_new(&m);
}

/* "1 2 3" */
static const char *offsets(const struct shelf *s)
{
	static char out[256];

	out[0] = '\0';
	for (uint32_t i = 0; i < s->n; i++)
		snprintf(out + strlen(out), sizeof out - strlen(out), "%s%llu",
			 i > 0 ? " " : "", (unsigned long long)shelf_at(s, i)->offset);
	return out;
}

static void put(struct shelf *s, uint32_t i, uint64_t offset)
{
	struct publication *p = numbered(offset);

	shelf_insert(s, i, p);
	publication_unref(p);
}

Test(shelf, keeps_its_order_when_it_grows_after_its_first_ones_have_left)
{
	struct shelf s = {.n = 0};

	for (uint64_t i = 1; i <= 4; i++)
		put(&s, s.n, i);
	publication_unref(shelf_shift(&s));
	publication_unref(shelf_shift(&s));
	for (uint64_t i = 5; i <= 9; i++)
		put(&s, s.n, i);
	cr_assert(eq(str, (char *)offsets(&s), "3 4 5 6 7 8 9"));
	put(&s, 1, 77);
	put(&s, 0, 78);
	cr_assert(eq(str, (char *)offsets(&s), "78 3 77 4 5 6 7 8 9"));
	publication_unref(shelf_pop(&s));
	cr_assert(eq(str, (char *)offsets(&s), "78 3 77 4 5 6 7 8"));
	shelf_clear(&s);
	cr_assert(eq(sz, s.bytes, 0));
}

Test(publication, has_copies_of_its_tags)
{
	char key[] = "k", value[] = "v";
	Gatepost__Tag tag = GATEPOST__TAG__INIT, *tags[] = {&tag};
	Gatepost__Publication m = GATEPOST__PUBLICATION__INIT;
	struct publication *p;

	tag.key = (ProtobufCBinaryData){1, (uint8_t *)key};
	tag.value = (ProtobufCBinaryData){1, (uint8_t *)value};
	m.tags = tags;
	m.n_tags = 1;
	p = publication_new(&m);
	key[0] = value[0] = 'x';
	cr_assert(span_is(p->tags[0].key, "k"));
	cr_assert(span_is(p->tags[0].value, "v"));
	publication_unref(p);
}
