#include "config/reading.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of a million mistakes is not read to its end by anybody. */
enum { MOST_ERRORS = 50, MOST_INFOS = 500 };

static void say(struct reading *r, bool is_error, struct place at, const struct key *key,
		const char *fmt, va_list args);

void reading_error(struct reading *r, struct place at, const struct key *key,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (r->lenient > 0) {
		if (r->infos++ < MOST_INFOS)
			say(r, false, at, key, fmt, args);
	} else if (r->errors++ < MOST_ERRORS) {
		say(r, true, at, key, fmt, args);
	}
	va_end(args);
}

void reading_info(struct reading *r, struct place at, const struct key *key,
		  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (r->infos++ < MOST_INFOS)
		say(r, false, at, key, fmt, args);
	va_end(args);
}

/* "functions.say.events[0]", freed with free(3). */
static char *path_of(const struct key *key)
{
	char *up, *path;

	if (key == NULL)
		return xstrdup("");
	up = path_of(key->up);
	if (key->name)
		path = xasprintf("%s%s%s", up, key->up ? "." : "", key->name);
	else
		path = xasprintf("%s[%zu]", up, key->index);
	free(up);
	return path;
}

static void say(struct reading *r, bool is_error, struct place at, const struct key *key,
		const char *fmt, va_list args)
{
	char *text, *path, *line;

	if (r->options->say == NULL)
		return;
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	path = path_of(key);
	line = xasprintf("%s%s%s", path, key ? ": " : "", text);
	r->options->say(r->options->arg, is_error, at.file, at.line, at.column, line);
	free(line);
	free(path);
	free(text);
}

char *reading_file(const struct reading *r, const char *name)
{
	const char *home = getenv("HOME");

	if (name[0] == '~' && name[1] == '/' && home)
		return xasprintf("%s%s", home, name + 1);
	if (name[0] == '/' || strcmp(r->folder, ".") == 0)
		return xstrdup(strncmp(name, "./", 2) == 0 ? name + 2 : name);
	return xasprintf("%s/%s", r->folder,
			 strncmp(name, "./", 2) == 0 ? name + 2 : name);
}
