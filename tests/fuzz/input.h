#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

/* The bytes of one input, read as what a step of a play needs. At the end of them all is zero and empty. */

#include "base/span.h"

/* Begin with these bytes, borrowed until the next call. */
void input_begin(struct span all);

bool input_is_left(void);

uint8_t input_byte(void);

/* Often one of those at which something begins or ends: a status, a code of a close frame, a limit. */
uint64_t input_number(void);

/* A piece of the input, of up to 200 bytes, or a few thousand. */
struct span input_text(void);

#endif
