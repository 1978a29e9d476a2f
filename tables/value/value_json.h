#ifndef TABLES_VALUE_JSON_H
#define TABLES_VALUE_JSON_H

/*
 * Values as JSON, as they are on the wire and in Redis: {"S":"text"}, {"N":"5"}, {"B":"base64"},
 * {"L":[…]}, {"M":{…}}, {"SS":[…]}. Written in canonical form: numbers canonical, members and
 * sets ascending, no blanks, so that equal items are equal bytes.
 */

#include "json/read.h"
#include "json/write.h"
#include "tables/value/value.h"

/*
 * Read one value, of untrusted text that json_read has found well-formed. Bounded: nesting
 * over VALUE_DEPTH_MOST is refused before it is entered, and what would be larger than
 * VALUE_ITEM_MOST as soon as it is.
 *
 * v        the JSON; not JSON_IS_MISSING
 * out      filled on OK; points into a, and into the text of v, which must live as long
 * no       filled unless OK: a SerializationException for a wrong JSON type, base64 that is none,
 *          half of a surrogate pair, or two members of one name in a map; a ValidationException for the rest
 * returns  OK; ERR_MALFORMED
 * source   Amazon DynamoDB API Reference, AttributeValue
 */
must_use enum err value_read(struct arena *a, const struct json_value *v,
			     struct value *out, struct refusal *no);

/*
 * The same for the members of a JSON object {name: value, …}: an item, a key, expression values.
 * All together may have VALUE_MAP_MOST bytes; that an item has VALUE_ITEM_MOST at most is the
 * caller's to check (item_size).
 */
must_use enum err value_read_map(struct arena *a, const struct json_value *v,
				 struct value_map *out, struct refusal *no);

/* Read an item back that value_write_map wrote; out points into a and into text. ERR_MALFORMED: it is damaged. */
must_use enum err value_read_stored(struct arena *a, struct span text,
				    struct value_map *out);

void value_write(struct json_out *o, const struct value *v);

/* {name: value, …}, braces included */
void value_write_map(struct json_out *o, const struct value_map *m);

#endif
