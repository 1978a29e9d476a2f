#include "tables/store/schema.h"

#include "base/clock.h"
#include "base/mem.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>

struct table *table_ref(struct table *t)
{
	t->refs++;
	return t;
}

void table_unref(struct table *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	arena_free(t->arena);
	free(t);
}

static void make_id(char out[TABLE_ID + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[TABLE_ID];

	evutil_secure_rng_get_bytes(random, sizeof random);
	for (size_t i = 0; i < TABLE_ID; i++)
		out[i] = letters[random[i] % 32];
	out[TABLE_ID] = '\0';
}

static void make_uuid(char out[TABLE_UUID + 1])
{
	uint8_t r[16];

	evutil_secure_rng_get_bytes(r, sizeof r);
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40); /* RFC 9562 5.4 */
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	snprintf(out, TABLE_UUID + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11],
		 r[12], r[13], r[14], r[15]);
}

struct table *table_new(void)
{
	struct table *t = xcalloc(1, sizeof *t);

	t->refs = 1;
	t->arena = arena_new();
	t->generation = 1;
	t->created_ms = clock_wall_ms();
	make_id(t->id);
	make_uuid(t->uuid);
	return t;
}

const struct table_index *table_index(const struct table *t, struct span name)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (span_eq(t->indexes[i].name, name))
			return &t->indexes[i];
	return NULL;
}

bool table_is_changing(const struct table *t)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (t->indexes[i].state == INDEX_CREATING)
			return true;
	return t->ttl.n > 0 && t->ttl_is_new;
}

bool table_name_is_right(struct span name)
{
	if (name.n < TABLE_NAME_LEAST || name.n > TABLE_NAME_MOST)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
			return false;
	}
	return true;
}

struct span table_name_of(struct span text)
{
	static const char mark[] = ":table/";
	const uint8_t *at;

	if (text.n < 4 || memcmp(text.p, "arn:", 4) != 0)
		return text;
	at = memmem(text.p, text.n, mark, strlen(mark));
	if (at == NULL)
		return text;
	at += strlen(mark);
	return span_of(at, (size_t)(text.p + text.n - at));
}

static bool same_name(struct span a, enum value_type a_type, struct span b,
		      enum value_type b_type)
{
	return span_eq(a, b) && (a.n == 0 || a_type == b_type);
}

bool schema_same_keys(const struct key_schema *a, const struct key_schema *b)
{
	return same_name(a->partition, a->partition_type, b->partition,
			 b->partition_type) &&
	       same_name(a->sort, a->sort_type, b->sort, b->sort_type);
}

static bool type_in(const struct key_schema *k, struct span name, enum value_type *out)
{
	if (span_eq(k->partition, name))
		*out = k->partition_type;
	else if (k->sort.n > 0 && span_eq(k->sort, name))
		*out = k->sort_type;
	else
		return false;
	return true;
}

bool schema_attribute_type(const struct table *t, struct span name, enum value_type *out)
{
	if (type_in(&t->keys, name, out))
		return true;
	for (size_t i = 0; i < t->n_indexes; i++)
		if (type_in(&t->indexes[i].keys, name, out))
			return true;
	return false;
}
