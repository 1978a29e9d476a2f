#ifndef TESTS_TABLES_VALUE_READ_H
#define TESTS_TABLES_VALUE_READ_H

/* Values from JSON, and back, for tests. */

#include "tables/value/value_json.h"

/* value_read of a whole text, which must be JSON and live as long as a. */
enum err read_text(struct arena *a, struct span text, struct value *out,
		   struct refusal *no);

/* A value that must be right. */
struct value read_value(struct arena *a, const char *text);

/* value_read_map of a whole text. */
enum err read_item(struct arena *a, struct span text, struct value_map *out,
		   struct refusal *no);

/* What value_write, value_write_map write; zero-terminated, in a. */
char *written(struct arena *a, const struct value *v);
char *written_item(struct arena *a, const struct value_map *m);

#endif
