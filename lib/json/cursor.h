#ifndef JSON_CURSOR_H
#define JSON_CURSOR_H

/*
 * A text read from front to back, each byte once, however deep it is nested. (json_walk
 * passes over all of a nested value to find its end, and again over what is in it.)
 *
 * The text must have been found well-formed by json_read; without flags, or with
 * JSON_OF_FUNCTION. Calls must follow what is there: enter only objects and arrays, and
 * so on.
 */

#include "json/read.h"

struct json_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

/* What comes next, behind blanks; it is not passed. */
enum json_kind json_cursor_kind(struct json_cursor *c);

/* Past the bracket that opens the object or array that comes next. */
void json_cursor_enter(struct json_cursor *c);

/* Whether another member or element comes, in the one entered last; if not, past the bracket that closes it. */
bool json_cursor_more(struct json_cursor *c);

/* The name of the member that comes, raw, with its quotes; and past its colon. */
struct span json_cursor_name(struct json_cursor *c);

/* The value that comes, whole, raw; and past it. */
struct span json_cursor_value(struct json_cursor *c);

#endif
