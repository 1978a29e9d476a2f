#include "broker/routes/expression.h"

#include "base/mem.h"
#include "json/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A literal, or a variable: then there are steps. */
struct part {
	struct span literal;
	struct json_step *steps;
	size_t n_steps;
};

struct expression {
	char *text; /* literals and keys point into it */
	struct part *parts;
	size_t n_parts;
	bool is_static;
	bool lenient;
};

/* The compiler: the rest of the text, and a buffer for errors. */
struct compiler {
	struct expression *x;
	const char *at;
	char *why;
	size_t why_n;
};

static bool read_part(struct compiler *c);
static bool read_variable(struct compiler *c);
static bool read_step(struct compiler *c, struct part *p, bool braced);

__attribute__((format(printf, 2, 3))) static bool malformed(struct compiler *c,
							    const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(c->why, c->why_n, "column %td: ", c->at - c->x->text + 1);

	if (n > 0 && (size_t)n < c->why_n) {
		va_start(ap, fmt);
		vsnprintf(c->why + n, c->why_n - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return false;
}

struct expression *expression_new(const char *text, char *why, size_t n)
{
	struct expression *x = xcalloc(1, sizeof *x);
	struct compiler c = {.x = x, .why = why, .why_n = n};
	bool good = true;

	x->text = xstrdup(text);
	x->is_static = true;
	c.at = x->text;
	if (*text == '\0')
		good = malformed(&c, "the expression is empty");
	while (good && *c.at)
		good = read_part(&c);
	if (good)
		return x;
	expression_free(x);
	return NULL;
}

static struct part *add_part(struct expression *x)
{
	x->parts = xrealloc(x->parts, (x->n_parts + 1) * sizeof *x->parts);
	x->parts[x->n_parts] = (struct part){0};
	return &x->parts[x->n_parts++];
}

static bool read_part(struct compiler *c)
{
	const char *start = c->at;

	if (*c->at == '$')
		return read_variable(c);
	if (c->at[0] == '\\' &&
	    c->at[1] == '$') { /* the '$' is the literal's first byte */
		start++;
		c->at += 2;
	}
	while (*c->at && *c->at != '$' && !(c->at[0] == '\\' && c->at[1] == '$'))
		c->at++;
	add_part(c->x)->literal = span_of(start, (size_t)(c->at - start));
	return true;
}

static bool read_variable(struct compiler *c)
{
	static const char root[] = "request.body";
	struct part *p = add_part(c->x);
	bool braced = c->at[1] == '{';

	c->x->is_static = false;
	c->at += braced ? 2 : 1;
	if (strncmp(c->at, root, sizeof root - 1) != 0)
		return malformed(
			c,
			"a variable begins with request.body; for a plain '$' write \\$");
	c->at += sizeof root - 1;
	do
		if (!read_step(c, p, braced))
			return false;
	while (*c->at == '.' || *c->at == '[');
	if (!braced)
		return true;
	if (*c->at != '}')
		return malformed(c, "the variable must go on with '.', '[' or '}'");
	c->at++;
	return true;
}

static void add_step(struct part *p, struct json_step step)
{
	p->steps = xrealloc(p->steps, (p->n_steps + 1) * sizeof *p->steps);
	p->steps[p->n_steps++] = step;
}

static bool is_name_byte(char ch, bool braced)
{
	if (braced)
		return ch && !strchr(".[]{}\"'*", ch);
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
	       (ch >= 'A' && ch <= 'Z') || ch == '_' || ch == '-' ||
	       (unsigned char)ch >= 0x80;
}

static bool read_name(struct compiler *c, struct part *p, bool braced)
{
	const char *start = ++c->at;

	while (is_name_byte(*c->at, braced))
		c->at++;
	if (c->at == start)
		return malformed(c, "after '.' comes a name");
	add_step(p, (struct json_step){.key = span_of(start, (size_t)(c->at - start))});
	return true;
}

static bool read_quoted(struct compiler *c, struct part *p)
{
	char quote = *c->at++;
	const char *end = strchr(c->at, quote);

	if (end == NULL)
		return malformed(c, "the name has no closing %c", quote);
	add_step(p, (struct json_step){.key = span_of(c->at, (size_t)(end - c->at))});
	c->at = end + 1;
	return true;
}

static bool read_index(struct compiler *c, struct part *p)
{
	size_t index = 0;

	if (*c->at < '0' || *c->at > '9')
		return malformed(
			c, "in '[]' stands a number from 0 on, or a name in quotes");
	for (; *c->at >= '0' && *c->at <= '9'; c->at++) {
		index = index * 10 + (size_t)(*c->at - '0');
		if (index > INT32_MAX)
			return malformed(c, "the index is over %d", INT32_MAX);
	}
	add_step(p, (struct json_step){.index = index});
	return true;
}

static bool read_step(struct compiler *c, struct part *p, bool braced)
{
	if (*c->at == '.')
		return read_name(c, p, braced);
	if (*c->at != '[')
		return malformed(c, "request.body must go on with '.' and a name");
	c->at++;

	bool quoted = *c->at == '"' || *c->at == '\'';

	if (!(quoted ? read_quoted(c, p) : read_index(c, p)))
		return false;
	if (*c->at != ']')
		return malformed(c, "the '[' has no ']'");
	c->at++;
	return true;
}

void expression_free(struct expression *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n_parts; i++)
		free(x->parts[i].steps);
	free(x->parts);
	free(x->text);
	free(x);
}

/* The route key under construction. */
struct key {
	char *p;
	size_t room;
	size_t n;
};

static enum err append(struct key *k, struct span s)
{
	if (k->room - k->n < s.n)
		return ERR_TOOBIG;
	if (s.n > 0)
		memcpy(k->p + k->n, s.p, s.n);
	k->n += s.n;
	return OK;
}

/* A string is unescaped directly at the end of the key. */
static enum err append_string(struct key *k, struct span raw)
{
	uint8_t *end = (uint8_t *)k->p + k->n;
	struct span s;
	enum err e = json_unescape(raw, end, k->room - k->n, &s);

	if (e != OK || s.p != end)
		return e == OK ? append(k, s) : e;
	k->n += s.n;
	return OK;
}

static enum err append_variable(struct key *k, const struct expression *x,
				const struct part *p, struct span body)
{
	struct json_path path = {p->steps, p->n_steps};
	struct json_value v;
	enum err e = json_read(body, &path, x->lenient ? JSON_BARE_KEYS : 0, &v, NULL);

	if (e != OK)
		return e;
	switch (v.kind) {
	case JSON_IS_MISSING:
	case JSON_IS_NULL: return OK;
	case JSON_IS_STRING: return append_string(k, v.raw);
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY: return append(k, v.raw);
	}
	return ERR_MALFORMED;
}

void expression_be_lenient(struct expression *x)
{
	x->lenient = true;
}

enum err expression_eval(const struct expression *x, struct span body, char *out,
			 size_t room, size_t *n)
{
	struct key k = {out, room, 0};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < x->n_parts; i++) {
		const struct part *p = &x->parts[i];

		e = p->n_steps ? append_variable(&k, x, p, body) : append(&k, p->literal);
	}
	*n = k.n;
	return e;
}
