#ifndef BENCH_UPGRADE_H
#define BENCH_UPGRADE_H

/* The opening handshake of the servers that do the least possible work. */

#include <stdbool.h>

/* Send the 101 for this request, which must be whole. False: the peer is to be dropped. */
bool upgrade_accept(int fd, const char *request);

#endif
