#include "base/conf_value.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/*
 * Largest first. A bare number of bytes is one of bytes; a time always has its unit, since
 * people mean seconds where a program reads milliseconds: only 0 needs none.
 */
static const struct unit bytes[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
				    {"B", 1},         {"", 1},          {NULL, 0}};
static const struct unit times[] = {
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(const struct conf_key *k)
{
	return k->type == CONF_IS_BYTES ? bytes : k->type == CONF_IS_MSEC ? times : plain;
}

/* Digits and a unit; false when it is not that or does not fit. */
static bool read_number(const struct unit *u, const char *text, int64_t *out)
{
	const char *at = text + (*text == '-');
	int64_t n = 0;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *at - '0', &n))
			return false;
	while (u->name && strcmp(at, u->name) != 0)
		u++;
	if (!u->name && !(n == 0 && *at == '\0'))
		return false;
	if (u->name && __builtin_mul_overflow(n, u->factor, &n))
		return false;
	*out = *text == '-' ? -n : n;
	return true;
}

/* The index of text among "text|json"; -1 when it is none of them. */
static int64_t read_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);

	for (int64_t i = 0;; i++) {
		size_t word = strcspn(choices, "|");

		if (word == n && memcmp(choices, text, n) == 0)
			return i;
		if (choices[word] == '\0')
			return -1;
		choices += word + 1;
	}
}

/* Texts that were read, held here until the end. */
struct kept {
	struct kept *next;
	char text[];
};

static const char *keep(const char *text)
{
	static struct kept *all;
	size_t n = strlen(text) + 1;
	struct kept *k = xmalloc(sizeof *k + n);

	k->next = all;
	memcpy(k->text, text, n);
	all = k;
	return k->text;
}

static const char *read_int(const struct conf_key *k, int64_t *out, const char *text)
{
	int64_t n;

	if (!read_number(units_of(k), text, &n))
		return k->type == CONF_IS_BYTES  ? "not a size"
		       : k->type == CONF_IS_MSEC ? "not a time with its unit"
						 : "not a number";
	if (n < k->least || n > k->most)
		return n < k->least ? "too small" : "too large";
	*out = n;
	return NULL;
}

const char *conf_value_read(const struct conf_key *k, void *out, const char *text)
{
	void *field = (char *)out + k->offset;
	int64_t choice;

	switch (k->type) {
	case CONF_IS_TEXT: *(const char **)field = keep(text); return NULL;
	case CONF_IS_INT:
	case CONF_IS_BYTES:
	case CONF_IS_MSEC: return read_int(k, field, text);
	case CONF_IS_BOOL:
		*(bool *)field = strcmp(text, "true") == 0;
		return *(bool *)field || strcmp(text, "false") == 0
			       ? NULL
			       : "neither true nor false";
	case CONF_IS_CHOICE:
		choice = read_choice(k->choices, text);
		if (choice < 0)
			return "none of the choices";
		*(int64_t *)field = choice;
		return NULL;
	}
	return "of no known type";
}

/* In the largest unit that leaves no remainder; nothing is nothing in every unit. */
static const char *number_text(const struct conf_key *k, int64_t n, char out[32])
{
	const struct unit *u = units_of(k);

	while (u->factor > 1 && n % u->factor)
		u++;

	bool bare = n == 0 || strcmp(u->name, "B") == 0;

	snprintf(out, 32, "%" PRId64 "%s", n / u->factor, bare ? "" : u->name);
	return out;
}

static void range_text(const struct conf_key *k, const char *examples, char *out,
		       size_t n)
{
	char least[32], most[32];

	snprintf(out, n, "%s to %s%s", number_text(k, k->least, least),
		 number_text(k, k->most, most), examples);
}

/* "text|json" as "text, json" */
static void choices_text(const struct conf_key *k, char *out, size_t n)
{
	size_t at = 0;

	for (const char *c = k->choices; *c && at + 3 < n; c++) {
		out[at++] = *c == '|' ? ',' : *c;
		if (*c == '|')
			out[at++] = ' ';
	}
	out[at] = '\0';
}

const char *conf_value_allowed(const struct conf_key *k, char *out, size_t n)
{
	switch (k->type) {
	case CONF_IS_TEXT: snprintf(out, n, "a text"); break;
	case CONF_IS_INT: range_text(k, "", out, n); break;
	case CONF_IS_BYTES: range_text(k, ", as 4096, 64KiB, 16MiB", out, n); break;
	case CONF_IS_MSEC: range_text(k, ", as 250ms, 25s, 5m, 2h", out, n); break;
	case CONF_IS_BOOL: snprintf(out, n, "true, false"); break;
	case CONF_IS_CHOICE: choices_text(k, out, n); break;
	}
	return out;
}

const char *conf_value_kind(const struct conf_key *k)
{
	switch (k->type) {
	case CONF_IS_TEXT: return "TEXT";
	case CONF_IS_INT: return "NUMBER";
	case CONF_IS_BYTES: return "SIZE";
	case CONF_IS_MSEC: return "TIME";
	case CONF_IS_BOOL: return "true|false";
	case CONF_IS_CHOICE: return k->choices;
	}
	return "";
}
