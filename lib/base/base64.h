#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/* Base64 as functions and API Gateway speak it: RFC 4648 4, padded, on one line. */

#include "base/err.h"
#include "base/span.h"

/* How many characters n bytes become. */
size_t base64_length(size_t n);

/* Write base64_length(in.n) characters to out, without a zero behind them; returns their number. */
size_t base64_encode(struct span in, char *out);

/*
 * Back to bytes.
 *
 * out      room for in.n / 4 * 3 bytes; may be where in is
 * returns  OK; ERR_MALFORMED: another character, padding that is missing or inside, or
 *          bits behind the last byte
 */
must_use enum err base64_decode(struct span in, uint8_t *out, size_t *n);

#endif
