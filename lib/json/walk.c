#include "json/walk.h"

#include <assert.h>

/* All of this trusts its text: json_find has read it. So only ends are looked for. */

static void skip(struct span *s, size_t n)
{
	assert(n <= s->n);
	*s = span_of(s->p + n, s->n - n);
}

/* Blanks and the one character that divides: a comma or a colon. */
static void skip_between(struct span *s)
{
	while (s->n > 0 && strchr(" \n\t\r,:", *s->p) != NULL && *s->p != '\0')
		skip(s, 1);
}

/* With its quotes. */
static size_t string_length(struct span s)
{
	size_t at = 1;

	for (;;) {
		const uint8_t *quote = memchr(s.p + at, '"', s.n - at);
		size_t slashes = 0;

		assert(quote != NULL);
		while (quote[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		at = (size_t)(quote - s.p) + 1;
		if (slashes % 2 == 0)
			return at;
	}
}

/* With its brackets. */
static size_t nested_length(struct span s)
{
	size_t at = 0, depth = 0;

	do {
		assert(at < s.n);
		switch (s.p[at]) {
		case '"': at += string_length(span_of(s.p + at, s.n - at)); continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']': depth--; break;
		default: break;
		}
		at++;
	} while (depth > 0);
	return at;
}

static size_t scalar_length(struct span s)
{
	size_t at = 0;

	while (at < s.n && strchr(" \n\t\r,]}", s.p[at]) == NULL)
		at++;
	return at;
}

static void take_value(struct span *rest, struct json_value *v)
{
	size_t n;

	v->kind = json_kind_of(*rest->p);
	if (v->kind == JSON_IS_STRING)
		n = string_length(*rest);
	else if (v->kind == JSON_IS_OBJECT || v->kind == JSON_IS_ARRAY)
		n = nested_length(*rest);
	else
		n = scalar_length(*rest);
	v->raw = span_of(rest->p, n);
	skip(rest, n);
}

struct json_walk json_walk(const struct json_value *v)
{
	assert(v->kind == JSON_IS_OBJECT || v->kind == JSON_IS_ARRAY);
	return (struct json_walk){
		.rest = span_of(v->raw.p + 1, v->raw.n - 2),
		.object = v->kind == JSON_IS_OBJECT,
	};
}

bool json_walk_next(struct json_walk *w, struct span *name, struct json_value *v)
{
	*name = span_of(w->rest.p, 0);
	skip_between(&w->rest);
	if (w->rest.n == 0)
		return false;
	if (w->object) {
		size_t n = string_length(w->rest);

		*name = span_of(w->rest.p, n);
		skip(&w->rest, n);
		skip_between(&w->rest);
	}
	take_value(&w->rest, v);
	return true;
}

size_t json_count(const struct json_value *v)
{
	struct json_walk w = json_walk(v);
	struct json_value each;
	struct span name;
	size_t n = 0;

	while (json_walk_next(&w, &name, &each))
		n++;
	return n;
}
