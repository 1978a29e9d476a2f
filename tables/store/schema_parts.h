#ifndef TABLES_SCHEMA_PARTS_H
#define TABLES_SCHEMA_PARTS_H

/*
 * Parts of a definition of a table, which schema_read.c puts together; no other module includes it.
 * Each function returns OK, or ERR_MALFORMED and then no is filled.
 */

#include "tables/store/schema.h"

#define SCHEMA_WRONG "One or more parameter values were invalid: "

enum { SCHEMA_TYPES_MOST = 2 + 2 * TABLE_INDEXES_MOST };

/* AttributeDefinitions */
struct schema_types {
	bool is_stored; /* read from the catalog: there are members that requests do not have */
	size_t n;
	struct schema_type {
		struct span name;
		enum value_type type;
		bool is_used;
	} all[SCHEMA_TYPES_MOST];
};

/* ---- schema_keys.c ---- */

/* A string that must be there; out lives as long as t. */
enum err schema_copy_text(struct table *t, const struct fields *f, const char *name,
			  struct span *out, struct refusal *no);

/* The name of a table or of an index. what: the member that has it. */
enum err schema_check_name(const struct fields *f, const char *what, struct span name,
			   struct refusal *no);

/* AttributeDefinitions, behind those that out has. v NULL: none. */
enum err schema_read_types(struct table *t, struct arena *a, const struct json_value *v,
			   struct schema_types *out, struct refusal *no);

/* NULL: it is not defined. */
struct schema_type *schema_find_type(struct schema_types *types, struct span name);

/* KeySchema, of the table or of an index. */
enum err schema_read_keys(const struct fields *f, struct schema_types *types,
			  struct key_schema *out, struct refusal *no);

/* Each attribute that is defined is a key. */
enum err schema_check_all_used(const struct fields *f, const struct schema_types *types,
			       struct refusal *no);

/* ---- schema_indexes.c ---- */

/* The indexes of the member with this name, behind those that t has. most: of this kind. */
enum err schema_read_indexes(struct table *t, const struct fields *f, const char *name,
			     bool is_local, size_t most, struct schema_types *types,
			     struct refusal *no);

#endif
