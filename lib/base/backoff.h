#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/* The pause behind the tries-th attempt that failed (from 1): 1 s, 2 s, 4 s … 5 min, each give or take a quarter, so that they do not come all at once. In ms. */
int64_t backoff_ms(int tries);

#endif
