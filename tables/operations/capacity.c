#include "tables/operations/capacity.h"

#include <inttypes.h>

enum { WRITE_UNIT = 1024, READ_UNIT = 4096 };

enum err capacity_read(const struct fields *f, struct capacity *out, struct refusal *no)
{
	static const char *const words[] = {"INDEXES", "TOTAL", "NONE", NULL};
	int asked = CAPACITY_NONE;
	enum err e = fields_word(f, "ReturnConsumedCapacity", words, &asked, no);

	*out = (struct capacity){.asked = (enum capacity_asked)asked};
	return e;
}

static int64_t units(size_t bytes, size_t unit)
{
	return bytes == 0 ? 1 : (int64_t)((bytes + unit - 1) / unit);
}

int64_t capacity_of_write(size_t bytes)
{
	return 2 * units(bytes, WRITE_UNIT);
}

int64_t capacity_of_read(size_t bytes, bool is_consistent)
{
	return units(bytes, READ_UNIT) * (is_consistent ? 2 : 1);
}

static void write_units(struct json_out *o, int64_t halves)
{
	json_out_key(o, "CapacityUnits");
	json_out_number(o, halves / 2);
	json_out_raw(o, halves % 2 ? ".5" : ".0");
}

/* of: local indexes, or global ones */
static void write_indexes(struct json_out *o, const char *name, const struct table *t,
			  const struct capacity *c, bool of)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_indexes; i++) {
		if (t->indexes[i].is_local != of || c->indexes[i] == 0)
			continue;
		if (n++ == 0) {
			json_out_key(o, name);
			json_out_raw(o, "{");
		} else {
			json_out_raw(o, ",");
		}
		json_out_string(o, t->indexes[i].name);
		json_out_raw(o, ":{");
		write_units(o, c->indexes[i]);
		json_out_raw(o, "}");
	}
	if (n > 0)
		json_out_raw(o, "}");
}

void capacity_write(struct json_out *o, const struct table *t, const struct capacity *c)
{
	int64_t all = c->table;

	for (size_t i = 0; i < t->n_indexes; i++)
		all += c->indexes[i];
	json_out_raw(o, "{");
	json_out_key(o, "TableName");
	json_out_string(o, t->name);
	write_units(o, all);
	if (c->asked == CAPACITY_INDEXES) {
		json_out_key(o, "Table");
		json_out_raw(o, "{");
		write_units(o, c->table);
		json_out_raw(o, "}");
		write_indexes(o, "LocalSecondaryIndexes", t, c, true);
		write_indexes(o, "GlobalSecondaryIndexes", t, c, false);
	}
	json_out_raw(o, "}");
}

void capacity_answer(struct json_out *o, const struct table *t, const struct capacity *c)
{
	if (c->asked == CAPACITY_NONE)
		return;
	json_out_key(o, "ConsumedCapacity");
	capacity_write(o, t, c);
}
