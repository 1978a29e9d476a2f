/* A configuration file: whatever is in it is read or refused with a word, within bounds. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * libfyaml 0.7.12 forgets a buffer of 4 KiB on the way out of some malformed texts. A
 * file is read at start and when it changes, so we live with that; our own leaks count.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

struct heard {
	size_t errors;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void on_say(void *arg, bool is_error, const char *file, int line, int column,
		   const char *text)
{
	struct heard *h = arg;

	check(file != NULL && text != NULL && *text != '\0');
	check(line >= 0 && column >= 0);
	h->errors += is_error;
}

/* All numbers in it name something. */
static void check_config(const struct config *c)
{
	check(c->n_functions > 0 && c->stage && c->region && c->selection && c->service);
	for (size_t i = 0; i < c->n_functions; i++)
		check(c->functions[i].name && c->functions[i].handler &&
		      c->functions[i].timeout_ms > 0);
	for (size_t i = 0; i < c->n_routes; i++)
		check(c->routes[i].function < c->n_functions && c->routes[i].key &&
		      c->routes[i].authorizer < (int)c->n_authorizers);
	for (size_t i = 0; i < c->n_http; i++)
		check(c->http[i].function < c->n_functions && c->http[i].path[0] == '/');
	for (size_t i = 0; i < c->n_authorizers; i++)
		check(c->authorizers[i].sort == CONFIG_JWT ||
		      c->authorizers[i].function < c->n_functions);
}

/* A folder in which the file is, and nothing else that a variable might name. */
static const char *path(void)
{
	static char folder[] = "/tmp/gatepost-fuzz-XXXXXX", file[64];

	if (file[0] == '\0') {
		check(mkdtemp(folder) != NULL);
		snprintf(file, sizeof file, "%s/gatepost.yml", folder);
	}
	return file;
}

static void clean_up(void)
{
	char folder[64];

	snprintf(folder, sizeof folder, "%s", path());
	unlink(folder);
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct heard h = {0};
	struct config_options o = {.say = on_say, .arg = &h};
	FILE *f = fopen(path(), "w");

	check(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
	struct config *c = config_read(path(), &o);
	check((c == NULL) == (h.errors > 0));
	if (c)
		check_config(c);
	config_free(c);
	return 0;
}
