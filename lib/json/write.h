#ifndef JSON_WRITE_H
#define JSON_WRITE_H

/*
 * JSON written straight into a blob, without a tree, for texts that are made for each
 * message. Braces and brackets are the caller's.
 */

#include "base/blob.h"

struct json_out {
	struct blob *blob; /* n: how much may be written before it grows */
	size_t n;          /* written */
};

/* Room for about room bytes; it grows when that is too little. */
void json_out_init(struct json_out *o, size_t room);

/* What was written, one reference. o is done with. */
struct blob *json_out_end(struct json_out *o);

/* As it is. */
void json_out_span(struct json_out *o, struct span raw);

static inline void json_out_raw(struct json_out *o, const char *raw)
{
	json_out_span(o, span_str(raw));
}

/* The name of an object's member, with its colon, and with a comma before it unless it is the first. The name is not escaped. */
void json_out_key(struct json_out *o, const char *name);

void json_out_number(struct json_out *o, int64_t value);

/* What stands between the quotes of a string: escaped; U+FFFD stands in for what is not UTF-8. */
void json_out_text(struct json_out *o, struct span text);

/* The same for bytes of a header: read as Latin-1 when they are not UTF-8 (RFC 9110 5.5 lets them be anything). */
void json_out_latin(struct json_out *o, struct span bytes);

/* A string, with its quotes. */
void json_out_string(struct json_out *o, struct span text);

/* A string of the bytes in base64, with its quotes. */
void json_out_base64(struct json_out *o, struct span bytes);

#endif
