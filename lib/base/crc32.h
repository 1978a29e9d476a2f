#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/span.h"

/* CRC-32 as in Ethernet, gzip and PNG (polynomial 0x04c11db7, reflected). */
uint32_t crc32_of(struct span bytes);

#endif
