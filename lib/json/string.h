#ifndef JSON_STRING_H
#define JSON_STRING_H

/* What read.c asks about the strings that it passes; json_unescape and json_escape of read.h live here too. */

#include "base/span.h"

/* The length of the escape that in begins with, at its backslash; 0 when it is none. */
size_t json_string_escape(struct span in);

/* Is a string this text? raw is as written, with its quotes, and has been read by json_find. */
bool json_string_is(struct span raw, struct span text);

#endif
