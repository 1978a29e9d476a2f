#ifndef STORE_JSON_TEXT_H
#define STORE_JSON_TEXT_H

/* Texts of clients in JSON objects: any bytes may come, and only UTF-8 may stand there. */

#include "base/err.h"
#include "base/span.h"

#include <jansson.h>

/* A JSON string of in; what is not UTF-8 is taken as Latin-1. */
json_t *json_text_new(struct span in);

/* Set a field of o, unless in is empty. */
void json_text_set(json_t *o, const char *name, struct span in);

/*
 * Read a field of o; what is not there has no bytes.
 *
 * out      lives as long as o
 * returns  false when it is there and is no text
 */
must_use bool json_text_get(const json_t *o, const char *name, struct span *out);

/* The same for bytes, as base64. The getter puts what it has decoded into o. */
void json_text_set_bytes(json_t *o, const char *name, struct span in);
must_use bool json_text_get_bytes(json_t *o, const char *name, struct span *out);

#endif
