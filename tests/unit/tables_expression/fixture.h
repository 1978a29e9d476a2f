#ifndef TESTS_TABLES_EXPRESSION_FIXTURE_H
#define TESTS_TABLES_EXPRESSION_FIXTURE_H

/* Items, values and placeholders for tests, from JSON with ' for ". */

#include "tables/expression/expression.h"
#include "tables/value/value_json.h"

/* An item, or NULL for NULL. */
const struct value_map *fixture_item(struct arena *a, const char *text);

/* Any JSON, for the parameters from before expressions. */
struct json_value fixture_json(struct arena *a, const char *text);

/* names {'#a':'status'} and values {':v':{'S':'x'}}, each may be NULL. */
struct placeholders *fixture_placeholders(struct arena *a, const char *names,
					  const char *values);

/* What value_write_map writes, with ' for ". */
char *fixture_written(struct arena *a, const struct value_map *item);

/* n times text. */
char *fixture_repeat(struct arena *a, const char *text, size_t n);

#endif
