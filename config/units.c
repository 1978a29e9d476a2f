#include "config/units.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first. */
static const struct unit times[] = {
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit sizes[] = {
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {NULL, 0}};
static const struct unit rates[] = {{"/s", 1}, {NULL, 0}};

/* Digits and a unit; false when it is not that or does not fit. */
static bool parse(const struct unit *units, const char *text, int64_t *out)
{
	const char *at = text;
	int64_t n = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *at - '0', &n))
			return false;
	if (at == text)
		return false;
	*out = n;
	if (n == 0 && *at == '\0' && units == times)
		return true;
	while (units->name && strcmp(at, units->name) != 0)
		units++;
	return units->name && !__builtin_mul_overflow(n, units->factor, out);
}

static char *text_of(const struct unit *units, int64_t n)
{
	while (units->factor > 1 && n % units->factor)
		units++;
	return n == 0 && units == times
		       ? xstrdup("0s")
		       : xasprintf("%" PRId64 "%s", n / units->factor, units->name);
}

static bool read(struct reading *r, const struct value *v, const struct unit *units,
		 const char *examples, int64_t least, int64_t most, int64_t *out)
{
	const char *text = value_peek(r, v);
	int64_t n;

	if (text == NULL)
		return false;
	if (parse(units, text, &n) && n >= least && n <= most) {
		*out = n;
		return true;
	}
	char *low = text_of(units, least), *high = text_of(units, most);
	reading_error(r, v->node->at, &v->key, "\"%s\"; allowed: %s to %s, as %s", text,
		      low, high, examples);
	free(low);
	free(high);
	return false;
}

bool units_time(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out)
{
	return read(r, v, times, "250ms, 10s, 5m, 2h", least, most, out);
}

bool units_size(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out)
{
	return read(r, v, sizes, "512B, 64KiB, 4MiB", least, most, out);
}

bool units_rate(struct reading *r, const struct value *v, int64_t least, int64_t most,
		int64_t *out)
{
	return read(r, v, rates, "20/s", least, most, out);
}

char *units_time_text(int64_t ms)
{
	return text_of(times, ms);
}

char *units_size_text(int64_t bytes)
{
	return text_of(sizes, bytes);
}
