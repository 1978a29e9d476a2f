#include "redis/end.h"

#include <stdarg.h>
#include <stdio.h>

void redis_end_set(struct redis_end *e, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->why, sizeof e->why, fmt, ap);
	va_end(ap);
	e->hint = hint;
}
