#include "cli/up/runtime.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A project's folder, and a function of it. */

static char folder[64];
static struct config_function function = {
	.name = (char *)"ping",
	.handler = (char *)"src/handler.ping",
	.runtime = (char *)"nodejs20.x",
};
static struct config config = {
	.service = (char *)"chat",
	.stage = (char *)"dev",
	.region = (char *)"eu-central-1",
};

static struct runtime_plan plan(const char *below)
{
	static char path[200];

	snprintf(path, sizeof path, "%s%s", folder, below);
	return (struct runtime_plan){
		.config = &config,
		.function = &function,
		.folder = path,
		.worker = "fn-ping-0",
		.address = "127.0.0.1:4001",
		.management = "http://127.0.0.1:8081",
	};
}

static void set_up(void)
{
	snprintf(folder, sizeof folder, "%s", "/tmp/gatepost-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	setenv("PATH", "/nowhere", 1);
}

static void program(const char *below, const char *text)
{
	char *path = xasprintf("%s/%s", folder, below);

	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	FILE *out = fopen(path, "w");
	fputs(text, out);
	fclose(out);
	chmod(path, 0700);
	free(path);
}

static void tear_down(void)
{
	char *command = xasprintf("/bin/rm -r %s", folder);

	cr_assert_eq(system(command), 0);
	free(command);
}

TestSuite(runtime, .init = set_up, .fini = tear_down);

Test(runtime, nodes_client_is_that_of_the_project_or_of_a_folder_above)
{
	struct runtime_plan p = plan("/packages/chat");
	char *client = xasprintf("%s/node_modules/.bin/aws-lambda-ric", folder);

	cr_assert_null(runtime_argv(&p));
	program("node_modules/.bin/aws-lambda-ric", "#!/bin/sh\n");
	char **argv = runtime_argv(&p);

	cr_assert_str_eq(argv[0], client);
	cr_assert_str_eq(argv[1], "src/handler.ping");
	cr_assert_null(argv[2]);
	words_free(argv);
	free(client);
}

Test(runtime, the_projects_own_python_comes_first_when_it_has_the_client)
{
	struct runtime_plan p = plan("");
	char *python = xasprintf("%s/.venv/bin/python3", folder);

	function.runtime = (char *)"python3.11";
	program(".venv/bin/python3", "#!/bin/sh\nexit 1\n");
	cr_assert_null(runtime_argv(&p));
	program(".venv/bin/python3", "#!/bin/sh\nexit 0\n");
	char **argv = runtime_argv(&p);

	cr_assert_str_eq(argv[0], python);
	cr_assert_str_eq(argv[1], "-m");
	cr_assert_str_eq(argv[2], "awslambdaric");
	cr_assert_str_eq(argv[3], "src/handler.ping");
	words_free(argv);
	free(python);
}
