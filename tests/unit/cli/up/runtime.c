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
static struct config_pair pairs[] = {{(char *)"GREETING", (char *)"hello"},
				     {(char *)"TZ", (char *)"Europe/Berlin"}};
static struct config_function function = {
	.name = (char *)"ping",
	.handler = (char *)"src/handler.ping",
	.runtime = (char *)"nodejs20.x",
	.memory_mb = 512,
	.environment = pairs,
	.n_environment = 2,
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

static const char *value(char **env, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			found = *env + n + 1;
	return found;
}

TestSuite(runtime, .init = set_up, .fini = tear_down);

Test(runtime, the_environment_is_lambdas_with_the_functions_own_over_it)
{
	static const char *const wanted[][2] = {
		{"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:4001"},
		{"AWS_LAMBDA_FUNCTION_NAME", "chat-dev-ping"},
		{"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
		{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"},
		{"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
		{"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/chat-dev-ping"},
		{"AWS_LAMBDA_LOG_STREAM_NAME", "fn-ping-0"},
		{"AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x"},
		{"_HANDLER", "src/handler.ping"},
		{"AWS_REGION", "eu-central-1"},
		{"AWS_DEFAULT_REGION", "eu-central-1"},
		{"AWS_ACCESS_KEY_ID", "gatepost"},
		{"AWS_SECRET_ACCESS_KEY", "gatepost"},
		{"GATEPOST_MANAGEMENT", "http://127.0.0.1:8081"},
		{"GREETING", "hello"},
	};
	struct runtime_plan p = plan("");

	unsetenv("TZ");
	char **env = runtime_env(&p);

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		cr_expect_str_eq(value(env, wanted[i][0]), wanted[i][1], "%s",
				 wanted[i][0]);
	cr_expect_str_eq(value(env, "LAMBDA_TASK_ROOT"), folder);
	cr_expect_str_eq(env[0], "AWS_LAMBDA_RUNTIME_API=127.0.0.1:4001");
	cr_expect_str_eq(value(env, "TZ"), "Europe/Berlin"); /* the last one counts */
	words_free(env);
}

Test(runtime, region_and_credentials_that_are_there_stay)
{
	struct runtime_plan p = plan("");

	setenv("AWS_REGION", "us-west-2", 1);
	setenv("AWS_PROFILE", "mine", 1);
	char **env = runtime_env(&p);

	cr_expect_null(value(env, "AWS_REGION"));
	cr_expect_null(value(env, "AWS_ACCESS_KEY_ID"));
	words_free(env);
}

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
