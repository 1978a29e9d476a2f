#ifndef TABLES_SCHEMA_H
#define TABLES_SCHEMA_H

/*
 * What a table is: its keys, its indexes, its TTL attribute. Read from the members of
 * CreateTable, in a request, in the resources of a configuration file, or as the catalog has
 * them. A table does not change: an UpdateTable makes another one, with the next generation.
 */

#include "json/write.h"
#include "tables/store/fields.h"
#include "tables/value/value.h"

enum {
	TABLE_ID = 8, /* characters */
	TABLE_UUID = 36,
	TABLE_NAME_LEAST = 3,
	TABLE_NAME_MOST = 255, /* of tables, indexes and key attributes */
	TABLE_GLOBALS_MOST = 20,
	TABLE_LOCALS_MOST = 5,
	TABLE_INDEXES_MOST = TABLE_GLOBALS_MOST + TABLE_LOCALS_MOST,
	TABLE_INCLUDE_MOST = 100, /* names in NonKeyAttributes, of all indexes together */
};

/* The key attributes of a table or index. */
struct key_schema {
	struct span partition;
	enum value_type partition_type; /* S, N, B */
	struct span sort;               /* empty: it has none */
	enum value_type sort_type;
};

/* In the order of the words of DynamoDB (schema.c). */
enum projection_type { PROJECT_ALL, PROJECT_KEYS_ONLY, PROJECT_INCLUDE };

enum index_state {
	INDEX_ACTIVE,
	INDEX_CREATING, /* maintained by every write, but not all items are in it yet: not to be read */
};

struct table_index {
	struct span name;
	bool is_local;
	struct key_schema keys;
	enum projection_type projection;
	const struct span *include;
	size_t n_include;
	uint32_t
		number; /* of its key in Redis; a new one for each index of the table, never used again */
	enum index_state state;
};

struct table {
	unsigned refs;
	struct arena *arena; /* all of it is there */
	struct span name;
	char id[TABLE_ID + 1]; /* of its keys in Redis; new for each CreateTable */
	char uuid[TABLE_UUID + 1];
	uint64_t generation; /* from 1, one more for each change */
	int64_t created_ms;
	struct key_schema keys;
	struct table_index indexes[TABLE_INDEXES_MOST];
	size_t n_indexes;
	uint32_t next_index; /* the number of the next one */
	struct span ttl;     /* the attribute; empty: TTL is off */
	bool ttl_is_new; /* items from before TTL was enabled have no expiry in Redis yet */
	bool is_provisioned; /* BillingMode; kept to be shown */
	int64_t read_units, write_units;
	bool is_protected; /* DeletionProtectionEnabled */
};

/* One more holder, one less. NULL is fine. */
struct table *table_ref(struct table *t);
void table_unref(struct table *t);

/* Without keys; of one reference. Its id and its uuid are new. */
struct table *table_new(void);

/* A copy with the next generation, to be changed before others see it. */
struct table *table_change(const struct table *t);

/* The index of this name, NULL when there is none. */
const struct table_index *table_index(const struct table *t, struct span name);

/* Is there something to be done with the items that it had before its last change: an index to be filled, or expiries? */
bool table_is_changing(const struct table *t);

/* May it be the name of a table or of an index: 3 to 255 of a-z A-Z 0-9 _ . - */
bool table_name_is_right(struct span name);

/* The name in what stands for TableName: itself, or what follows ":table/" in an ARN. */
struct span table_name_of(struct span text);

/*
 * Read the members of CreateTable: TableName, KeySchema, AttributeDefinitions, …, and
 * TimeToLiveSpecification, which CloudFormation has there.
 *
 * out      a new table; NULL unless OK
 */
must_use enum err schema_read(const struct fields *f, struct table **out,
			      struct refusal *no);

/* One more index, from the members of CreateGlobalSecondaryIndexAction. definitions: AttributeDefinitions of the request, or NULL; no lives in a. */
must_use enum err schema_add_index(struct table *t, struct arena *a,
				   const struct json_value *index,
				   const struct json_value *definitions,
				   struct refusal *no);

/* Two tables with the same keys of the same types? */
bool schema_same_keys(const struct key_schema *a, const struct key_schema *b);

/* The type of a key attribute of the table or of one of its indexes; false: it is none. */
bool schema_attribute_type(const struct table *t, struct span name, enum value_type *out);

/* As JSON, for the catalog. */
struct blob *schema_write(const struct table *t);

/* Back; NULL when it is damaged. */
struct table *schema_read_stored(struct span text);

/* Parts of it that DescribeTable has too: an array each. */
void schema_write_attributes(struct json_out *o, const struct table *t);
void schema_write_keys(struct json_out *o, const struct key_schema *k);
void schema_write_projection(struct json_out *o, const struct table_index *x);

#endif
