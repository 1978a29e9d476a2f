#ifndef TABLES_RESERVED_H
#define TABLES_RESERVED_H

/* Words that may not stand as bare names of attributes. */

#include "base/span.h"

enum { RESERVED_WORDS = 573 };

/*
 * Is it one of them, in any case?
 *
 * source  Amazon DynamoDB Developer Guide, "Reserved words in DynamoDB"
 */
bool reserved_word(struct span word);

#endif
