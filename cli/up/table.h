#ifndef CLI_UP_TABLE_H
#define CLI_UP_TABLE_H

/* The connection table as a person would look at it: in Redis, past the brokers. */

#include "base/err.h"

#include <stdint.h>

struct table;

enum { TABLE_ID = 17 }; /* bytes of a connection id and its zero */

/*
 * url      as for redis_url_parse
 * prefix   of all keys; borrowed for as long as the table is open
 * returns  NULL when Redis cannot be reached
 */
struct table *table_open(const char *url, const char *prefix);
void table_close(struct table *t); /* NULL is fine */

/* The number of rows of all edges. ERR_DOWN when Redis does not answer. */
must_use enum err table_count(struct table *t, int64_t *out);

/*
 * Find the row whose text has `mark` in it.
 *
 * id       gets the connection id
 * row      gets a copy of the row, freed with free(3)
 * returns  OK; ERR_NOTFOUND; ERR_DOWN when Redis does not answer
 */
must_use enum err table_find(struct table *t, const char *mark, char id[TABLE_ID],
			     char **row);

#endif
