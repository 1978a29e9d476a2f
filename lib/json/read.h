#ifndef JSON_READ_H
#define JSON_READ_H

/*
 * JSON read in place: one value is found in a text, without a tree, without memory and
 * without recursion: a level of nesting costs one bit. Strict (RFC 8259) unless flags
 * allow more. (The names keep clear of those of jansson, which is linked for JSON off
 * the hot path.)
 */

#include "base/err.h"
#include "base/span.h"

#include <event2/buffer.h>

/* How many levels of objects and arrays a text may have: at the start, and what json_set_depth takes. */
enum { JSON_DEPTH = 512, JSON_DEPTH_LEAST = 16, JSON_DEPTH_MOST = 8192 };

/* For all later texts of this process. */
void json_set_depth(size_t levels);
size_t json_depth(void);

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

enum json_flags {
	/* Keys may stand without quotes ({action: "join"}), as names of letters, digits, '_',
	 * '-' and '$'. API Gateway routes such messages. */
	JSON_BARE_KEYS = 1,
	/* What functions return, as lenient readers take it: a byte order mark in front, the
	 * numbers NaN, Infinity and -Infinity (Python), and in strings control characters and
	 * bytes that are not UTF-8. */
	JSON_OF_FUNCTION = 2,
};

/* What json_read found beside the value. */
struct json_report {
	bool not_utf8; /* JSON_OF_FUNCTION: a string has bytes that are not UTF-8 */
	size_t at;     /* not OK: how many bytes of the text were right */
	const char *expected; /* not OK: what should follow them: "a comma or }" */
};

/*
 * Read the whole of doc, and find the value at path.
 *
 * flags    of enum json_flags
 * out      filled on OK; JSON_IS_MISSING when nothing is there. Of two members of
 *          one name the last one counts
 * report   NULL: no report
 * returns  OK; ERR_MALFORMED: doc is not JSON; ERR_TOOBIG: it is nested deeper than
 *          json_depth()
 * source   RFC 8259 2 to 8
 */
must_use enum err json_read(struct span doc, const struct json_path *path, unsigned flags,
			    struct json_value *out, struct json_report *report);

/* The same without flags and report. */
must_use enum err json_find(struct span doc, const struct json_path *path,
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

/*
 * The same with U+FFFD for each half of a surrogate pair, so never malformed.
 *
 * room     raw.n bytes
 * returns  false when there was such a half
 */
bool json_unescape_lenient(struct span raw, uint8_t *room, struct span *out);

/* Append in as a JSON string, quotes included; U+FFFD stands in for what is not UTF-8. */
void json_escape(struct span in, struct evbuffer *out);

#endif
