#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/*
 * Is it UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF)?
 * Asked in pieces: a character may be cut anywhere. A state of 0 is the beginning.
 */

#include "base/span.h"

/* The state of one text, carried from piece to piece. False as soon as no further bytes could make it UTF-8. */
bool utf8_feed(uint32_t *state, struct span in);

/* Does the text end here, and not inside a character? */
bool utf8_is_whole(uint32_t state);

/* The whole of in, at once. */
bool utf8_check(struct span in);

/* The length of the character that in begins with, 1 to 4; 0 when it begins with none (in.n > 0). */
size_t utf8_first(struct span in);

/* How many bytes of whole characters in begins with. */
size_t utf8_good(struct span in);

/*
 * How many bytes one U+FFFD stands for, where in begins with no character (in.n > 0): the
 * longest beginning of a character, or one byte.
 *
 * source   Unicode 3.9, "U+FFFD Substitution of Maximal Subparts"
 */
size_t utf8_bad(struct span in);

/*
 * Copy in with U+FFFD in the place of what is not UTF-8.
 *
 * out      as many bytes as are returned; NULL: they are only counted
 */
size_t utf8_repair(struct span in, uint8_t *out);

#endif
