#include "cli/up/runtime.h"

#include "base/log.h"
#include "base/mem.h"
#include "cli/up/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char **python_argv(const struct runtime_plan *p);
static char **node_argv(const struct runtime_plan *p);

char **runtime_argv(const struct runtime_plan *p)
{
	const char *runtime = p->function->runtime;

	if (strncmp(runtime, "nodejs", 6) == 0)
		return node_argv(p);
	return python_argv(p);
}

static char **refuse(const struct runtime_plan *p, const char *why, const char *fix)
{
	log_error("function.no_runtime", S("function", p->function->name),
		  S("runtime", p->function->runtime), S("why", why), S("hint", fix));
	return NULL;
}

/* Python */

/* Freed by the caller. */
static char *find_python(const struct runtime_plan *p)
{
	static const char *const environments[] = {".venv", "venv"};

	if (p->python)
		return xstrdup(p->python);
	for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
		char *path = xasprintf("%s/%s/bin/python3", p->folder, environments[i]);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return xstrdup("python3");
}

/* The exit status of a short Python program; -1 when there is no such Python. */
static int ask_python(char *python, const char *program)
{
	char *argv[] = {python, (char *)"-c", (char *)(uintptr_t)program, NULL};
	struct spawn how = {.argv = argv, .output = -1};
	int status;
	pid_t pid = spawn_program(&how);

	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* 0: it can run functions. */
static int check_python(char *python)
{
	static const char has_client[] =
		"import importlib.util, sys; "
		"sys.exit(importlib.util.find_spec('awslambdaric') is None)";
	static char *known; /* it costs a moment, and does not change while we run */
	int status;

	if (known && strcmp(known, python) == 0)
		return 0;
	status = ask_python(python, has_client);
	if (status == 0) {
		free(known);
		known = xstrdup(python);
	}
	return status;
}

static char **python_argv(const struct runtime_plan *p)
{
	char *python = find_python(p);
	int status = check_python(python);
	char *fix = xasprintf("%s -m pip install awslambdaric", python);
	struct words w = {0};

	if (status == 0) {
		words_take(&w, xstrdup(python));
		words_take(&w, xstrdup("-m"));
		words_take(&w, xstrdup("awslambdaric"));
		words_take(&w, xstrdup(p->function->handler));
	} else if (status == -1) {
		refuse(p, "python3 is missing", "install it, or set --python PATH");
	} else {
		refuse(p, "its Python has no runtime client awslambdaric", fix);
	}
	free(fix);
	free(python);
	return w.list;
}

/* Node */

/* As Node itself looks for modules: in the folder, then in those above it. */
static char *find_in_modules(const char *folder, const char *program)
{
	char *at = xstrdup(folder), *path = NULL;

	for (;;) {
		char *slash = strrchr(at, '/');

		path = xasprintf("%s/node_modules/.bin/%s", at, program);
		if (access(path, X_OK) == 0 || slash == NULL)
			break;
		free(path);
		path = NULL;
		*slash = '\0';
	}
	free(at);
	if (path && access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static char *find_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = xstrdup(path ? path : ""), *rest = copy, *found = NULL;

	for (char *one; !found && (one = strsep(&rest, ":")) != NULL;) {
		found = xasprintf("%s/%s", *one ? one : ".", program);
		if (access(found, X_OK) != 0) {
			free(found);
			found = NULL;
		}
	}
	free(copy);
	return found;
}

static char **node_argv(const struct runtime_plan *p)
{
	static const char program[] = "aws-lambda-ric";
	char *client = find_in_modules(p->folder, program);
	struct words w = {0};

	if (client == NULL)
		client = find_in_path(program);
	if (client == NULL)
		return refuse(p, "the project has no runtime client",
			      "npm install aws-lambda-ric (it needs g++, make, cmake, "
			      "autoconf, automake and libtool)");
	words_take(&w, client);
	words_take(&w, xstrdup(p->function->handler));
	return w.list;
}
