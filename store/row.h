#ifndef STORE_ROW_H
#define STORE_ROW_H

/* A connection's row as JSON, there and back. */

#include "store/connections.h"

#include <jansson.h>

/* The JSON of row, without its id and edge; freed with free(3). */
char *row_write(const struct connection_row *row);

/*
 * Read JSON into row; id and edge stay as they are.
 *
 * keep     gets what row's texts live in; json_decref it when done with them
 * returns  OK; ERR_MALFORMED when it is no JSON object, or a field has another type: then
 *          row's fields are as they were, and keep is NULL
 */
must_use enum err row_read(struct span json, struct connection_row *row, json_t **keep);

#endif
