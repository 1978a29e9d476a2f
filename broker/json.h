#ifndef BROKER_JSON_H
#define BROKER_JSON_H

/*
 * JSON read in place: one value is found in a text, without a tree and without
 * memory. Strict (RFC 8259): what is malformed anywhere is malformed. (The names keep
 * clear of those of jansson, which is linked for JSON off the hot path.)
 */

#include "base/err.h"
#include "base/span.h"

#include <event2/buffer.h>

enum { JSON_DEPTH = 64 };

enum json_kind {
	JSON_IS_MISSING,
	JSON_IS_STRING,
	JSON_IS_NUMBER,
	JSON_IS_TRUE,
	JSON_IS_FALSE,
	JSON_IS_NULL,
	JSON_IS_OBJECT,
	JSON_IS_ARRAY,
};

/* One step down: into the member key of an object, or, when key.p is NULL, to an element of an array. */
struct json_step {
	struct span key; /* unescaped */
	size_t index;    /* from 0 */
};

struct json_path {
	const struct json_step *steps;
	size_t n; /* 0: the whole document */
};

struct json_value {
	enum json_kind kind;
	struct span raw; /* inside the document, as written; a string's with its quotes */
};

/*
 * Read the whole of doc, and find the value at path.
 *
 * out      filled on OK; JSON_IS_MISSING when nothing is there. Of two members of
 *          one name the last one counts
 * returns  OK; ERR_MALFORMED: doc is not JSON, or is nested deeper than JSON_DEPTH
 * source   RFC 8259 2 to 8
 */
must_use enum err json_find(struct span doc, const struct json_path *path,
			    struct json_value *out);

/*
 * The same for a text whose keys may stand without quotes ({action: "join"}), as names of
 * letters, digits, '_', '-' and '$'; all else is as strict. API Gateway routes such messages.
 */
must_use enum err json_find_lenient(struct span doc, const struct json_path *path,
				    struct json_value *out);

/* What a value is, by its first byte; that all of it is such a one is for others to check. */
enum json_kind json_kind_of(uint8_t first);

/*
 * The characters of a string.
 *
 * raw      of a JSON_IS_STRING, with its quotes
 * room     n bytes to unescape into; raw.n are always enough
 * out      points into raw when nothing is escaped, else into room
 * returns  OK; ERR_MALFORMED for half of a surrogate pair; ERR_TOOBIG when room is too small
 */
must_use enum err json_unescape(struct span raw, uint8_t *room, size_t n,
				struct span *out);

/* Append in as a JSON string, quotes included; U+FFFD stands in for what is not UTF-8. */
void json_escape(struct span in, struct evbuffer *out);

#endif
