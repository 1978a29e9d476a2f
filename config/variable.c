#include "config/variable.h"

#include "config/source.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOST_VARIABLES = 10000,
	MOST_DEPTH = 64,
	MOST_TEXT = 64 * 1024,
	MOST_TEXTS = 16 * 1024 * 1024, /* bytes, of all together */
};

static enum found resolve_text(const struct walk *w, struct span text,
			       const struct node **out);
static enum found resolve_variable(const struct walk *w, struct span inner,
				   const struct node **out);
static enum found resolve_source(const struct walk *w, struct span s,
				 const struct node **out);
static enum found resolve_call(const struct walk *w, struct span s, size_t name,
			       const struct node **out);

const struct node *variable_resolve(struct reading *r, const struct key *key,
				    const struct node *node)
{
	char why[VARIABLE_WHY] = "";
	struct walk top = {.r = r, .key = key, .why = why};
	const struct node *out;

	switch (variable_walk(&top, node, &out)) {
	case FOUND: return out;
	case MISSING:
		reading_error(
			r, node->at, key,
			"\"%s\" cannot be resolved: %s; give it, or a default after "
			"a comma",
			node->text, why);
		return NULL;
	case FAILED: break;
	}
	return NULL;
}

static enum found fail(const struct walk *w, const char *why)
{
	reading_error(w->r, w->node->at, w->key, "\"%s\": %s", w->node->text, why);
	return FAILED;
}

enum found variable_walk(const struct walk *up, const struct node *node,
			 const struct node **out)
{
	struct walk w = *up;

	*out = node;
	if (node->kind != NODE_TEXT || node->tag || strstr(node->text, "${") == NULL)
		return FOUND;
	w.node = node;
	w.up = up;
	w.depth++;
	for (const struct walk *asker = up; asker; asker = asker->up)
		if (asker->node == node)
			return fail(&w, "the variable names itself, by way of others");
	return resolve_text(&w, span_str(node->text), out);
}

/* ---- where a variable begins and ends */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct span skip(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

static bool begins(struct span s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static size_t name_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z'))
		n++;
	while (n > 0 && n < s.n &&
	       (((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z') ||
		(s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '-' || s.p[n] == '_'))
		n++;
	return n;
}

/* Does a variable begin here (and not ${AWS::Region}, ${Name} or ${request.body.action})? */
static bool is_variable(struct span s)
{
	struct span inner;
	size_t n;

	if (!begins(s, "${"))
		return false;
	inner = span_trim(skip(s, 2));
	if (begins(inner, "'") || begins(inner, "\""))
		return true;
	if (begins(inner, "${"))
		return is_variable(inner);
	n = name_length(inner);
	if (n == 0 || n == inner.n)
		return false;
	return inner.p[n] == '(' || (inner.p[n] == ':' && !begins(skip(inner, n), "::"));
}

/*
 * The length of s up to one of the characters in stop, or s.n. What is in quotes, in
 * parentheses or in an inner variable does not count; a quote is one where a text can
 * begin alone, so that the one of "don't" is none.
 */
static size_t span_until(struct span s, const char *stop)
{
	int braces = 0, parentheses = 0;
	bool fresh = true;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		const uint8_t *end;

		if (braces == 0 && parentheses == 0 && c && strchr(stop, c))
			return i;
		if (fresh && (c == '\'' || c == '"')) {
			end = memchr(s.p + i + 1, c, s.n - i - 1);
			if (end == NULL)
				return s.n;
			i = (size_t)(end - s.p);
		}
		braces += c == '{' ? 1 : c == '}' ? -1 : 0;
		parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
		fresh = c == ',' || c == '(' || c == '{' || (fresh && is_blank(c));
	}
	return s.n;
}

/* ---- a text: what stands between its variables, and what they give */

struct text {
	char *p;
	size_t n;
};

static void text_add(struct text *t, struct span s)
{
	if (s.n == 0)
		return;
	t->p = xrealloc(t->p, t->n + s.n + 1);
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
	t->p[t->n] = '\0';
}

/* The variable that rest begins with goes into t; rest goes behind it. */
static enum found add_variable(const struct walk *w, struct span *rest, struct text *t)
{
	const struct node *value;
	struct span inner = skip(*rest, 2);
	size_t end = span_until(inner, "}");
	enum found f;

	if (end == inner.n)
		return fail(w, "a variable has no closing }");
	f = resolve_variable(w, span_of(inner.p, end), &value);
	if (f != FOUND)
		return f;
	if (value->kind != NODE_TEXT || value->tag)
		return fail(w,
			    "a list, a mapping or a tag cannot stand inside of a text");
	text_add(t, span_str(value->text));
	*rest = skip(inner, end + 1);
	return FOUND;
}

/* Takes t. */
static enum found finish(const struct walk *w, struct text *t, const struct node **out)
{
	w->r->variable_bytes += t->n;
	*out = tree_add_text(w->r->tree, w->node->at, t->p ? t->p : xstrdup(""), false);
	return FOUND;
}

static bool is_too_much(const struct walk *w, const struct text *t)
{
	return t->n > MOST_TEXT || w->r->variable_bytes + t->n > MOST_TEXTS;
}

static enum found resolve_mixed(const struct walk *w, struct span rest,
				const struct node **out)
{
	struct text t = {0};
	enum found f = FOUND;

	while (rest.n && f == FOUND) {
		if (is_variable(rest)) {
			f = add_variable(w, &rest, &t);
		} else if (begins(rest, "\\${")) {
			text_add(&t, span_str("${"));
			rest = skip(rest, 3);
		} else {
			text_add(&t, span_of(rest.p, 1));
			rest = skip(rest, 1);
		}
		if (f == FOUND && is_too_much(w, &t))
			f = fail(w, "the variables make a text of more than 64 KiB");
	}
	if (f == FOUND)
		return finish(w, &t, out);
	free(t.p);
	return f;
}

static enum found resolve_text(const struct walk *w, struct span text,
			       const struct node **out)
{
	struct span inner;

	if (w->depth > MOST_DEPTH)
		return fail(w, "variables inside each other, more than 64 levels deep");
	if (!is_variable(text))
		return resolve_mixed(w, text, out);
	inner = skip(text, 2);
	if (span_until(inner, "}") + 1 != inner.n)
		return resolve_mixed(w, text, out);
	return resolve_variable(w, span_of(inner.p, inner.n - 1), out);
}

/* ---- a variable: its sources, one after the other */

static enum found resolve_variable(const struct walk *w, struct span inner,
				   const struct node **out)
{
	enum found f = MISSING;

	if (w->r->variables++ > MOST_VARIABLES)
		return fail(w, "more than 10,000 variables are resolved for this file");
	while (f == MISSING) {
		size_t n = span_until(inner, ",");

		f = resolve_source(w, span_trim(span_of(inner.p, n)), out);
		if (f == FOUND && node_is_null(*out)) {
			snprintf(w->why, VARIABLE_WHY, "%.*s is null",
				 (int)(n < 200 ? n : 200), (const char *)inner.p);
			f = MISSING;
		}
		if (n == inner.n)
			break;
		inner = skip(inner, n + 1);
	}
	return f;
}

static bool is_literal(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++)
		digits += (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' ||
			  (s.p[i] == '-' && i == 0);
	return (s.n && digits == s.n) || span_is(s, "true") || span_is(s, "false") ||
	       span_is(s, "null");
}

static enum found resolve_source(const struct walk *w, struct span s,
				 const struct node **out)
{
	struct walk inner = *w;
	size_t name = name_length(s);

	inner.depth++;
	if (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0])
		return resolve_text(&inner, span_of(s.p + 1, s.n - 2), out);
	if (begins(s, "${"))
		return resolve_text(&inner, s, out);
	if (is_literal(s)) {
		*out = tree_add_text(w->r->tree, w->node->at, span_dup(s), true);
		return FOUND;
	}
	if (name > 0 && name < s.n && (s.p[name] == ':' || s.p[name] == '('))
		return resolve_call(&inner, s, name, out);
	return fail(w, "no source that there is; allowed: name:address, name(text), "
		       "'text', and a default after a comma");
}

/* An address or parameter, which may have variables; unquoted and as text. */
static enum found resolve_part(const struct walk *w, struct span s, const char **out)
{
	const struct node *value;
	enum found f;

	s = span_trim(s);
	if (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0])
		s = span_of(s.p + 1, s.n - 2);
	f = resolve_text(w, s, &value);
	if (f == FOUND && value->kind != NODE_TEXT)
		return fail(w, "a list or a mapping cannot stand inside of an address");
	if (f == FOUND)
		*out = value->text;
	return f;
}

static enum found resolve_call(const struct walk *w, struct span s, size_t name,
			       const struct node **out)
{
	struct source source = {.name = span_of(s.p, name), .address = ""};
	struct span rest = skip(s, name);
	enum found f = FOUND;

	if (rest.p[0] == '(') {
		size_t end = span_until(skip(rest, 1), ")");

		if (end + 1 >= rest.n)
			return fail(w, "a ( has no closing )");
		f = resolve_part(w, span_of(rest.p + 1, end), &source.parameter);
		rest = skip(rest, end + 2);
	}
	if (f == FOUND && rest.n && rest.p[0] == ':')
		f = resolve_part(w, skip(rest, 1), &source.address);
	return f == FOUND ? source_find(w, &source, out) : f;
}
