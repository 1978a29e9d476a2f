#ifndef TABLES_VALUE_H
#define TABLES_VALUE_H

/*
 * Attribute values, as a tree in an arena. A tree does not change once it is made: who
 * changes an item makes a new one, which may share the parts that stay.
 *
 * source  Amazon DynamoDB API Reference, AttributeValue; Developer
 *         Guide, "Supported data types and naming rules", "Item sizes and formats"
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

enum value_type {
	VALUE_S,
	VALUE_N,
	VALUE_B,
	VALUE_BOOL,
	VALUE_NULL,
	VALUE_L,
	VALUE_M,
	VALUE_SS,
	VALUE_NS,
	VALUE_BS,
	VALUE_TYPES,
};

enum {
	VALUE_DEPTH_MOST =
		32, /* levels: an attribute's value is on the first, what is in it on the next */
	VALUE_ITEM_MOST = 400 * 1024, /* bytes of an item, by item_size */
	VALUE_MAP_MOST =
		2 * 1024 * 1024, /* bytes of all values of a request's expressions */
	VALUE_NAME_MOST = 64 * 1024 - 1, /* bytes of an attribute's name */
};

struct value_member;

struct value {
	enum value_type type;
	union {
		struct span
			bytes; /* S: UTF-8; N: canonical text (number.h); B: what it stands for, not base64 */
		bool truth; /* BOOL */
		struct value_list {
			const struct value *items;
			size_t n;
		} list; /* L; SS, NS, BS: at least one value of S, N, B, ascending by value_compare, each once */
		struct value_map {
			const struct value_member
				*members; /* ascending by name as bytes, each once */
			size_t n;
		} map; /* M, and an item */
	};
};

struct value_member {
	struct span name;
	struct value value;
};

/* Why a request is refused: what DynamoDB calls it, and its sentence. Texts live in the arena of the request, or for ever. */
struct refusal {
	const char *type; /* behind the '#' of __type: "ValidationException" */
	const char *message;
};

/* Fill in a ValidationException; returns ERR_MALFORMED. */
enum err refuse(struct arena *a, struct refusal *out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "S", "NS", "NULL": its name on the wire; lives for ever. */
const char *value_type_name(enum value_type t);

/* The attribute of this name; NULL when there is none. map NULL: an absent item, nothing is in it. */
const struct value *value_find(const struct value_map *map, struct span name);

/* Equal in type and content: numbers by value, sets and maps in any order. */
bool value_equal(const struct value *a, const struct value *b);

/*
 * The order of two S, N or B of the same type: below 0, 0, above 0. S by their UTF-8, B as
 * unsigned bytes, N by value. Not for other types, nor for mixed ones.
 */
int value_compare(const struct value *a, const struct value *b);

/* Bytes that it counts for, without its name (Developer Guide, "Item sizes and formats"). */
size_t value_size(const struct value *v);

/* The same for a whole item, with the names. */
size_t item_size(const struct value_map *item);

/*
 * Levels of a value: 1, and with L and M one more than what is deepest in them. More than
 * VALUE_DEPTH_MOST must not be stored: an update can nest what was within the limit.
 */
unsigned value_depth(const struct value *v);
unsigned item_depth(const struct value_map *item);

#endif
