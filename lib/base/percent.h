#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

/* %XX, as in the paths and queries of URLs (RFC 3986 2.1). */

#include "base/span.h"

/*
 * The byte at the beginning of in, with %XX undone; in moves behind it.
 *
 * in       not empty
 * returns  0 to 255; -1 for a '%' without two hex digits: in has moved behind the '%' alone
 */
int percent_next(struct span *in);

/* Undo each %XX of in, into out (n bytes, in.n are enough): the length, or -1 for a '%' without two hex digits or too little room. */
long percent_decode(struct span in, char *out, size_t n);

#endif
