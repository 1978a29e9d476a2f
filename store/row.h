#ifndef STORE_ROW_H
#define STORE_ROW_H

/* A connection's row as JSON, there and back. */

#include "store/connections.h"

#include <jansson.h>

/* The JSON of row, without its id and edge; the second one is freed with free(3). */
json_t *row_json(const struct connection_row *row);
char *row_write(const struct connection_row *row);

/*
 * Read a JSON object into row; id and edge stay as they are.
 *
 * o        row's texts live in it; NULL and what is no object are fine
 * returns  OK; ERR_MALFORMED when it is no object, or a field has another type: then
 *          row's fields are as they were
 */
must_use enum err row_parse(json_t *o, struct connection_row *row);

/*
 * The same from bytes.
 *
 * keep     gets what row's texts live in; json_decref it when done with them. NULL unless OK.
 */
must_use enum err row_read(struct span json, struct connection_row *row, json_t **keep);

#endif
