#ifndef TABLES_NUMBER_H
#define TABLES_NUMBER_H

/*
 * Decimal numbers of at most 38 significant digits, of magnitude 1E-130 to
 * 9.99…E+125, or 0. Never a double. Pure.
 *
 * source  Amazon DynamoDB Developer Guide, "Supported data types and naming rules", Number
 */

#include "base/err.h"
#include "base/span.h"

enum {
	NUMBER_DIGITS = 38,
	NUMBER_TEXT =
		176, /* room for any canonical text: a sign, a point, zeros and digits; no zero behind it */
	NUMBER_EXPONENT_LEAST = -129, /* of 1E-130 */
	NUMBER_EXPONENT_MOST = 126,
};

/* 0.d₁d₂…dₙ × 10^exponent, d₁ and dₙ not 0; zero: n is 0, and so is all else. */
struct number {
	bool negative;
	int16_t exponent;
	uint8_t n;
	uint8_t digits[NUMBER_DIGITS]; /* 0 to 9 each; 0 behind the last one */
};

/*
 * Read any notation that DynamoDB takes ("+5", ".5", "5.", "001.500E2"). The exponent is
 * bounded before anything is expanded.
 *
 * why      set unless OK: DynamoDB's sentence, lives for ever; NULL when it is "The parameter
 *          cannot be converted to a numeric value: TEXT", which names the text
 * returns  OK; ERR_MALFORMED: it is no number; ERR_TOOBIG: too many digits, too large or too small
 */
must_use enum err number_read(struct span text, struct number *out, const char **why);

/* The canonical text: plain decimal, no exponent, no zeros that say nothing ("150", "-0.5", "0"). Returns its bytes. */
size_t number_write(const struct number *x, char out[NUMBER_TEXT]);

/* Is it a canonical text, told by a look at it alone? True for the usual integers; false may be wrong. */
bool number_is_plain(struct span text);

int number_compare(const struct number *a, const struct number *b);

/* The same of two canonical texts, without reading them. */
int number_compare_texts(struct span a, struct span b);

/* Bytes that a number with this canonical text counts for in the size of an item. */
size_t number_size(struct span text);

/*
 * a + b, or a - b. why as in number_read.
 *
 * returns  OK; ERR_TOOBIG: the result is out of range, or needs more than 38 digits
 */
must_use enum err number_add(const struct number *a, const struct number *b,
			     struct number *out, const char **why);
must_use enum err number_subtract(const struct number *a, const struct number *b,
				  struct number *out, const char **why);

#endif
