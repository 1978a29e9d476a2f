#ifndef TESTS_TABLES_VALUE_DICE_H
#define TESTS_TABLES_VALUE_DICE_H

/* Random numbers, texts and values for properties: the same for the same seed. */

#include "tables/value/value.h"

struct dice {
	uint64_t state;
	uint64_t seed; /* for the message of a test that fails */
};

/* A seed that is always the same for round 0, and another one in each run for the others. */
struct dice dice_new(int round);

/* 0 to n - 1 */
uint32_t dice_throw(struct dice *d, uint32_t n);

/* The canonical text, or some other notation, of a number that can be stored; zero-terminated. */
void dice_number(struct dice *d, bool canonical, char out[256]);

/* Bytes, many of them 00, 01, FE and FF; UTF-8 when text. */
struct span dice_bytes(struct dice *d, struct arena *a, size_t most, bool text);

/* An S, N or B. */
struct value dice_scalar(struct dice *d, struct arena *a, enum value_type t);

/* The JSON of any value, as a client might write it: blanks, escapes, members and sets in any order. Appends to out. */
void dice_json(struct dice *d, int depth, char **out);

#endif
