#include "fixture.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char name_of_text[] = "gatepost.yml";

static void on_say(void *arg, bool is_error, const char *file, int line, int column,
		   const char *text)
{
	struct fixture *b = arg;
	char *out = is_error ? b->errors : b->infos;
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	bool main_file = strcmp(base, name_of_text) == 0;
	size_t n = strlen(out);

	if (line)
		snprintf(out + n, sizeof b->errors - n, "%s%s%d:%d: %s\n",
			 main_file ? "" : base, main_file ? "" : ":", line, column, text);
	else
		snprintf(out + n, sizeof b->errors - n, "%s: %s\n", base, text);
}

static void read_path(struct fixture *b, const char *path)
{
	b->options.say = on_say;
	b->options.arg = b;
	b->config = config_read(path, &b->options);
	cr_assert(eq(int, b->config == NULL, b->errors[0] != '\0'),
		  "refused if and only if an error was said: %s", b->errors);
}

void fixture_file(struct fixture *b, const char *name, const char *text)
{
	if (b->folder[0] == '\0') {
		strcpy(b->folder, "/tmp/gatepost-config-XXXXXX");
		cr_assert(ne(ptr, mkdtemp(b->folder), NULL));
	}
	char *path = xasprintf("%s/%s", b->folder, name);
	FILE *f = fopen(path, "w");
	cr_assert(ne(ptr, f, NULL));
	fputs(text, f);
	fclose(f);
	free(path);
}

void fixture_read(struct fixture *b, const char *text)
{
	fixture_file(b, name_of_text, text);
	cr_assert(zero(int, chdir(b->folder)));
	read_path(b, name_of_text);
}

void fixture_open(struct fixture *b, const char *name)
{
	char *path = xasprintf("%s/%s", FILES, name);

	read_path(b, path);
	free(path);
}

void fixture_close(struct fixture *b)
{
	config_free(b->config);
	if (b->folder[0] == '\0')
		return;
	cr_assert(zero(int, chdir("/")));
	DIR *d = opendir(b->folder);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(b->folder);
}

void fixture_check(const struct fixture_row *row)
{
	struct fixture b = {0};

	fixture_read(&b, row->text);
	cr_expect(eq(str, b.errors, (char *)row->want), "%s", row->why);
	fixture_close(&b);
}

const struct config_function *fixture_function(const struct fixture *b, const char *name)
{
	for (size_t i = 0; b->config && i < b->config->n_functions; i++)
		if (strcmp(b->config->functions[i].name, name) == 0)
			return &b->config->functions[i];
	return NULL;
}

const struct config_route *fixture_route(const struct fixture *b, const char *key)
{
	for (size_t i = 0; b->config && i < b->config->n_routes; i++)
		if (strcmp(b->config->routes[i].key, key) == 0)
			return &b->config->routes[i];
	return NULL;
}

const char *fixture_variable(const struct fixture *b, const char *function,
			     const char *name)
{
	const struct config_function *f = fixture_function(b, function);

	for (size_t i = 0; f && i < f->n_environment; i++)
		if (strcmp(f->environment[i].name, name) == 0)
			return f->environment[i].value;
	return NULL;
}
