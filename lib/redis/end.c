#include "redis/end.h"

#include <stdarg.h>
#include <stdio.h>

void redis_end_say(struct redis_end *e, const char *todo, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->why, sizeof e->why, fmt, ap);
	va_end(ap);
	e->todo = todo;
}
