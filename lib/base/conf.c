/*
 * Where the settings come from.
 *
 *   take_flags        what argv says
 *   take_environment  for the rows that no flag gave
 *   take_file         for the rows that neither gave
 *   read_rows         each row's text, or its default, into the struct
 *   check             what the rows' types do not say
 */
#include "base/conf.h"

#include "base/conf_value.h"
#include "base/mem.h"
#include "base/span.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A setting's text and its source; NULL if it is not set so far. */
struct given {
	char *text, *where;
};

/* The rows of the table, and behind them the name of the file. */
struct load {
	const struct conf_table *t;
	struct given *rows;
};

enum { LINE = 4096 };

static enum err take_flags(struct load *l, int argc, char **argv);
static void take_environment(struct load *l);
static enum err take_file(struct load *l);
static enum err read_rows(struct load *l, void *out);
static enum err check(const struct load *l, const void *out);

static __attribute__((format(printf, 2, 3))) enum err complain(const struct load *l,
							       const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", l->t->program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return ERR_MALFORMED;
}

static bool asks(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], flag) == 0)
			return true;
	return false;
}

enum err conf_load(const struct conf_table *t, void *out, int argc, char **argv)
{
	if (asks(argc, argv, "--help")) {
		conf_help(t, stdout);
		return ERR_EXIT;
	}
	if (asks(argc, argv, "--man")) { /* the build fills the manual pages with this */
		conf_man(t, stdout);
		return ERR_EXIT;
	}
	if (asks(argc, argv, "--version")) {
		printf("%s %s\n", t->program, GATEPOST_VERSION);
		return ERR_EXIT;
	}

	struct load l = {t, xcalloc(t->n + 1, sizeof *l.rows)};
	enum err e = take_flags(&l, argc, argv);

	if (e == OK) {
		take_environment(&l);
		e = take_file(&l);
	}
	if (e == OK)
		e = read_rows(&l, out);
	if (e == OK)
		e = check(&l, out);
	for (size_t i = 0; i <= t->n; i++) {
		free(l.rows[i].text);
		free(l.rows[i].where);
	}
	free(l.rows);
	return e;
}

static void set_default(struct conf_key *keys, size_t n, const struct conf_default *d)
{
	size_t i = 0;

	while (i < n && strcmp(keys[i].name, d->name) != 0)
		i++;
	assert(i < n);
	keys[i].fallback = d->fallback;
}

enum err conf_load_with(const struct conf_table *t, const struct conf_default *defaults,
			size_t n, void *out, int argc, char **argv)
{
	struct conf_key *keys = xmalloc(t->n * sizeof *keys);
	struct conf_table own = *t;
	enum err e;

	if (asks(argc, argv, "--help") || asks(argc, argv, "--man"))
		n = 0;
	memcpy(keys, t->keys, t->n * sizeof *keys);
	for (size_t i = 0; i < n; i++)
		set_default(keys, t->n, &defaults[i]);
	own.keys = keys;
	e = conf_load(&own, out, argc, argv);
	free(keys);
	return e;
}

static const char *row_name(const struct load *l, size_t i)
{
	return i == l->t->n ? "settings" : l->t->keys[i].name;
}

/* The row of that name; one past the last when there is none. */
static size_t row_find(const struct load *l, const char *name, size_t n)
{
	size_t i = 0;

	while (i <= l->t->n &&
	       (strlen(row_name(l, i)) != n || memcmp(row_name(l, i), name, n) != 0))
		i++;
	return i;
}

/* Takes where; the first to give a row wins. */
static void give(struct load *l, size_t i, const char *text, char *where)
{
	if (l->rows[i].text)
		free(where);
	else
		l->rows[i] = (struct given){xstrdup(text), where};
}

static bool is_bool(const struct load *l, size_t i)
{
	return i < l->t->n && l->t->keys[i].type == CONF_IS_BOOL;
}

/* The value of a flag that has no =, taken from the next argument; NULL when there is none. */
static const char *flag_value(const struct load *l, size_t i, const char *next, int *at)
{
	bool word = next && (strcmp(next, "true") == 0 || strcmp(next, "false") == 0);

	if (is_bool(l, i) && !word)
		return "true";
	*at += 1;
	return next;
}

/* The last of several flags of one name wins: a script's defaults come first. */
static void give_again(struct load *l, size_t i, const char *text)
{
	free(l->rows[i].text);
	free(l->rows[i].where);
	l->rows[i] =
		(struct given){xstrdup(text), xasprintf("flag, --%s", row_name(l, i))};
}

static enum err take_flags(struct load *l, int argc, char **argv)
{
	for (int at = 1; at < argc; at++) {
		const char *flag = argv[at];

		if (strncmp(flag, "--", 2) != 0)
			return complain(l, "\"%s\": not a flag; see --help", flag);

		size_t n = strcspn(flag + 2, "=");
		size_t i = row_find(l, flag + 2, n);

		if (i > l->t->n)
			return complain(l, "%.*s: no such flag; see --help", (int)n + 2,
					flag);

		const char *text = flag[2 + n] == '='
					   ? flag + 3 + n
					   : flag_value(l, i, argv[at + 1], &at);

		if (!text)
			return complain(l, "%s: its value is missing; see --help", flag);
		give_again(l, i, text);
	}
	return OK;
}

/* Other GATEPOST_ variables are no mistake: Kubernetes makes some from the names of services. */
static void take_environment(struct load *l)
{
	for (size_t i = 0; i <= l->t->n; i++) {
		char *name = xasprintf("GATEPOST_%s", row_name(l, i));

		for (char *c = name; *c; c++)
			*c = *c == '-'                ? '_'
			     : *c >= 'a' && *c <= 'z' ? (char)(*c - 32)
						      : *c;

		const char *text = getenv(name);

		if (text && *text)
			give(l, i, text, xasprintf("environment, %s", name));
		free(name);
	}
}

static enum err take_line(struct load *l, const char *path, int number, const char *line)
{
	struct span all = span_trim(span_str(line));
	const uint8_t *equals = all.n ? memchr(all.p, '=', all.n) : NULL;

	if (all.n == 0 || all.p[0] == '#')
		return OK;
	if (!equals)
		return complain(l, "%s line %d: \"%.*s\" is not `name = value`", path,
				number, SPAN_ARG(all));

	size_t n = (size_t)(equals - all.p);
	struct span name = span_trim(span_of(all.p, n));
	size_t i = row_find(l, (const char *)name.p, name.n);

	if (i >= l->t->n)
		return complain(l, "%s line %d: no setting is named \"%.*s\"; see --help",
				path, number, SPAN_ARG(name));
	if (l->rows[i].where && strncmp(l->rows[i].where, "file, ", 6) == 0)
		return complain(l,
				"%s line %d: \"%.*s\" is set a second time (first: %s)",
				path, number, SPAN_ARG(name), l->rows[i].where);

	char *value = span_dup(span_trim(span_of(equals + 1, all.n - n - 1)));

	give(l, i, value, xasprintf("file, %s line %d", path, number));
	free(value);
	return OK;
}

static enum err take_lines(struct load *l, const char *path, FILE *in)
{
	char line[LINE];
	enum err e = OK;

	for (int number = 1; e == OK && fgets(line, sizeof line, in); number++) {
		size_t n = strlen(line);

		if (n == 0 || n == sizeof line - 1 || (line[n - 1] != '\n' && !feof(in)))
			return complain(l,
					"%s line %d: longer than %d bytes, or not text",
					path, number, LINE - 2);
		e = take_line(l, path, number, line);
	}
	if (e == OK && ferror(in))
		return complain(l, "%s: cannot be read: %s", path, strerror(errno));
	return e;
}

static enum err take_file(struct load *l)
{
	const struct given *settings = &l->rows[l->t->n];

	if (!settings->text)
		return OK;

	FILE *in = fopen(settings->text, "re");

	if (!in)
		return complain(l, "settings = \"%s\" (%s): cannot be opened: %s",
				settings->text, settings->where, strerror(errno));

	enum err e = take_lines(l, settings->text, in);

	fclose(in);
	return e;
}

enum err conf_set(const struct conf_key *k, void *out, const char *text, char *why,
		  size_t n)
{
	const char *wrong = conf_value_read(k, out, text);
	char allowed[256];

	if (!wrong)
		return OK;
	snprintf(why, n, "%s; allowed: %s", wrong,
		 conf_value_allowed(k, allowed, sizeof allowed));
	return ERR_MALFORMED;
}

static enum err read_rows(struct load *l, void *out)
{
	char why[320];

	for (size_t i = 0; i < l->t->n; i++) {
		const struct conf_key *k = &l->t->keys[i];
		const struct given *g = &l->rows[i];

		if (g->text && conf_set(k, out, g->text, why, sizeof why) != OK)
			return complain(l, "%s = \"%s\" (%s): %s", k->name, g->text,
					g->where, why);
		if (!g->text && k->fallback) {
			enum err e = conf_set(k, out, k->fallback, why, sizeof why);

			assert(e == OK); /* the table contradicts itself */
		} else if (!g->text) {
			*(const char **)((char *)out + k->offset) = NULL;
		}
	}
	return OK;
}

bool conf_refuse(struct conf_wrong *out, const char *name, const char *why)
{
	out->name = name;
	snprintf(out->why, sizeof out->why, "%s", why);
	return false;
}

static enum err check(const struct load *l, const void *out)
{
	struct conf_wrong w = {0};

	if (l->t->check == NULL || l->t->check(out, &w))
		return OK;

	size_t i = row_find(l, w.name, strlen(w.name));

	assert(i < l->t->n);

	const struct given *g = &l->rows[i];
	const char *text = g->text ? g->text : l->t->keys[i].fallback;

	return complain(l, "%s = \"%s\" (%s): %s", w.name,
			w.is_secret ? "…"
			: text      ? text
				    : "",
			g->where ? g->where : "default", w.why);
}
