#ifndef STORE_PRESENCE_PREFIXES_H
#define STORE_PRESENCE_PREFIXES_H

#include "store/words.h"

/* What the ids of an edge begin with: its 16 bits are two characters of base64url and four bits of a third. In the order of their bytes. */
void presence_prefixes(struct words *w, uint16_t edge);

#endif
