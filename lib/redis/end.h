#ifndef REDIS_END_H
#define REDIS_END_H

/* Why a connection to Redis ended, or never was, and what a person may do about it. */

struct redis_end {
	char why[256];
	const char *hint; /* NULL: start Redis there, or give another address */
};

void redis_end_set(struct redis_end *e, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
