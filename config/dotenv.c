#include "config/dotenv.h"

#include "config/text_file.h"

#include "base/mem.h"
#include "base/span.h"

#include <stdlib.h>
#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

struct dotenv {
	struct config_pair *pairs;
	size_t n;
};

/* Where the reader of one file stands. */
struct cursor {
	const char *p;
	int line;
};

static void read_line(struct reading *r, const char *file, struct cursor *at);
static char *read_value(struct cursor *at);
static char *read_quoted(struct cursor *at);
static void skip_line(struct cursor *at);
static struct dotenv *add(struct dotenv *d, char *name, char *value);

void dotenv_read(struct reading *r, const char *path)
{
	const char *file = tree_keep(r->tree, xstrdup(path)), *why;
	struct cursor at = {.line = 1};
	char *text;
	size_t n;
	int line;
	enum err e = text_file_read(path, &text, &n, &why, &line);

	if (e == ERR_NOTFOUND)
		return;
	if (e != OK) {
		reading_error(r, (struct place){file, line, 1}, NULL, "%s", why);
		return;
	}
	at.p = text;
	while (*at.p)
		read_line(r, file, &at);
	free(text);
}

static void skip_blanks(struct cursor *at)
{
	at->p += strspn(at->p, " \t\r");
}

static void read_line(struct reading *r, const char *file, struct cursor *at)
{
	struct span name;

	skip_blanks(at);
	if (strncmp(at->p, "export ", 7) == 0) {
		at->p += 7;
		skip_blanks(at);
	}
	if (*at->p == '#' || *at->p == '\n' || *at->p == '\0') {
		skip_line(at);
		return;
	}
	name = span_of(at->p, strspn(at->p, NAME_CHARS));
	at->p += name.n;
	skip_blanks(at);
	if (name.n == 0 || *at->p != '=') {
		reading_info(r, (struct place){file, at->line, 1}, NULL,
			     "ignored: this is not NAME=value");
		skip_line(at);
		return;
	}
	at->p++;
	skip_blanks(at);
	r->dotenv = add(r->dotenv, span_dup(name), read_value(at));
	skip_line(at);
}

static void skip_line(struct cursor *at)
{
	at->p += strcspn(at->p, "\n");
	if (*at->p == '\n') {
		at->p++;
		at->line++;
	}
}

static char *read_value(struct cursor *at)
{
	const char *end;
	size_t n;

	if ((*at->p == '"' || *at->p == '\'' || *at->p == '`') &&
	    strchr(at->p + 1, *at->p) != NULL)
		return read_quoted(at);
	n = strcspn(at->p, "\n");
	end = memmem(at->p, n, " #", 2);
	if (end)
		n = (size_t)(end - at->p);
	while (n && strchr(" \t\r", at->p[n - 1]))
		n--;
	return span_dup(span_of(at->p, n));
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* A value whose closing quote is somewhere behind it. */
static char *read_quoted(struct cursor *at)
{
	char quote = *at->p++;
	char *out = xmalloc(strlen(at->p) + 1);
	size_t n = 0;

	for (; *at->p && *at->p != quote; at->p++) {
		if (*at->p == '\n')
			at->line++;
		if (quote == '"' && *at->p == '\\' && at->p[1] &&
		    strchr("nrt\"\\", at->p[1]))
			out[n++] = unescape(*++at->p);
		else
			out[n++] = *at->p;
	}
	if (*at->p)
		at->p++;
	out[n] = '\0';
	return xrealloc(out, n + 1);
}

/* Takes name and value. Returns d, which may have been NULL. */
static struct dotenv *add(struct dotenv *d, char *name, char *value)
{
	if (d == NULL)
		d = xcalloc(1, sizeof *d);
	if (dotenv_find(d, name)) {
		free(name);
		free(value);
		return d;
	}
	d->pairs = xrealloc(d->pairs, (d->n + 1) * sizeof *d->pairs);
	d->pairs[d->n++] = (struct config_pair){name, value};
	return d;
}

struct dotenv *dotenv_join(struct dotenv *first, struct dotenv *second)
{
	for (size_t i = 0; second && i < second->n; i++)
		first = add(first, second->pairs[i].name, second->pairs[i].value);
	if (second) {
		free(second->pairs);
		free(second);
	}
	return first;
}

const char *dotenv_find(const struct dotenv *d, const char *name)
{
	for (size_t i = 0; d && i < d->n; i++)
		if (strcmp(d->pairs[i].name, name) == 0)
			return d->pairs[i].value;
	return NULL;
}

void dotenv_free(struct dotenv *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++) {
		free(d->pairs[i].name);
		free(d->pairs[i].value);
	}
	free(d->pairs);
	free(d);
}
